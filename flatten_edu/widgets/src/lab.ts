// What every lab shares: the model it is a view of, its frame, and its life from mounting to clean-up.
import { h } from "./dom";

/** The part of an anywidget model that labs use. On a static page mount.ts provides it; there it also has a link. */
export interface LabModel<Traits> {
  get<K extends keyof Traits & string>(name: K): Traits[K];
  set<K extends keyof Traits & string>(name: K, value: Traits[K]): void;
  save_changes(): void;
  on(event: string, handler: () => void): void;
  off(event: string, handler: () => void): void;
  link?(): string;
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

/** Build a lab in `el`; its views are updated at most once a frame. Returns the clean-up function. */
export function mountLab<Traits>(
  { model, el }: RenderContext<Traits>,
  name: string,
  title: string,
  build: (root: HTMLElement, signal: AbortSignal) => View[],
): () => void {
  const root = h("section", { class: "fe-lab", "data-lab": name, "aria-label": title });
  const life = new AbortController();
  const views = build(root, life.signal);
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
