// The five steps of the proof, with the numbers that they have for the pair at hand.
import { button, change, fixed, h, Readout, rich, significant, type Part } from "../frame";
import type { Verdict } from "../frame/maths/proposition";
import { figures, type Figures, type ProofModel } from "./state";
import WORDS from "./words.json";

const { stages: STAGES, sign: SIGN, conclusion: CONCLUSION } = WORDS; // {name} in a line: a number, or words, of those below

const numbersOf = ({ norms, cosine, inner, toAxis }: Figures, { limit }: Verdict): Record<string, number> => ({
  norm_x: norms.x, norm_fx: norms.fx, norm_y: norms.y, norm_fy: norms.fy,
  product_x: norms.x, product_y: norms.y, product_cosine: cosine.now, product_inner: inner.now, product_first: cosine.first,
  to_axis_x: toAxis.x, to_axis_y: toAxis.y, limit: limit ?? NaN, compare_first: cosine.first,
});

const list = (powers: number[]) => `(${powers.map((power) => (Number.isFinite(power) ? significant(power, 3) : "–")).join(", ")})`;

const wordsOf = ({ powers, largest: { x, y } }: Figures, { case: kind }: Verdict): Record<string, string> => ({
  powers_x: list(powers.x), powers_y: list(powers.y), sign: SIGN[kind], says: CONCLUSION[kind],
  where: x < 0 || y < 0 ? "Without a single largest entry there is no such axis." : `Here m = ${x + 1} and n = ${y + 1}.`,
});

export function proof(model: ProofModel, signal: AbortSignal, verdict: () => Verdict): Part {
  const now = () => [figures(model), verdict()] as const;
  const readouts = Object.keys(numbersOf(...now())).map((name) => new Readout(name, name === "limit" ? String : fixed(4)));
  const words = Object.fromEntries(Object.keys(wordsOf(...now())).map((name) => [name, h("span")]));
  const parts = { ...words, ...Object.fromEntries(readouts.map(({ node }) => [node.dataset.name!, node])) };
  const items = STAGES.map(({ title, lines }, at) => {
    const opens = button(signal, () => change(model, "stage", at + 1), { class: "fe-stage" },
      h("span", { class: "fe-step-number" }, String(at + 1)), ...rich(title));
    const body = h("div", { class: "fe-stage-body" }, ...lines.map((line) => h("p", {}, ...rich(line, parts))));
    return { opens, body, node: h("li", {}, opens, body) };
  });
  const walk = (text: string, label: string, by: number) => button(signal,
    () => change(model, "stage", Math.min(Math.max(model.get("stage") + by, 1), STAGES.length)), { "aria-label": label }, text);
  const [back, next] = [walk("Back", "Back one step of the proof", -1), walk("Next", "Next step of the proof", 1)];
  return {
    node: h("div", { class: "fe-proof" },
      h("div", { class: "fe-proof-head" }, h("p", {}, h("b", {}, "The proof")), h("div", {}, back, next)),
      h("ol", {}, ...items.map(({ node }) => node))),
    update() {
      const open = model.get("stage");
      const numbers = numbersOf(...now());
      for (const readout of readouts) readout.set(numbers[readout.node.dataset.name!]);
      for (const [name, text] of Object.entries(wordsOf(...now()))) words[name].textContent = text;
      items.forEach(({ opens, body }, at) => {
        opens.setAttribute("aria-expanded", String(at + 1 === open));
        body.hidden = at + 1 !== open;
      });
      back.disabled = open === 1;
      next.disabled = open === STAGES.length;
    },
  };
}
