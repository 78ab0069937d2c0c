// What every lab shares: the model it is a view of, its frame, and its life from mounting to clean-up.
import { h, plain, rich } from "./dom";
import { guide, type Guided, type Lead } from "./guide";
import { linkButton } from "./link";
import { pictureButton } from "./picture";
import { presentButton } from "./present";
import type { LabModel, Part, RenderContext, View } from "./model";

/** What a lab says about itself: its words.json. */
export interface About<Traits = object> extends Lead<Traits> {
  name: string;
  question: string;
  /** What the lab leaves open, and the lab that goes on from there. */
  open: string;
  next: string;
}

/** Build a lab in `el`: its question, its guide, what `build` puts in, the link. Views are updated once a frame at most.
 *
 * `build` fills the lab's body and returns its views; what goes into `head` stands beside the question.
 * Returns the clean-up function.
 */
export function mountLab<Traits extends Guided>(
  { model, el }: RenderContext<Traits>,
  about: About,
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
  if (link) views.push(link);
  const present = presentButton(root, life.signal);
  const picture = pictureButton(root, about.name, life.signal);
  const thread = leftOpen(model, about);
  views.push(thread);
  root.append(thread.node, h("div", { class: "fe-link" }, ...(link?.nodes ?? []), picture, present));
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

/** The thread to the next lab; on a published page a link to it, which takes along the p that is set. */
function leftOpen<Traits>(model: LabModel<Traits>, { open, next }: About): Part {
  const address = model.lab?.(next);
  const link = h(address ? "a" : "span", {}, next);
  const p = () => (model as unknown as LabModel<{ p?: number }>).get("p");
  return {
    node: h("p", { class: "fe-open" }, h("b", {}, "What this leaves open: "), ...rich(open), " Next lab: ", link, "."),
    update: () => {
      if (address) link.setAttribute("href", p() === undefined ? address : `${address}#${next}.p=${p()}`);
    },
  };
}
