// The lab `timing`: at which N does linear attention beat softmax, on this machine?
import { h } from "../frame/dom";
import { mountLab, type About } from "../frame/lab";
import type { RenderContext, View } from "../frame/model";
import { outcome, runBar } from "./bar";
import { chart } from "./chart";
import { files } from "./files";
import { origins } from "./origins";
import { Run } from "./run";
import { cover, settings } from "./settings";
import { type TimingTraits } from "./state";
import { allPoints, figures } from "./table";

export * from "../frame/maths/attention_timing";
export * from "../frame/maths/power_law";
export { clockTick, GRIDS, inputs, kernel, Stopwatch, TOKENS } from "./backend";
export { Gpu } from "./gpu";
export { next, plan, progress } from "./plan";
export { makePoint, parseRecord } from "./record";
export { TypedArrays } from "./typed";

const ABOUT: About<TimingTraits> = {
  name: "timing",
  question: "At which *N* does linear attention beat softmax, on this machine?",
  open: "These are times of one head in one browser: a whole model on a graphics card has others. Why should there be a crossover at all?",
  next: "reorder",
  first: "guess the *N*, then press “Time it here” and watch your points come.",
  steps: [
    {
      label: "By the count: at N = d",
      set: { device: "js", d: 64, p: 3, dwc: false, budget: 10, guess: 64, beside: "shipped" },
      look: "At *d* = 64 both orders take as many multiply-adds at *N* = 64, so the guess is set there. Softmax also takes *N*² exponentials, and linear attention a division a row. Press “Time it here”: is the count a good prophet?",
    },
    {
      label: "Half the head",
      set: { device: "js", d: 32, p: 3, dwc: false, budget: 10, guess: 32, beside: "shipped" },
      look: "At *d* = 32 the count says *N* = 32. Predict first: does a window of 49 tokens, as in Swin, gain or lose by linear attention? Time it and read it off at *N* = 49.",
    },
    {
      label: "What focus costs",
      set: { device: "js", d: 64, p: 2.5, dwc: true, budget: 10, guess: 0, beside: "shipped" },
      look: "Now *p* is no whole number, and each power is a call and not two products; the convolution adds 25 multiply-adds an entry. Time it: the focused line moves up, and stays parallel to the linear one. Its slope is still about 1.",
    },
  ],
};

export function render(context: RenderContext<TimingTraits>): () => void {
  const { model } = context;
  return mountLab(context, ABOUT, (body, signal) => {
    let views: View[] = [];
    let frame = 0;
    const run = new Run(model, () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        views.forEach((view) => view.update());
      });
    });
    run.restore();
    const parts = {
      settings: settings(model, signal), cover: cover(model, signal), bar: runBar(model, run, signal), outcome: outcome(model),
      chart: chart(model), figures: figures(model), origins: origins(model), files: files(model, signal), points: allPoints(model, signal),
    };
    body.append(parts.settings.node, parts.bar.node, parts.cover.node, parts.outcome.node,
      h("div", { class: "fe-columns" }, h("div", {}, parts.chart.node, parts.origins.node), h("div", {}, parts.figures.node)),
      parts.files.node, parts.points.node);
    views = [...Object.values(parts), {
      update() {},
      remove() {
        cancelAnimationFrame(frame);
        run.remove();
      },
    }];
    return views;
  });
}

export default { render };
