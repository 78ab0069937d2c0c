// The four maps as pictures, each with its colour bar and what is read off its spectrum.
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

/** Numbers' largest size, and whether any is negative. */
function extent(values: Float64Array): { largest: number; signed: boolean } {
  let [low, high] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    if (values[i] < low) low = values[i];
    else if (values[i] > high) high = values[i];
  }
  return { largest: Math.max(high, -low), signed: low < 0 };
}

class MapFigure {
  readonly node: HTMLElement;
  private readonly canvas: HTMLCanvasElement;
  private readonly bar = h("canvas", { class: "fe-bar-scale", "aria-hidden": "true" });
  private readonly ticks = h("div", { class: "fe-bar-ticks", "aria-hidden": "true" });
  private readonly rank: Readout;
  private readonly of = h("span", { class: "fe-of" });
  private readonly figures: Record<"effective" | "stable" | "largest" | "smallest", Readout>;
  private readonly memo = new Memo();

  constructor(readonly name: MapName) {
    this.canvas = h("canvas", { role: "img", "data-kind": name, "aria-label": SPOKEN[name] });
    this.rank = new Readout(`rank_${name}`, fixed(0));
    this.rank.node.textContent = "…";
    this.figures = {
      effective: new Readout(`effective_${name}`, fixed(1)), stable: new Readout(`stable_${name}`, fixed(2)),
      largest: new Readout(`largest_${name}`, scientific),
      smallest: new Readout(`smallest_${name}`, (value) => (value < 1e-15 ? "< 10⁻¹⁵" : scientific(value))),
    };
    const row = (term: string, value: Readout) => [h("dt", {}, ...rich(term)), h("dd", {}, value.node)];
    const [title, about] = TITLES[name];
    const sign = h("span", { class: "fe-sign" }, name === "dwc" ? "+" : "=");
    this.node = h("figure", { class: `fe-${name}` },
      h("div", { class: "fe-map-title" }, h("b", {}, ...rich(title, { sign })), h("span", {}, about)), this.canvas, this.bar, this.ticks,
      h("figcaption", {},
        h("p", { class: "fe-rank" }, h("span", { class: "fe-swatch", "aria-hidden": "true" }), "rank ", this.rank.node, this.of),
        h("dl", {}, ...row("effective", this.figures.effective), ...row("stable", this.figures.stable),
          ...row("*σ*_{1}", this.figures.largest), ...row("*σ*_{N} ÷ *σ*_{1}", this.figures.smallest))));
  }

  paint(values: Float64Array, n: number, scale: Scale): void {
    this.memo.keep("painted", [values, scale], () => this.repaint(values, n, scale));
  }

  private repaint(values: Float64Array, n: number, scale: Scale): void {
    const { largest, signed } = extent(values);
    paint(this.canvas, values, n, largest, scale);
    this.canvas.classList.toggle("fe-coarse", n <= 100);
    const steps = Array.from({ length: 201 }, (_, i) => (signed ? i / 100 - 1 : i / 200));
    paint(this.bar, steps.map((t) => t * Math.abs(t)), steps.length, 1, scale);
    const marks = largest === 0 ? [0] : signed ? [-largest, -largest / 4, 0, largest / 4, largest] : [0, largest / 4, largest];
    this.ticks.replaceChildren(...marks.map((mark) => h("span", {}, scientific(mark, 2))));
    this.canvas.setAttribute("aria-label",
      `${SPOKEN[this.name]}: ${n} by ${n} entries, ${signed ? `from ${scientific(-largest)} to` : "from 0 to"} ${scientific(largest)} in size`);
  }

  show(values: Float64Array, tolerance: number): void {
    const n = values.length;
    this.rank.set(numericalRank(values, tolerance));
    // An error of 1e-15 of the largest value moves a value at NumPy's tolerance by a few hundredths.
    const onLine = nearestToLine(values, tolerance) < 1 + 4e-15 / tolerance;
    this.of.textContent = ` of ${n}${onLine ? " ± 1" : ""}`;
    this.of.title = onLine ? "a singular value lies on the tolerance: rounding decides whether it counts" : "";
    this.figures.effective.set(effectiveRank(values));
    this.figures.stable.set(stableRank(values));
    this.figures.largest.set(values[0]);
    this.figures.smallest.set(values[n - 1] / values[0]);
  }
}

export function mapsView(results: Results): Part {
  const figures = MAP_NAMES.map((name) => new MapFigure(name));
  const waiting = h("p", { class: "fe-waiting" }, "The trained queries, keys and kernels have not arrived yet.");
  const row = h("div", { class: "fe-rank-maps" }, ...figures.map((figure) => figure.node));
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
