// What every lab shares: the model it is a view of, its frame, and its life from mounting to clean-up.
import { h, plain, rich } from "./dom";
import { guide, type Guided, type Lead } from "./guide";
import { linkButton } from "./link";

/** The part of an anywidget model that labs use. On a static page mount.ts provides it; there it also has a link. */
export interface LabModel<Traits> {
  get<K extends keyof Traits & string>(name: K): Traits[K];
  set<K extends keyof Traits & string>(name: K, value: Traits[K]): void;
  save_changes(): void;
  on(event: string, handler: () => void): void;
  off(event: string, handler: () => void): void;
  /** On a static page: one of the lab's files; under a kernel it is asked for by a message. */
  file?(name: string): Promise<DataView>;
  link?(): string;
  /** On a static page: a trait as the page has it, whatever a link set. */
  initial?<K extends keyof Traits & string>(name: K): Traits[K];
}

export interface View {
  /** Show the traits as they are now. */
  update(): void;
  /** Undo what the removal of the lab's own elements does not undo. */
  remove?(): void;
}

export interface RenderContext<Traits> {
  model: LabModel<Traits>;
  el: HTMLElement;
}

/** What a lab says about itself; in its texts *p* is set in italics. */
export interface About<Traits> extends Lead<Traits> {
  name: string;
  question: string;
}

/** Build a lab in `el`: its question, its guide, what `build` puts in, the link. Views are updated once a frame at most.
 *
 * `build` fills the lab's body and returns its views; what goes into `head` stands beside the question.
 * Returns the clean-up function.
 */
export function mountLab<Traits extends Guided>(
  { model, el }: RenderContext<Traits>,
  about: About<Traits>,
  build: (body: HTMLElement, signal: AbortSignal, head: HTMLElement) => View[],
): () => void {
  const root = h("section", { class: "fe-lab", "data-lab": about.name, "aria-label": `Lab: ${plain(about.question)}` });
  const life = new AbortController();
  const head = h("header", {}, h("p", { class: "fe-question" }, ...rich(about.question)));
  const body = h("div", { class: "fe-body" });
  const lead = guide(model, life.signal, about);
  const views = [lead, ...build(body, life.signal, head)];
  root.append(head, lead.node, body);
  const link = linkButton(model, life.signal);
  if (link) {
    views.push(link);
    root.append(link.node);
  }
  let frame = 0;
  const update = () => {
    frame = 0;
    for (const view of views) view.update();
  };
  const schedule = () => {
    frame ||= requestAnimationFrame(update);
  };
  model.on("change", schedule);
  update();
  el.append(root);
  return () => {
    cancelAnimationFrame(frame);
    model.off("change", schedule);
    life.abort();
    for (const view of views) view.remove?.();
    root.remove();
  };
}

/** Set a trait from a control: the page and, under a kernel, Python see it. */
export function change<Traits, K extends keyof Traits & string>(
  model: LabModel<Traits>, name: K, value: Traits[K],
): void {
  model.set(name, value);
  model.save_changes();
}

/** Call `speak` with the text's latest value once it has rested: a screen reader should not hear every step. */
export function settled(delay: number, speak: (text: string) => void): { set(text: string): void; cancel(): void } {
  let timer = 0;
  return {
    set(text) {
      clearTimeout(timer);
      timer = setTimeout(speak, delay, text);
    },
    cancel: () => clearTimeout(timer),
  };
}
