// The lab `reorder`: where does N² go when the brackets move?
import { choice, slider, toggle } from "../frame/controls";
import { h } from "../frame/dom";
import { mountLab, type About } from "../frame/lab";
import type { RenderContext, View } from "../frame/model";
import { chart } from "./chart";
import { counts } from "./counts";
import { count } from "./format";
import { grid } from "./grid";
import { player, tally } from "./player";
import { scale } from "./scale";
import { agreement, sentence } from "./sentence";
import { D_STOPS, FORMULA, N_STOPS, ORDERS, type ReorderModel, type ReorderTraits } from "./state";
import { tabList } from "../frame/tabs";

export * from "../frame/maths/attention";
export * from "../frame/maths/cost";
export { D_STOPS, N_STOPS } from "./state";

const ABOUT: About<ReorderTraits> = {
  name: "reorder",
  question: "Where does *N*² go when the brackets move?",
  open: "The new order is cheap only where weights are products of two maps, φ(q)·φ(k). What does such a map do to a row of attention?",
  next: "sharpness",
  first: "move the brackets, then slide *N* up.",
  steps: [
    {
      label: "DeiT's 196 patches",
      set: { n: 196, d: 64, order: "qk_first", view: "scale" },
      look: "The square is QKᵀ, 38,416 numbers. Move the brackets: 4,096 numbers stand in its place, and 4,917,248 multiply-adds become 1,605,632.",
    },
    {
      label: "A window of 49",
      set: { n: 49, d: 32, order: "kv_first", view: "scale" },
      look: "Swin's attention sees 49 tokens at a time, and *d* = 32: the new order saves only 1.53 times. Slide *N* down: at *N* = 32 nothing, below it costs more.",
    },
    {
      label: "By hand, 6 × 3",
      set: { order: "qk_first", view: "steps", at: 0, normalised: false },
      look: "Step forward, or play to the end: 216 multiplications. Then move the brackets and do it again: 108, and the same result.",
    },
  ],
};

export function render(context: RenderContext<ReorderTraits>): () => void {
  const { model } = context;
  return mountLab(context, ABOUT, (body, signal, head) => {
    const panels = { scale: scaleView(model, signal), steps: stepsView(model, signal) };
    const tabs = tabList(model, signal, { scale: "To scale", steps: "By hand" }, { scale: panels.scale.node, steps: panels.steps.node });
    const set = controls(model, signal);
    head.append(tabs.node);
    body.append(set.node, panels.scale.node, panels.steps.node);
    return [set, tabs, panels.scale, panels.steps];
  });
}

export default { render };

type Part = View & { node: Element };

/** Several views as one. */
function together(node: HTMLElement, parts: readonly Part[]): View & { node: HTMLElement } {
  return {
    node,
    update: () => parts.forEach((part) => part.update()),
    remove: () => parts.forEach((part) => part.remove?.()),
  };
}

/** The brackets belong to both views; N and d to the one, the row sums to the other. */
function controls(model: ReorderModel, signal: AbortSignal): View & { node: HTMLElement } {
  const brackets = choice<ReorderTraits, "order">(model, signal, "order",
    { name: "brackets", options: ORDERS.map((order) => [order, FORMULA[order]] as const) });
  const ofScale = [
    slider<ReorderTraits>(model, signal, "n", { symbol: "N", name: "tokens", stops: N_STOPS, format: count }),
    slider<ReorderTraits>(model, signal, "d", { symbol: "d", name: "head dimension", stops: D_STOPS }),
    choice<ReorderTraits, "dtype">(model, signal, "dtype", { name: "stored in", options: [["float32", "fp32"], ["float16", "fp16"]] }),
  ];
  const ofSteps = [toggle<ReorderTraits>(model, signal, "normalised", "a column of ones beside V, for the row sums")];
  const all = together(h("div", { class: "fe-controls fe-reorder-controls" }, brackets.node, ...[...ofScale, ...ofSteps].map(({ node }) => node)),
    [brackets, ...ofScale, ...ofSteps]);
  return {
    ...all,
    update() {
      all.update();
      for (const { node } of ofScale) node.hidden = model.get("view") !== "scale";
      for (const { node } of ofSteps) node.hidden = model.get("view") !== "steps";
    },
  };
}

function scaleView(model: ReorderModel, signal: AbortSignal): View & { node: HTMLElement } {
  const parts = { scale: scale(model), counts: counts(model), chart: chart(model, signal), sentence: sentence(model, "scale") };
  return together(h("div", { class: "fe-columns" },
    h("div", {}, parts.scale.node, parts.sentence.node), h("div", {}, parts.counts.node, parts.chart.node)), Object.values(parts));
}

function stepsView(model: ReorderModel, signal: AbortSignal): View & { node: HTMLElement } {
  const parts = {
    grid: grid(model), player: player(model, signal), sentence: sentence(model, "steps"), tally: tally(model), agreement: agreement(model),
  };
  return together(h("div", { class: "fe-columns fe-stepping" },
    h("div", {}, parts.grid.node),
    h("div", {}, parts.player.node, parts.sentence.node, parts.tally.node, parts.agreement.node)), Object.values(parts));
}
