// The lab `recall`: what can attention remember?
import { focusingFactorControl, formatP, h, mountLab, summary, type LabModel, type RenderContext, type View } from "../frame";
import { recallBound } from "../frame/maths/recall";
import { charts } from "./charts";
import { controls, curveChoice, removedSwitch } from "./controls";
import { formatCorrelation, panels } from "./panels";
import { Results } from "./results";
import { Settings, type RecallTraits } from "./state";
import WORDS from "./words.json";

export * from "../frame/maths/recall";
export { Reader } from "./reader";
export { Settings } from "./state";

export function render(context: RenderContext<RecallTraits>): () => void {
  const { model } = context;
  return mountLab(context, WORDS, (body, signal) => {
    const update = () => views.forEach((view) => view.update());
    const settings = new Settings(model);
    const results: Results = new Results(model, settings, update);
    const p = focusingFactorControl(model as unknown as LabModel<{ p: number }>, signal);
    const removed = removedSwitch(model, signal);
    const pictures = panels(model, results);
    const sentence = summary(() => said(results, model.get("p")), 800);
    const curve = curveChoice(model, signal);
    const [lines, rest] = [charts(model, results), controls(model, settings, results, signal, update)];
    const waiting = h("p", { class: "fe-waiting" }, "The picture has not arrived yet.");
    const findings = h("div", { class: "fe-found" }, pictures.node, sentence.node);
    body.append(p.node, h("div", { class: "fe-controls" }, removed.node), waiting, findings, rest.node, curve.node, lines.node);
    const first: View = { update: () => results.refresh(), remove: () => results.stop() };
    const last: View = {
      update() {
        waiting.hidden = results.now !== null;
        findings.setAttribute("aria-busy", String(results.busy));
      },
    };
    const views = [first, p, removed, pictures, sentence, rest, curve, lines, last];
    return views;
  });
}

export default { render };

function said({ now, shown, busy }: Results, p: number): string | null {
  const { softmax, linear, focused } = shown;
  if (!now || busy || !softmax || !linear || !focused) return null;
  const all = [softmax, linear, focused].map(({ found }) => found);
  const [a, b, c] = all.map(({ weight }) => weight.toFixed(3));
  const bound = recallBound(now.d, now.n);
  const agree = all.map(({ correlation }) => formatCorrelation(correlation));
  const limit = bound < 1 ? `; no map of non-negative features can give more than ${bound.toFixed(3)} in the mean` : "";
  return `Of a query's weight, ${a} lies on the value that it asks for with softmax, ${b} with linear attention and ${c} at *p* = ${formatP(p)}${limit}. ` +
    `Less what all answers have in common, they agree with what was stored by ${agree[0]}, ${agree[1]} and ${agree[2]}.`;
}
