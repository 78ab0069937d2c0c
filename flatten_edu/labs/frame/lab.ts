// What every lab shares: the model it is a view of, its frame, and its life from mounting to clean-up.
import { h, plain, rich } from "./dom";
import { guide, type Lead } from "./guide";
import { linkButton } from "./link";
import { pictureButton } from "./picture";
import { presentButton } from "./present";
import type { LabModel, Part, RenderContext, View } from "./model";

/** What a lab says about itself: its words.json, with what it leaves open, and the lab that goes on from there. */
interface About extends Lead { name: string; question: string; open: string; next: string }

/** Where a lab's views are built: what goes into `head` stands beside the question, what listens ends with `signal`, and
 * `redraw` updates the views where no trait has changed. */
export interface Place<Traits> {
  model: LabModel<Traits>;
  body: HTMLElement;
  signal: AbortSignal;
  head: HTMLElement;
  redraw(): void;
}

/** A lab's module: its question, its guide, the views that `build` puts in and returns, the link. Views are updated once a
 * frame at most; rendering it returns the clean-up function. */
export const lab = <Traits>(about: About | ((model: LabModel<Traits>) => About), build: (place: Place<Traits>) => View[]) =>
  ({ render: ({ model, el }: RenderContext<Traits>) => mountLab(model, el, typeof about === "function" ? about(model) : about, build) });

function mountLab<Traits>(
  model: LabModel<Traits>, el: HTMLElement, about: About, build: (place: Place<Traits>) => View[],
): () => void {
  const root = h("section", { class: "fe-lab", "data-lab": about.name, "aria-label": `Lab: ${plain(about.question)}` });
  const life = new AbortController();
  const { signal } = life;
  const head = h("header", {}, h("p", { class: "fe-question" }, ...rich(about.question)));
  const body = h("div", { class: "fe-body" });
  const untyped = model as unknown as LabModel<Record<string, unknown>>;
  let frame = 0;
  const update = () => {
    frame = 0;
    for (const view of views) view.update();
  };
  const redraw = () => {
    if (!signal.aborted) frame ||= requestAnimationFrame(update);
  };
  const [lead, thread, link] = [guide(untyped, signal, about), leftOpen(untyped, about), linkButton(model, signal)];
  const views: View[] = [lead, ...build({ model, body, signal, head, redraw }), ...(link ? [link] : []), thread];
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
function leftOpen(model: LabModel<Record<string, unknown>>, { open, next }: About): Part {
  const address = model.lab?.(next);
  const link = h(address ? "a" : "span", {}, next);
  return {
    node: h("p", { class: "fe-open" }, h("b", {}, "What this leaves open: "), ...rich(open), " Next lab: ", link, "."),
    update() {
      const p = model.get("p");
      if (address) link.setAttribute("href", p === undefined ? address : `${address}#${next}.p=${p}`);
    },
  };
}
