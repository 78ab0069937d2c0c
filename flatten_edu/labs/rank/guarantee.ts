// What is guaranteed of the sum's rank, what was found, and both sides of the determinant lemma.
import { fixed, h, Memo, minus, Readout, rich, scientific, type Part } from "../frame";
import { numericalRank } from "../frame/maths/rank_spectrum";
import type { Determinant } from "../frame/maths/rank_lemma";
import type { Results } from "./results";

export interface Bounds {
  linear: number;
  dwc: number;
  sum: number;
  low: number;
  high: number;
}

/** Ranks by NumPy's tolerance, and what they guarantee: twin of `rank_guarantee`'s bounds. */
export function bounds(linear: Float64Array, dwc: Float64Array, sum: Float64Array): Bounds {
  const [a, m] = [numericalRank(linear), numericalRank(dwc)];
  return { linear: a, dwc: m, sum: numericalRank(sum), low: Math.abs(m - a), high: Math.min(dwc.length, a + m) };
}

class Bar {
  private readonly fill = h("span", { class: "fe-rank-fill" });
  private readonly range = h("span", { class: "fe-rank-range" });
  private readonly value = h("span", { class: "fe-rank-value" });
  readonly node: HTMLElement;

  constructor(name: string, label: string) {
    this.node = h("div", { class: `fe-rank-bar fe-${name}` },
      h("span", { class: "fe-rank-label" }, ...rich(label)), h("span", { class: "fe-rank-track" }, this.range, this.fill), this.value);
  }

  set(rank: number, n: number, from = 0, to = 0): void {
    this.fill.style.setProperty("--to", String(rank / n));
    this.range.style.setProperty("--from", String(from / n));
    this.range.style.setProperty("--to", String(to / n));
    this.value.textContent = String(rank);
  }
}

/** `lemma` is a table for who wants the determinants too. */
export function guaranteeView(results: Results): Part & { lemma: HTMLElement } {
  const bars = {
    linear: new Bar("linear", "rank *A*"), dwc: new Bar("dwc", "rank *M*_{DWC}"), equivalent: new Bar("equivalent", "rank *M*_{eq}"),
  };
  const [most, low, high] = ["linear", "low", "high"].map((name) => new Readout(`bound_${name}`, fixed(0)));
  const lemma = lemmaTable();
  const memo = new Memo();
  return {
    node: h("div", { class: "fe-guarantee" },
      h("p", { class: "fe-heading" }, "What is guaranteed"),
      ...Object.values(bars).map((bar) => bar.node),
      h("p", { class: "fe-note" }, h("span", { class: "fe-range-key", "aria-hidden": "true" }), ...rich(
        "proved: rank *A* ≤ min(N, *d*) = {most} and {low} = |rank *M*_{DWC} − rank *A*| ≤ rank *M*_{eq} ≤ {high}",
        { most: most.node, low: low.node, high: high.node }))),
    lemma: lemma.node,
    update: () => void (results.found && memo.keep("shown", results.shown, () => show(results.found!))),
  };

  function show({ of, findings: { spectra } }: NonNullable<Results["found"]>): void {
    const b = bounds(spectra.linear, spectra.dwc, spectra.equivalent);
    const ceiling = Math.min(of.n, of.setting.d);
    bars.linear.set(b.linear, of.n, 0, ceiling);
    bars.dwc.set(b.dwc, of.n);
    bars.equivalent.set(b.sum, of.n, b.low, b.high);
    [most, low, high].forEach((readout, i) => readout.set([ceiling, b.low, b.high][i]));
    lemma.show(results, b);
  }
}

class Row {
  private readonly sign = h("td");
  private readonly log: Readout;
  readonly node: HTMLElement;

  constructor(name: string, label: string, parts: Record<string, Node> = {}) {
    this.log = new Readout(`log10_${name}`, (value) => minus(value.toFixed(6)));
    this.node = h("tr", { "data-row": name }, h("th", { scope: "row" }, ...rich(label, parts)), this.sign, h("td", {}, this.log.node));
  }

  set({ sign, log10 }: Determinant, zero = false): void {
    this.sign.textContent = zero ? "" : sign > 0 ? "+" : "−";
    this.sign.dataset.sign = String(zero ? 0 : sign);
    this.log.set(zero ? -Infinity : log10);
    if (zero) this.log.node.textContent = "0, to rounding";
  }
}

function lemmaTable(): { node: HTMLElement; show(results: Results, bounds: Bounds): void } {
  const size = h("sub");
  const rows = {
    dwc: new Row("dwc", "det(*M*_{DWC})"), small: new Row("small", "det({I} + Wᵀ*M*_{DWC}^{−1}U)", { I: h("span", {}, "I", size) }),
    product: new Row("product", "their product"), sum: new Row("sum", "det(*M*_{eq})"),
  };
  const gap = new Readout("lemma_gap", (value) => (value < 1e-15 ? "the last digit" : scientific(value)));
  const agreement = h("p", { class: "fe-note" });
  const table = h("table", { class: "fe-table" },
    h("thead", {}, h("tr", {}, ...["determinant lemma", "sign", "log₁₀|det|"].map((title) => h("th", { scope: "col" }, title)))),
    h("tbody", {}, ...Object.values(rows).map((row) => row.node)));
  const node = h("div");
  const says = (text: string) => agreement.replaceChildren(...rich(text, { gap: gap.node }));
  return {
    node,
    show(results, { dwc, sum }) {
      const { of, findings: { lemma } } = results.found!;
      node.replaceChildren(...(lemma ? [table] : []), agreement);
      if (!lemma) return says(`The determinant lemma needs an invertible *M*_{DWC}; this one has rank ${dwc}.`);
      const zero = sum < of.n;
      const product = { sign: lemma.dwc.sign * lemma.small.sign, log10: lemma.dwc.log10 + lemma.small.log10 };
      size.textContent = String(of.setting.d);
      rows.dwc.set(lemma.dwc);
      rows.small.set(lemma.small, zero);
      rows.product.set(product, zero);
      rows.sum.set(lemma.sum, zero);
      gap.set(zero ? NaN : Math.abs(product.log10 - lemma.sum.log10));
      says(zero ? "The factor of *d* rows is zero, and so is det(*M*_{eq})."
        : "Both ways to det(*M*_{eq}) agree to {gap}. It is not zero: the sum is invertible.");
    },
  };
}
