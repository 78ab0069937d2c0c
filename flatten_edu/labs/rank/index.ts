// The lab `rank`: why does full rank plus low rank come out full?
import { toggle } from "../frame/controls";
import { fixed, h, Readout } from "../frame/dom";
import { summary } from "../frame/summary";
import { mountLab, type About } from "../frame/lab";
import type { RenderContext, View } from "../frame/model";
import { watchTheme } from "./colours";
import { caseControls, mainControls, toleranceControl } from "./controls";
import { guaranteeView } from "./guarantee";
import { mapsView } from "./maps";
import { spectrumView } from "./spectrum";
import { Results } from "./results";
import { type RankModel, type RankTraits } from "./state";
import { verdict } from "./verdict";

export * from "../frame/maths/attention";
export * from "../frame/maths/noise";
export * from "../frame/maths/rank_lemma";
export * from "../frame/maths/rank_maps";
export * from "../frame/maths/rank_spectrum";
export { SpectrumCache } from "../frame/maths/rank_study";
export { CaseMaker, randomKernel } from "./case";
export { bounds } from "./guarantee";

const FIRST: Partial<RankTraits> = {
  source: "random", grid: [14, 14], d: 64, p: 3, seed: 0, channel: 0, convolution: "random", wrapped: false, tolerance: 0,
};
const ABOUT: About<RankTraits> = {
  name: "rank",
  question: "Why does full rank plus low rank come out full?",
  open: "Full rank in float64 is not yet a module that computes. What does half precision leave of it?",
  next: "precision",
  first: "slide *d* down to 8: *A* loses rank, the sum does not.",
  steps: [
    {
      label: "Figure 5, in kind",
      set: FIRST,
      look: "Rank 196 for softmax, 64 for *A*, 196 for the sum, on random numbers; the paper's figure 5 has 196, 54 and 196. But the convolution has 196 by itself: the sum's curve hardly leaves its own.",
    },
    {
      label: "Built to fail",
      set: { ...FIRST, convolution: "minus_impulse" },
      look: "Rank 64 plus rank 196 gives 195. Each row of *A* sums to 1, and the kernel takes 1 away from each: the vector of ones is sent to zero. Full rank is usual, not certain.",
    },
    {
      label: "A gap too wide",
      set: { ...FIRST, convolution: "right_neighbour", d: 8 },
      look: "The convolution has rank 182: it lacks 14, one for each row of the image. *A*, of rank 8, fills 8 of them: 190. Raise *d* to 14 and the sum is full.",
    },
  ],
};

export function render(context: RenderContext<RankTraits>): () => void {
  const { model } = context;
  return mountLab(context, ABOUT, (body, signal) => {
    const update = () => views.forEach((view) => view.update());
    const results: Results = new Results(model, update);
    const unwatch = watchTheme(update);
    const main = mainControls(model, results, signal);
    const maps = mapsView(results);
    const wrapped = wrappedToggle(model, results, signal);
    const sentence = summary(() => verdict(results, model.get("tolerance"), model.get("wrapped")), 800);
    const spectrum = spectrumView(results);
    const tolerance = toleranceControl(model, signal);
    const guarantee = guaranteeView(results);
    const rest = caseControls(model, signal);
    const columns = h("div", { class: "fe-columns" },
      h("div", {}, spectrum.node, h("div", { class: "fe-controls" }, tolerance.node)), guarantee.node);
    const findings = h("div", { class: "fe-findings" }, maps.node, wrapped.node, sentence.node, columns);
    body.append(main.node, findings, rest.node);
    const first: View = {
      update: () => results.refresh(),
      remove() {
        unwatch();
        results.stop();
      },
    };
    const last: View = {
      update() {
        findings.setAttribute("aria-busy", String(results.busy));
        for (const part of [wrapped.node, sentence.node, columns]) part.hidden = results.now === null;
      },
    };
    const views = [first, main, maps, wrapped, sentence, spectrum, tolerance, guarantee, rest, last];
    return views;
  });
}

export default { render };

function wrappedToggle(model: RankModel, results: Results, signal: AbortSignal): View & { node: HTMLElement } {
  const entries = new Readout("wrong_entries", fixed(0));
  const rows = new Readout("wrong_rows", fixed(0));
  const of = h("span", {});
  const check = toggle(model, signal, "wrapped", "draw ", h("i", {}, "M"), h("sub", {}, "DWC"),
    " as the authors' figure code does: the kernel wraps round the left and right edges");
  return {
    node: h("div", { class: "fe-wrapped" }, check.node,
      h("p", { class: "fe-note" }, "It differs from the convolution's matrix in ", entries.node, " entries, in ", rows.node, of)),
    update() {
      check.update();
      if (!results.now) return;
      entries.set(results.now.wrong.entries);
      rows.set(results.now.wrong.rows);
      of.textContent = ` of ${results.now.n} rows.`;
    },
  };
}
