// What is guaranteed of the sum's rank, what was found, and both sides of the determinant lemma.
import { fixed, h, Readout, type Child } from "../frame/dom";
import type { View } from "../frame/model";
import { numericalRank } from "../frame/maths/rank_spectrum";
import type { Determinant } from "../frame/maths/rank_lemma";
import { logarithm, scientific } from "./format";
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

const symbol = (name: string, index?: string): Child[] => [h("i", {}, name), ...(index ? [h("sub", {}, index)] : [])];

class Bar {
  private readonly fill = h("span", { class: "fe-rank-fill" });
  private readonly range = h("span", { class: "fe-rank-range" });
  private readonly value = h("span", { class: "fe-rank-value" });
  readonly node: HTMLElement;

  constructor(name: string, label: Child[]) {
    this.node = h("div", { class: `fe-rank-bar fe-${name}` },
      h("span", { class: "fe-rank-label" }, ...label), h("span", { class: "fe-rank-track" }, this.range, this.fill), this.value);
  }

  set(rank: number, n: number, from = 0, to = 0): void {
    this.fill.style.setProperty("--to", String(rank / n));
    this.range.style.setProperty("--from", String(from / n));
    this.range.style.setProperty("--to", String(to / n));
    this.value.textContent = String(rank);
  }
}

export function guaranteeView(results: Results): View & { node: HTMLElement } {
  const bars = {
    linear: new Bar("linear", ["rank ", ...symbol("A")]), dwc: new Bar("dwc", ["rank ", ...symbol("M", "DWC")]),
    equivalent: new Bar("equivalent", ["rank ", ...symbol("M", "eq")]),
  };
  const most = new Readout("bound_linear", fixed(0));
  const low = new Readout("bound_low", fixed(0));
  const high = new Readout("bound_high", fixed(0));
  const lemma = lemmaTable();
  let shown = "";
  return {
    node: h("div", { class: "fe-guarantee" },
      h("p", { class: "fe-heading" }, "What is guaranteed"),
      ...Object.values(bars).map((bar) => bar.node),
      h("p", { class: "fe-note" }, h("span", { class: "fe-range-key", "aria-hidden": "true" }), "proved: rank ", ...symbol("A"),
        " ≤ min(N, ", ...symbol("d"), ") = ", most.node, " and ", low.node, " = |rank ", ...symbol("M", "DWC"), " − rank ",
        ...symbol("A"), "| ≤ rank ", ...symbol("M", "eq"), " ≤ ", high.node),
      lemma.node),
    update() {
      if (!results.found || shown === results.stamp) return;
      shown = results.stamp;
      const { of, findings } = results.found;
      const b = bounds(findings.spectra.linear, findings.spectra.dwc, findings.spectra.equivalent);
      const ceiling = Math.min(of.n, of.setting.d);
      bars.linear.set(b.linear, of.n, 0, ceiling);
      most.set(ceiling);
      bars.dwc.set(b.dwc, of.n);
      bars.equivalent.set(b.sum, of.n, b.low, b.high);
      low.set(b.low);
      high.set(b.high);
      lemma.show(results, b);
    },
  };
}

class Row {
  private readonly sign: Child & HTMLElement = h("td", {});
  private readonly log: Readout;
  readonly node: HTMLElement;

  constructor(private readonly name: string, label: Child[]) {
    this.log = new Readout(`log10_${name}`, logarithm);
    this.node = h("tr", {}, h("th", { scope: "row" }, ...label), this.sign, h("td", {}, this.log.node));
  }

  set({ sign, log10 }: Determinant, zero = false): void {
    this.sign.textContent = zero ? "" : sign > 0 ? "+" : "−";
    this.sign.dataset.sign = String(zero ? 0 : sign);
    this.log.set(zero ? -Infinity : log10);
    if (zero) this.log.node.textContent = "0, to rounding";
    this.node.dataset.row = this.name;
  }
}

function lemmaTable(): { node: HTMLElement; show(results: Results, bounds: Bounds): void } {
  const size = h("sub", {});
  const det = (...inside: Child[]) => ["det(", ...inside, ")"];
  const rows = {
    dwc: new Row("dwc", det(...symbol("M", "DWC"))),
    small: new Row("small", det("I", size, " + Wᵀ", ...symbol("M", "DWC"), h("sup", {}, "−1"), "U")),
    product: new Row("product", ["their product"]),
    sum: new Row("sum", det(...symbol("M", "eq"))),
  };
  const gap = new Readout("lemma_gap", (value) => (value < 1e-15 ? "the last digit" : scientific(value)));
  const agreement = h("p", { class: "fe-note" });
  const table = h("table", { class: "fe-table" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "determinant lemma"), h("th", { scope: "col" }, "sign"), h("th", { scope: "col" }, "log₁₀|det|"))),
    h("tbody", {}, ...Object.values(rows).map((row) => row.node)));
  const node = h("div", {});
  return {
    node,
    show(results, { dwc, sum }) {
      const { of, findings: { lemma } } = results.found!;
      node.replaceChildren(...(lemma ? [table] : []), agreement);
      if (!lemma) return agreement.replaceChildren("The determinant lemma needs an invertible ", ...nodes(symbol("M", "DWC")), `; this one has rank ${dwc}.`);
      const zero = sum < of.n;
      const product = { sign: lemma.dwc.sign * lemma.small.sign, log10: lemma.dwc.log10 + lemma.small.log10 };
      size.textContent = String(of.setting.d);
      rows.dwc.set(lemma.dwc);
      rows.small.set(lemma.small, zero);
      rows.product.set(product, zero);
      rows.sum.set(lemma.sum, zero);
      gap.set(zero ? NaN : Math.abs(product.log10 - lemma.sum.log10));
      agreement.replaceChildren(...nodes(zero
        ? ["The factor of ", ...symbol("d"), " rows is zero, and so is det(", ...symbol("M", "eq"), ")."]
        : ["Both ways to det(", ...symbol("M", "eq"), ") agree to ", gap.node, ". It is not zero: the sum is invertible."]));
    },
  };
}

const nodes = (children: Child[]) => children.filter((child) => child !== null);
