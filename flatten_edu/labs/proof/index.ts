// The lab `proof`: what does Proposition 1 say, and what not?
import { focusingFactorControl, h, lab } from "../frame";
import { curve } from "./curve";
import { editor } from "./editor";
import { proof } from "./proof";
import { matched, verdictOf, type ProofTraits } from "./state";
import { sentence, table } from "./verdict";
import WORDS from "./words.json";

export * from "../frame/maths/proposition";

export default lab<ProofTraits>(WORDS, ({ model: given, body, signal }) => {
  const model = matched(given);
  const verdict = verdictOf(model);
  const p = focusingFactorControl(model, signal);
  const parts = {
    editor: editor(model, signal), curve: curve(model, verdict), table: table(model, verdict),
    sentence: sentence(model, verdict), proof: proof(model, signal, verdict),
  };
  body.append(p.node, h("div", { class: "fe-columns" },
    parts.editor.node, h("div", { class: "fe-drawing" }, parts.curve.node, parts.sentence.node), parts.table.node, parts.proof.node));
  return [p, ...Object.values(parts)];
});
