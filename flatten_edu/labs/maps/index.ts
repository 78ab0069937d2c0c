// The lab `maps`: where does a trained patch look?
import { choice } from "../frame/controls";
import { focusingFactorControl } from "../frame/focusing_factor";
import { mountLab, type About } from "../frame/lab";
import type { RenderContext, View } from "../frame/model";
import { Sources } from "./sources";
import { figures } from "./figures";
import { pictures } from "./pictures";
import { legend, settings, status } from "./settings";
import { canRun, type MapsTraits } from "./state";

export * from "../frame/maths/attention";
export * from "../frame/maths/attention_maps";
export * from "../frame/maths/deit";
export { erf, gelu, softmax } from "../frame/maths/layers";
export { centreSquare } from "../frame/maths/pictures";
export { half, readSafetensors } from "../frame/maths/safetensors";

const ABOUT: About<MapsTraits> = {
  name: "maps",
  question: "Where does a trained patch look?",
  open: "These are four small models and twelve pictures. Nothing here says what linear attention saves: does it pay on a machine?",
  next: "timing",
  first: "click another patch of the picture, or move it with the arrow keys.",
  steps: [
    {
      label: "From the background",
      set: { picture: 0, block: 1, patch: 20, p: 3, display: "overlay" },
      look: "A patch of the dark background. In this block softmax (5.6 bits) and focused attention (5.1) look at the horse; linear attention (5.9) lights patches here and there. The convolution adds the patch's own neighbours.",
    },
    {
      label: "All patches at once",
      set: { picture: 0, block: 1, p: 3, display: "matrix" },
      look: "Each row is one patch's attention. Upright stripes are patches at which almost all others look. Only the convolution draws bands along the diagonal: five of them, for each patch sees two rows of neighbours above and below its own.",
    },
    {
      label: "Take the focus away",
      set: { picture: 0, block: 1, p: 1, inside: true, display: "overlay" },
      look: "Now *p* = 1 acts within the models, which were trained with 3: the focused ones take the horse for a cat and a dog. Raise *p* to 4, and they are surer of the horse (55 % and 71 %) than at the 3 of their training (46 % and 60 %).",
    },
  ],
};

/** Of queries and keys that we have not seen, no more can be said. */
const ABOUT_OWN: About<MapsTraits> = {
  ...ABOUT,
  steps: [
    { label: "Plain", set: { p: 1, display: "overlay" }, look: "At *p* = 1 the focused map is the linear one: ReLU, and nothing else." },
    { label: "Focused", set: { p: 8, display: "overlay" }, look: "Does the row narrow? Its entropy falls where it does; compare it with softmax's, which *p* does not touch." },
    { label: "All patches at once", set: { display: "matrix" }, look: "Each row is one patch's attention. Upright stripes are patches at which many others look." },
  ],
};

export function render(context: RenderContext<MapsTraits>): () => void {
  const { model } = context;
  return mountLab(context, canRun(model) ? ABOUT : ABOUT_OWN, (body, signal, head) => {
    let views: View[] = [];
    let frame = 0;
    const redraw = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        views.forEach((view) => view.update());
      });
    };
    const sources = new Sources(model, signal, redraw);
    const display = choice(model, signal, "display", { name: "show", options: [["overlay", "Picture"], ["matrix", "Matrix"]] });
    display.node.classList.add("fe-display");
    head.append(display.node);
    const p = focusingFactorControl(model, signal);
    const parts = [
      pictures(model, sources, signal, body, redraw), p, figures(model, sources, signal), legend(model),
      status(model, sources, signal, redraw), settings(model, signal),
    ];
    body.append(...parts.map((part) => part.node));
    const work = {
      update: () => sources.work(),
      remove: () => {
        cancelAnimationFrame(frame);
        sources.remove();
      },
    };
    views = [display, ...parts, work];
    return views;
  });
}

export default { render };
