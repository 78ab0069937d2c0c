// The four maps as pictures, each with its colour bar and what is read off its spectrum.
import { extent } from "d3-array";
import { fixed, h, Memo, Readout, rich, scientific, type Part } from "../frame";
import { effectiveRank, nearestToLine, numericalRank, stableRank } from "../frame/maths/rank_spectrum";
import { MAP_NAMES, type MapName } from "../frame/maths/rank_study";
import { isDark, paint, scaleFor, type Scale } from "./colours";
import type { Results } from "./results";

const SPOKEN: Record<MapName, string> = {
  linear: "A, linear attention's map", dwc: "M DWC, the convolution's matrix", equivalent: "M eq, their sum",
  softmax: "softmax attention's map",
};

const TITLES: Record<MapName, [name: string, about: string]> = {
  linear: ["*A*", "φ(Q)φ(K)ᵀ"], dwc: ["{sign}*M*_{DWC}", "convolution"], equivalent: ["{sign}*M*_{eq}", "the sum"],
  softmax: ["softmax", "to compare"],
};

function mapFigure(name: MapName) {
  const canvas = h("canvas", { role: "img", "data-kind": name, "aria-label": SPOKEN[name] });
  const bar = h("canvas", { class: "fe-bar-scale", "aria-hidden": "true" });
  const ticks = h("div", { class: "fe-bar-ticks", "aria-hidden": "true" });
  const rank = new Readout(`rank_${name}`, fixed(0));
  rank.node.textContent = "…";
  const of = h("span", { class: "fe-of" });
  const [effective, stable] = [new Readout(`effective_${name}`, fixed(1)), new Readout(`stable_${name}`, fixed(2))];
  const largest = new Readout(`largest_${name}`, scientific);
  const smallest = new Readout(`smallest_${name}`, (value) => (value < 1e-15 ? "< 10⁻¹⁵" : scientific(value)));
  const rows = ([["effective", effective], ["stable", stable], ["*σ*_{1}", largest], ["*σ*_{N} ÷ *σ*_{1}", smallest]] as const)
    .flatMap(([term, value]) => [h("dt", {}, ...rich(term)), h("dd", {}, value.node)]);
  const [title, about] = TITLES[name];
  const sign = h("span", { class: "fe-sign" }, name === "dwc" ? "+" : "=");
  const node = h("figure", { class: `fe-${name}` },
    h("div", { class: "fe-map-title" }, h("b", {}, ...rich(title, { sign })), h("span", {}, about)), canvas, bar, ticks,
    h("figcaption", {},
      h("p", { class: "fe-rank" }, h("span", { class: "fe-swatch", "aria-hidden": "true" }), "rank ", rank.node, of), h("dl", {}, ...rows)));
  const memo = new Memo();

  function repaint(values: Float64Array, n: number, scale: Scale): void {
    const [low, high] = extent(values) as [number, number];
    const [signed, size] = [low < 0, Math.max(high, -low)];
    paint(canvas, values, n, size, scale);
    canvas.classList.toggle("fe-coarse", n <= 100);
    const steps = Array.from({ length: 201 }, (_, i) => (signed ? i / 100 - 1 : i / 200));
    paint(bar, steps.map((t) => t * Math.abs(t)), steps.length, 1, scale);
    const marks = size === 0 ? [0] : signed ? [-size, -size / 4, 0, size / 4, size] : [0, size / 4, size];
    ticks.replaceChildren(...marks.map((mark) => h("span", {}, scientific(mark, 2))));
    canvas.setAttribute("aria-label",
      `${SPOKEN[name]}: ${n} by ${n} entries, ${signed ? `from ${scientific(-size)} to` : "from 0 to"} ${scientific(size)} in size`);
  }

  return {
    name, node,
    paint: (values: Float64Array, n: number, scale: Scale) => memo.keep("painted", [values, scale], () => repaint(values, n, scale)),
    show(values: Float64Array, tolerance: number): void {
      const n = values.length;
      rank.set(numericalRank(values, tolerance));
      // An error of 1e-15 of the largest value moves a value at NumPy's tolerance by a few hundredths.
      const onLine = nearestToLine(values, tolerance) < 1 + 4e-15 / tolerance;
      of.textContent = ` of ${n}${onLine ? " ± 1" : ""}`;
      of.title = onLine ? "a singular value lies on the tolerance: rounding decides whether it counts" : "";
      effective.set(effectiveRank(values));
      stable.set(stableRank(values));
      largest.set(values[0]);
      smallest.set(values[n - 1] / values[0]);
    },
  };
}

export function mapsView(results: Results): Part {
  const figures = MAP_NAMES.map(mapFigure);
  const waiting = h("p", { class: "fe-waiting" }, "The trained queries, keys and kernels have not arrived yet.");
  const row = h("div", { class: "fe-rank-maps" }, ...figures.map(({ node }) => node));
  const scales = [scaleFor(false), scaleFor(true)];

  const memo = new Memo();
  function update(): void {
    waiting.hidden = results.now !== null;
    row.hidden = results.now === null;
    if (!results.now) return;
    const dark = isDark(row);
    for (const figure of figures) figure.paint(results.now.maps[figure.name], results.now.n, scales[Number(dark)]);
    const { found } = results;
    if (!found) return;
    const tolerance = results.tolerance(found.of.n);
    memo.keep("read", results.shown, () => figures.forEach((figure) => figure.show(found.findings.spectra[figure.name], tolerance)));
  }

  return { node: h("div", {}, waiting, row), update };
}
