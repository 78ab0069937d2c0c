// The lab `recall`: what can attention remember?
import { h } from "../frame/dom";
import { focusingFactorControl } from "../frame/focusing_factor";
import { mountLab, type About } from "../frame/lab";
import { recallBound } from "../frame/maths/recall";
import type { LabModel, RenderContext, View } from "../frame/model";
import { formatP } from "../frame/numbers";
import { summary } from "../frame/summary";
import { charts } from "./charts";
import { controls, curveChoice, removedSwitch } from "./controls";
import { formatCorrelation, panels } from "./panels";
import { Results } from "./results";
import { Settings, type RecallTraits } from "./state";

export * from "../frame/maths/recall";
export { Reader } from "./reader";
export { Settings } from "./state";

const START: Partial<RecallTraits> = {
  side: 14, d: 64, p: 3, noise: 0.3, length: 1, seed: 0, values: "photo", kernel: "none", asked: "in place", removed: false, curve: "weight",
};
const ABOUT: About<RecallTraits> = {
  name: "recall",
  question: "What can attention remember?",
  open: "These keys are random. Trained ones are not: where do trained patches look?",
  next: "maps",
  first: "say in which of the three pictures you will find the cat once the common part is taken away. Then tick the box.",
  steps: [
    {
      label: "A fog",
      set: START,
      look: "Softmax gives the photograph back. Linear attention gives all places nearly the same patch: 0.015 of a query's weight lies on the value that it asks for, and 2.2 % of the contrast is left. At *p* = 3 it is 0.040 and 7.9 %.",
    },
    {
      label: "The fog lifted",
      set: { ...START, removed: true },
      look: "What all answers have in common is gone, and the rest is stretched. Both linear pictures now hold the same blurred cat, and agree with the photograph by 0.49 and 0.47. A larger *p* made the signal stronger, not better: try *p* = 32.",
    },
    {
      label: "Another's place",
      set: { ...START, removed: true, kernel: "own place", asked: "in another order" },
      look: "The convolution adds to each answer the value of the place where it was asked. Asked in another order, that is the wrong patch: the correlation is 0.01 at *p* = 3. Let each place ask for its own value, and the detail is back, with all its rank and no memory.",
    },
  ],
};

export function render(context: RenderContext<RecallTraits>): () => void {
  const { model } = context;
  return mountLab(context, ABOUT, (body, signal) => {
    const update = () => views.forEach((view) => view.update());
    const settings = new Settings(model);
    const results: Results = new Results(model, settings, update);
    const p = focusingFactorControl(model as unknown as LabModel<{ p: number }>, signal);
    const removed = removedSwitch(model, signal);
    const pictures = panels(model, results);
    const sentence = summary(() => said(results, model.get("p")), 800);
    const curve = curveChoice(model, signal);
    const [lines, rest] = [charts(model, results), controls(model, settings, results, signal, update)];
    const waiting = h("p", {}, "The picture has not arrived yet.");
    const findings = h("div", { class: "fe-findings" }, pictures.node, sentence.node);
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
