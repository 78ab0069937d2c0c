// The lab `rank`: why does full rank plus low rank come out full?
import { fixed, h, lab, powerOfTen, Readout, rich, slider, summary, toggle, type Part, type View } from "../frame";
import { watchTheme } from "./colours";
import { caseControls, mainControls, TOLERANCES } from "./controls";
import { guaranteeView } from "./guarantee";
import { mapsView } from "./maps";
import { spectrumView } from "./spectrum";
import { Results } from "./results";
import { type RankModel, type RankTraits } from "./state";
import { verdict } from "./verdict";
import WORDS from "./words.json";

export * from "../frame/maths/noise";
export * from "../frame/maths/rank_lemma";
export * from "../frame/maths/rank_maps";
export * from "../frame/maths/rank_spectrum";
export { SpectrumCache } from "../frame/maths/rank_study";
export { CaseMaker } from "./case";
export { bounds } from "./guarantee";

export default lab<RankTraits>(WORDS, ({ model, body, signal, redraw }) => {
  const results = new Results(model, redraw);
  const unwatch = watchTheme(redraw);
  const main = mainControls(model, results, signal);
  const maps = mapsView(results);
  const wrapped = wrappedToggle(model, results, signal);
  const sentence = summary(() => verdict(results, model.get("tolerance"), model.get("wrapped")), 800);
  const spectrum = spectrumView(results);
  const tolerance = slider(model, signal, "tolerance", {
    name: "tolerance", stops: TOLERANCES, format: (value) => (value ? powerOfTen(value) : "NumPy's"),
  });
  const guarantee = guaranteeView(results);
  const rest = caseControls(model, signal);
  const columns = h("div", { class: "fe-columns" }, h("div", {}, spectrum.node), guarantee.node);
  const more = h("details", { class: "fe-more", open: isMoreSet(model) },
    h("summary", {}, "More: tolerance, determinants, the authors' drawing, trained queries and keys"),
    h("div", {}, h("div", { class: "fe-controls" }, tolerance.node), guarantee.lemma, wrapped.node, rest.node));
  const findings = h("div", { class: "fe-findings" }, maps.node, sentence.node, columns, more);
  body.append(main.node, findings);
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
      for (const part of [sentence.node, columns]) part.hidden = results.now === null;
    },
  };
  return [first, main, maps, wrapped, sentence, spectrum, tolerance, guarantee, rest, last];
});

/** Whether a link sets what lies in the fold, or the reader's own tensors are shown. */
function isMoreSet(model: RankModel): boolean {
  if (model.get("source") === "given") return true;
  const { initial } = model;
  const folded = ["tolerance", "wrapped", "source", "layer", "head", "grid", "channel", "seed"] as const;
  return initial !== undefined && folded.some((trait) => JSON.stringify(model.get(trait)) !== JSON.stringify(initial(trait)));
}

function wrappedToggle(model: RankModel, results: Results, signal: AbortSignal): Part {
  const entries = new Readout("wrong_entries", fixed(0));
  const rows = new Readout("wrong_rows", fixed(0));
  const of = h("span", {});
  const check = toggle(model, signal, "wrapped",
    ...rich("draw *M*_{DWC} as the authors' figure code does: the kernel wraps round the left and right edges"));
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
