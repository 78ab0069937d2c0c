// The five steps of the proof, with the numbers that they have for the pair at hand.
import { change, fixed, h, Readout, rich, significant, type Part } from "../frame";
import type { Verdict } from "../frame/maths/proposition";
import { figures, type Figures, type ProofModel } from "./state";

const SIGN: Record<Verdict["case"], string> = {
  same: "is above the cosine at p = 1,", different: "is below the cosine at p = 1,",
  parallel: "is what the cosine was at p = 1,", orthogonal: "is what the cosine was at p = 1,", tie: "against the cosine at p = 1,",
};

const CONCLUSION: Record<Verdict["case"], string> = {
  same: "A curve that ends above its start is above it somewhere: there is such a p. Nothing is said about the way there.",
  different: "A curve that ends below its start is below it somewhere: there is such a p. Nothing is said about the way there.",
  parallel: "x and y point the same way and always will, so no strict inequality can hold: that case must be left out.",
  orthogonal: "x and y are at right angles and always will be, so no strict inequality can hold: that case must be left out.",
  tie: "The proposition asks for a single largest entry in each vector; of this pair it says nothing.",
};

/** Title and lines of each step; in the place of {name} stands a number, or words, of those below. */
const STAGES: readonly (readonly [title: string, ...lines: string[]])[] = [
  ["The length stays",
    "‖*f*_{*p*}(*x*)‖ = {norm_fx} = ‖*x*‖ = {norm_x}, and ‖*f*_{*p*}(*y*)‖ = {norm_fy} = ‖*y*‖ = {norm_y}.",
    "The fraction in *f*_{*p*} sees to that. Only the directions can change."],
  ["So only the cosine counts",
    "⟨*f*_{*p*}(*x*), *f*_{*p*}(*y*)⟩ = ‖*x*‖ ‖*y*‖ ⟨*u*_{*p*}, *v*_{*p*}⟩ = {product_x} · {product_y} · {product_cosine} = {product_inner},",
    "where *u*_{*p*} and *v*_{*p*} are the unit vectors. At *p* = 1 the last factor was {product_first}; the others never change."],
  ["Divide by the largest entry",
    "*u*_{*p*} is *x*^{*p*} over its length, so a factor of *x* cancels: put 1 in the place of the largest entry, less than 1 in all others.",
    "(*x* / *x*_{*m*})^{*p*} = {powers_x}, and for *y*: {powers_y}."],
  ["Let *p* grow without end",
    "What is below 1 goes to 0, the 1 stays: *u*_{*p*} tends to the basis vector *e*_{*m*}, *v*_{*p*} to *e*_{*n*}.",
    "Still to go: ‖*u*_{*p*} − *e*_{*m*}‖ = {to_axis_x}, ‖*v*_{*p*} − *e*_{*n*}‖ = {to_axis_y}. {where}"],
  ["Compare the limit with the start", "⟨*e*_{*m*}, *e*_{*n*}⟩ = {limit} {sign} {compare_first}. {says}"],
];

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
  const items = STAGES.map(([title, ...lines], at) => {
    const button = h("button", { type: "button", class: "fe-stage" }, h("span", { class: "fe-step-number" }, String(at + 1)), ...rich(title));
    button.addEventListener("click", () => change(model, "stage", at + 1), { signal });
    const body = h("div", { class: "fe-stage-body" }, ...lines.map((line) => h("p", {}, ...rich(line, parts))));
    return { button, body, node: h("li", {}, button, body) };
  });
  const walk = (text: string, label: string, by: number) => {
    const button = h("button", { type: "button", "aria-label": label }, text);
    button.addEventListener("click", () => change(model, "stage", Math.min(Math.max(model.get("stage") + by, 1), STAGES.length)), { signal });
    return button;
  };
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
      items.forEach(({ button, body }, at) => {
        button.setAttribute("aria-expanded", String(at + 1 === open));
        body.hidden = at + 1 !== open;
      });
      back.disabled = open === 1;
      next.disabled = open === STAGES.length;
    },
  };
}
