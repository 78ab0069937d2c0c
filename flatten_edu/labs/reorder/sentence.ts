// One sentence or two on what the reader is looking at; read aloud once it rests.
import { count, h, minus, Readout, short, significant, small, summary, times, type Part } from "../frame";
import { attentionCost } from "../frame/maths/cost";
import { differenceOfOrders, example, FORMULA, MIDDLE, type ReorderModel } from "./state";
import { unitsPerNumber } from "./scale";

export const sentence = (model: ReorderModel, view: "scale" | "steps"): Part =>
  summary(() => (model.get("view") !== view ? null : view === "scale" ? ofScale(model) : ofSteps(model)));

function ofScale(model: ReorderModel): string {
  const [n, d, order] = [model.get("n"), model.get("d"), model.get("order")];
  const { intermediate } = attentionCost(n, d, order);
  const parts = order === "qk_first"
    ? [`N² stands in the middle: every query meets every key, and QKᵀ holds ${count(intermediate)} numbers.`]
    : [`N² is nowhere: KᵀV adds up all keys and values first, once for all queries, in ${count(intermediate)} numbers.`];
  if (n === d) parts.push("N = d: both orders cost exactly the same.");
  else {
    const [cheap, dear] = n > d ? ["kv_first", "qk_first"] as const : ["qk_first", "kv_first"] as const;
    const ratio = n > d ? n / d : d / n;
    parts.push(`${FORMULA[cheap]} takes ${times(ratio)} times fewer multiply-adds than ${FORMULA[dear]}.`);
  }
  const thin = Math.min(n, d) * unitsPerNumber(n, d);
  if (thin < 1) parts.push(`At this scale a side of ${Math.min(n, d)} would be ${significant(thin, 2)} of a pixel; it is drawn as 1.`);
  return parts.join(" ");
}

function ofSteps(model: ReorderModel): string {
  const now = example(model);
  if (!now.latest) return `Nothing is multiplied yet. ${MIDDLE[now.order]} comes first: step forward, or play.`;
  const { i, j, row, column, value, product, left, above } = now.latest;
  const names = { q: "Q", k: "Kᵀ", v: "V", middle: MIDDLE[now.order], out: "O" };
  const sum = row.map((entry, t) => `${short(entry)}·${short(column[t])}`).join(" + ");
  const step = `${names[product]}: row ${i + 1} of ${names[left]} times column ${j + 1} of ${names[above]}: ${sum} = ${short(value)}.`;
  return now.at === now.total ? `${step} ${finished(model.get("normalised"))}` : step;
}

function finished(normalised: boolean): string {
  const divided = normalised ? " Its last column is each row's sum of weights; dividing by it gives the attention's output." : "";
  return `Done.${divided} Now move the brackets: the result is the same.`;
}

export function agreement(model: ReorderModel): Part {
  const difference = new Readout("difference", (value) => (value === 0 ? "0" : minus(value.toExponential(1))));
  return {
    node: h("p", { class: "fe-agreement" }, "Largest difference between the two orders' results: ", difference.node,
      small("exactly 0 on whole numbers; on others, rounding")),
    update: () => difference.set(differenceOfOrders(model)),
  };
}
