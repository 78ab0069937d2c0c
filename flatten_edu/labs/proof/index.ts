// The lab `proof`: what does Proposition 1 say, and what not?
import { h } from "../frame/dom";
import { focusingFactorControl } from "../frame/focusing_factor";
import { mountLab, type About } from "../frame/lab";
import type { RenderContext } from "../frame/model";
import { curve } from "./curve";
import { editor } from "./editor";
import { proof } from "./proof";
import { VerdictCache, matched, type ProofTraits } from "./state";
import { sentence, table } from "./verdict";

export * from "../frame/maths/attention";
export * from "../frame/maths/proposition";

const ABOUT: About<ProofTraits> = {
  name: "proof",
  question: "What does Proposition 1 say, and what not?",
  open: "The proposition is about one pair of vectors. What becomes of a whole map, and of its rank?",
  next: "rank",
  first: "slide *p* from 1 to 256 and watch the curve leave its dashed line, and come back.",
  steps: [
    {
      label: "Not at p = 3",
      set: { x: [1, 0.99], y: [1, 0.5], p: 3, stage: 5 },
      look: "Both are largest at entry 1, and yet the angle goes from 18.1° to 37.0°. It is widest near *p* = 7.1, with 42.5°; only from *p* = 111 on are the two closer than at the start.",
    },
    {
      label: "At every p",
      set: { x: [1, 0.25], y: [1, 0.1], p: 3, stage: 4 },
      look: "Both lie nearer to the axis already: the angle falls from 8.3° to 0.8° at *p* = 3, and no *p* fails. Raise *x*₂ until some do.",
    },
    {
      label: "Other axis, closer",
      set: { x: [1, 0.9, 0.6], y: [0.9, 1, 0], p: 3, stage: 5 },
      look: "Largest at entry 1 and at entry 2, and yet at *p* = 3 they are closer: 20.3° after 24.7°. The proposition's inequality holds from *p* = 4.11 on.",
    },
  ],
};

export function render(context: RenderContext<ProofTraits>): () => void {
  return mountLab(context, ABOUT, (body, signal) => {
    const model = matched(context.model);
    const verdicts = new VerdictCache();
    const p = focusingFactorControl(model, signal);
    const parts = {
      editor: editor(model, signal), curve: curve(model, verdicts), table: table(model, verdicts),
      sentence: sentence(model, verdicts), proof: proof(model, signal, verdicts),
    };
    body.append(p.node, h("div", { class: "fe-columns" },
      parts.editor.node, h("div", { class: "fe-drawing" }, parts.curve.node, parts.sentence.node), parts.table.node, parts.proof.node));
    return [p, ...Object.values(parts)];
  });
}

export default { render };
