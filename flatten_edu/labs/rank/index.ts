// The lab `rank`: why does full rank plus low rank come out full?
import { toggle } from "../frame/controls";
import { fixed, h, plain, Readout, rich, type Child } from "../frame/dom";
import { mountLab, settled, type About, type RenderContext, type View } from "../frame/lab";
import { watchTheme } from "./colours";
import { caseControls, mainControls, toleranceControl } from "./controls_view";
import { guaranteeView } from "./guarantee_view";
import { mapsView } from "./maps_view";
import { spectrumView } from "./spectrum_view";
import { Stage } from "./stage";
import { shared, type RankModel, type RankTraits } from "./state";
import { verdict } from "./verdict";

export * from "../frame/maths";
export * from "../frame/maths/hash_noise";
export * from "../frame/maths/rank_lemma";
export * from "../frame/maths/rank_maps";
export * from "../frame/maths/rank_spectrum";
export { Student } from "../frame/maths/rank_study";
export { CaseMaker, randomKernel } from "./case";
export { floats } from "./floats";
export { bounds } from "./guarantee_view";
export { accepts, shared } from "./state";

const FIRST: Partial<RankTraits> = {
  source: "random", grid: [14, 14], d: 64, p: 3, seed: 0, channel: 0, convolution: "random", wrapped: false, tolerance: 0,
};
const ABOUT: About<RankTraits> = {
  name: "rank",
  question: "Why does full rank plus low rank come out full?",
  first: "slide *d* down to 8: *A* loses rank, the sum does not.",
  shared,
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
    const stage: Stage = new Stage(model, update);
    const unwatch = watchTheme(update);
    const main = mainControls(model, stage, signal);
    const maps = mapsView(stage);
    const wrapped = wrappedToggle(model, stage, signal);
    const summary = summaryLine(model, stage);
    const spectrum = spectrumView(stage);
    const tolerance = toleranceControl(model, signal);
    const guarantee = guaranteeView(stage);
    const rest = caseControls(model, signal);
    const columns = h("div", { class: "fe-columns" },
      h("div", {}, spectrum.node, h("div", { class: "fe-controls" }, tolerance.node)), guarantee.node);
    const findings = h("div", { class: "fe-findings" }, maps.node, wrapped.node, summary.node, columns);
    body.append(main.node, findings, rest.node);
    const first: View = {
      update: () => stage.refresh(),
      remove() {
        unwatch();
        stage.stop();
      },
    };
    const last: View = {
      update() {
        findings.setAttribute("aria-busy", String(stage.busy));
        for (const part of [wrapped.node, summary.node, columns]) part.hidden = stage.now === null;
      },
    };
    const views = [first, main, maps, wrapped, summary, spectrum, tolerance, guarantee, rest, last];
    return views;
  });
}

export default { render };

function wrappedToggle(model: RankModel, stage: Stage, signal: AbortSignal): View & { node: HTMLElement } {
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
      if (!stage.now) return;
      entries.set(stage.now.wrong.entries);
      rows.set(stage.now.wrong.rows);
      of.textContent = ` of ${stage.now.n} rows.`;
    },
  };
}

/** Why the sum has the rank that it has; read aloud once the controls rest. */
function summaryLine(model: RankModel, stage: Stage): View & { node: HTMLElement } {
  const text = h("p", { "aria-hidden": "true" });
  const spoken = h("p", { class: "fe-spoken", role: "status" });
  const speech = settled(800, (said) => { spoken.textContent = said; });
  let shown = "";
  return {
    node: h("div", { class: "fe-summary" }, text, spoken),
    update() {
      const now = verdict(stage, model.get("tolerance"), model.get("wrapped"));
      if (now === shown) return;
      shown = now;
      text.replaceChildren(...withIndices(now).filter((child) => child !== null));
      speech.set(plain(now));
    },
    remove: () => speech.cancel(),
  };
}

/** *M*eq and *M*DWC with their indices. */
function withIndices(text: string): Child[] {
  return rich(text).flatMap((child): Child[] => {
    const index = typeof child === "string" ? /^(eq|DWC)\b/.exec(child)?.[0] : undefined;
    return index ? [h("sub", {}, index), (child as string).slice(index.length)] : [child];
  });
}
