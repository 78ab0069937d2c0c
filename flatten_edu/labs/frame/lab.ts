// What every lab shares: the model it is a view of, its frame, and its life from mounting to clean-up.
import { h, plain, rich } from "./dom";
import { guide, type Guided, type Lead } from "./guide";
import { linkButton } from "./link";
import { pictureButton } from "./picture";
import { presentButton } from "./present";
import type { LabModel, Part, RenderContext, View } from "./model";

/** What a lab says about itself: its words.json, with what it leaves open, and the lab that goes on from there. */
interface About extends Lead { name: string; question: string; open: string; next: string }

/** Build a lab in `el`: its question, its guide, what `build` puts in, the link. Views are updated once a frame at most.
 *
 * `build` fills the lab's body and returns its views; what goes into `head` stands beside the question, and `redraw`
 * updates the views where no trait has changed. Returns the clean-up function.
 */
export function mountLab<Traits extends Guided>(
  { model, el }: RenderContext<Traits>,
  about: About,
  build: (body: HTMLElement, signal: AbortSignal, head: HTMLElement, redraw: () => void) => View[],
): () => void {
  const root = h("section", { class: "fe-lab", "data-lab": about.name, "aria-label": `Lab: ${plain(about.question)}` });
  const life = new AbortController();
  const { signal } = life;
  const head = h("header", {}, h("p", { class: "fe-question" }, ...rich(about.question)));
  const body = h("div", { class: "fe-body" });
  let frame = 0;
  const update = () => {
    frame = 0;
    for (const view of views) view.update();
  };
  const redraw = () => {
    if (!signal.aborted) frame ||= requestAnimationFrame(update);
  };
  const [lead, thread, link] = [guide(model, signal, about), leftOpen(model, about), linkButton(model, signal)];
  const views: View[] = [lead, ...build(body, signal, head, redraw), ...(link ? [link] : []), thread];
  root.append(head, lead.node, body, thread.node, h("div", { class: "fe-link" },
    ...(link?.nodes ?? []), pictureButton(root, about.name, signal), presentButton(root, signal)));
  model.on("change", redraw);
  update();
  el.append(root);
  return () => {
    life.abort();
    cancelAnimationFrame(frame);
    model.off("change", redraw);
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
