// The lab `recall`: what can attention remember?
import { choice, focusingFactorControl, formatP, group, h, lab, summary, toggle, type View } from "../frame";
import { recallBound } from "../frame/maths/recall";
import { charts, CURVES } from "./charts";
import { controls } from "./controls";
import { formatCorrelation, panels } from "./panels";
import { Results } from "./results";
import { Settings, type Curve, type RecallTraits } from "./state";
import WORDS from "./words.json";

export * from "../frame/maths/recall";
export { Reader } from "./reader";
export { Settings } from "./state";

export default lab<RecallTraits>(WORDS, ({ model, body, signal, redraw }) => {
  const settings = new Settings(model);
  const results = new Results(model, settings, redraw);
  const p = focusingFactorControl(model, signal);
  const removed = group("fe-controls", [toggle(model, signal, "removed", "take the common part away and stretch the contrast")]);
  const pictures = panels(model, results);
  const sentence = summary(() => said(results, model.get("p")), 800);
  const curve = choice(model, signal, "curve", { name: "charts", options: Object.entries(CURVES) as [Curve, string][] });
  const [lines, rest] = [charts(model, results), controls(model, settings, results, signal, redraw)];
  const waiting = h("p", { class: "fe-waiting" }, "The picture has not arrived yet.");
  const findings = h("div", { class: "fe-found" }, pictures.node, sentence.node);
  body.append(p.node, removed.node, waiting, findings, rest.node, curve.node, lines.node);
  const first: View = { update: () => results.refresh(), remove: () => results.stop() };
  const last: View = {
    update() {
      waiting.hidden = results.now !== null;
      findings.setAttribute("aria-busy", String(results.busy));
    },
  };
  return [first, p, removed, pictures, sentence, rest, curve, lines, last];
});

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
