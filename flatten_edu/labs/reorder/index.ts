// The lab `reorder`: where does N² go when the brackets move?
import { choice, count, h, lab, slider, tabList, together, toggle, type Part } from "../frame";
import { chart } from "./chart";
import { counts } from "./counts";
import { grid } from "./grid";
import { player, tally } from "./player";
import { scale } from "./scale";
import { agreement, sentence } from "./sentence";
import { D_STOPS, FORMULA, N_STOPS, ORDERS, type ReorderModel, type ReorderTraits } from "./state";
import WORDS from "./words.json";

export * from "../frame/maths/cost";
export { D_STOPS, N_STOPS } from "./state";

export default lab<ReorderTraits>(WORDS, ({ model, body, signal, head }) => {
  const panels = { scale: scaleView(model, signal), steps: stepsView(model, signal) };
  const tabs = tabList(model, signal, { scale: "To scale", steps: "By hand" }, { scale: panels.scale.node, steps: panels.steps.node });
  const set = controls(model, signal);
  head.append(tabs.node);
  body.append(set.node, panels.scale.node, panels.steps.node);
  return [set, tabs, panels.scale, panels.steps];
});

/** The brackets belong to both views; N and d to the one, the row sums to the other. */
function controls(model: ReorderModel, signal: AbortSignal): Part {
  const brackets = choice(model, signal, "order",
    { name: "brackets", options: ORDERS.map((order) => [order, FORMULA[order]] as const) });
  const ofScale = [
    slider(model, signal, "n", { symbol: "N", name: "tokens", stops: N_STOPS, format: count }),
    slider(model, signal, "d", { symbol: "d", name: "head dimension", stops: D_STOPS }),
    choice(model, signal, "dtype", { name: "stored in", options: [["float32", "fp32"], ["float16", "fp16"]] }),
  ];
  const ofSteps = [toggle(model, signal, "normalised", "a column of ones beside V, for the row sums")];
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

function scaleView(model: ReorderModel, signal: AbortSignal): Part {
  const parts = { scale: scale(model), counts: counts(model), chart: chart(model, signal), sentence: sentence(model, "scale") };
  return together(h("div", { class: "fe-columns" },
    h("div", {}, parts.scale.node, parts.sentence.node), h("div", {}, parts.counts.node, parts.chart.node)), Object.values(parts));
}

function stepsView(model: ReorderModel, signal: AbortSignal): Part {
  const parts = {
    grid: grid(model), player: player(model, signal), sentence: sentence(model, "steps"), tally: tally(model), agreement: agreement(model),
  };
  return together(h("div", { class: "fe-columns fe-stepping" },
    h("div", {}, parts.grid.node),
    h("div", {}, parts.player.node, parts.sentence.node, parts.tally.node, parts.agreement.node)), Object.values(parts));
}
