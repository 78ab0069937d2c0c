// The lab `timing`: at which N does linear attention beat softmax, on this machine?
import { h, lab } from "../frame";
import { outcome, runBar } from "./bar";
import { chart } from "./chart";
import { files } from "./files";
import { origins } from "./origins";
import { Run } from "./run";
import { cover, settings } from "./settings";
import { type TimingTraits } from "./state";
import { allPoints, figures } from "./table";
import WORDS from "./words.json";

export * from "../frame/maths/attention_timing";
export * from "../frame/maths/power_law";
export { clockTick, GRIDS, inputs, kernel, Stopwatch, TOKENS } from "./backend";
export { Gpu } from "./gpu";
export { next, plan, progress } from "./plan";
export { makePoint, parseRecord } from "./record";
export { TypedArrays } from "./typed";

export default lab<TimingTraits>(WORDS, ({ model, body, signal, redraw }) => {
  const run = new Run(model, redraw);
  run.restore();
  const parts = {
    settings: settings(model, signal), cover: cover(model, signal), bar: runBar(model, run, signal), outcome: outcome(model),
    chart: chart(model), figures: figures(model), origins: origins(model), files: files(model, signal), points: allPoints(model, signal),
  };
  body.append(parts.settings.node, parts.bar.node, parts.cover.node, parts.outcome.node,
    h("div", { class: "fe-columns" }, h("div", {}, parts.chart.node, parts.origins.node), h("div", {}, parts.figures.node)),
    parts.files.node, parts.points.node);
  return [...Object.values(parts), { update() {}, remove: () => run.remove() }];
});
