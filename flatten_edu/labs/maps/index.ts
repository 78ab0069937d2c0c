// The lab `maps`: where does a trained patch look?
import { choice, focusingFactorControl, mountLab, type RenderContext, type View } from "../frame";
import { Sources } from "./sources";
import { figures } from "./figures";
import { pictures } from "./pictures";
import { legend, settings, status } from "./settings";
import { canRun, type MapsTraits } from "./state";
import WORDS from "./words.json";

export * from "../frame/maths/attention";
export * from "../frame/maths/attention_maps";
export * from "../frame/maths/deit";
export { erf, gelu, softmax } from "../frame/maths/layers";
export { centreSquare } from "../frame/maths/pictures";
export { half, readSafetensors } from "../frame/maths/safetensors";

export function render(context: RenderContext<MapsTraits>): () => void {
  const { model } = context;
  return mountLab(context, canRun(model) ? WORDS : { ...WORDS, ...WORDS.own }, (body, signal, head) => {
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
