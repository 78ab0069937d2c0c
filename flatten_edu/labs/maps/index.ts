// The lab `maps`: where does a trained patch look?
import { choice, focusingFactorControl, lab, nodesOf } from "../frame";
import { Sources } from "./sources";
import { figures } from "./figures";
import { pictures } from "./pictures";
import { legend, settings, status } from "./settings";
import { canRun, type MapsTraits } from "./state";
import WORDS from "./words.json";

export * from "../frame/maths/attention_maps";
export * from "../frame/maths/deit";
export { erf, gelu, softmax } from "../frame/maths/layers";
export { centreSquare } from "../frame/maths/pictures";
export { half, readSafetensors } from "../frame/maths/safetensors";

export default lab<MapsTraits>((model) => (canRun(model) ? WORDS : { ...WORDS, ...WORDS.own }), ({ model, body, signal, head, redraw }) => {
  const sources = new Sources(model, signal, redraw);
  const display = choice(model, signal, "display", { name: "show", options: [["overlay", "Picture"], ["matrix", "Matrix"]] });
  display.node.classList.add("fe-display");
  head.append(display.node);
  const parts = [
    pictures(model, sources, signal, body, redraw), focusingFactorControl(model, signal), figures(model, sources, signal),
    legend(model), status(model, sources, signal, redraw), settings(model, signal),
  ];
  body.append(...nodesOf(parts));
  return [display, ...parts, { update: () => sources.work(), remove: () => sources.runs.remove() }];
});
