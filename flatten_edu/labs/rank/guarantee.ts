// What is guaranteed of the sum's rank, what was found, and both sides of the determinant lemma.
import { fixed, h, Memo, minus, Readout, rich, scientific, tableHead, type Part } from "../frame";
import { numericalRank } from "../frame/maths/rank_spectrum";
import type { Determinant } from "../frame/maths/rank_lemma";
import type { Results } from "./results";

export type Bounds = ReturnType<typeof bounds>;

/** Ranks by NumPy's tolerance, and what they guarantee: twin of `rank_guarantee`'s bounds. */
export function bounds(linear: Float64Array, dwc: Float64Array, sum: Float64Array) {
  const [a, m] = [numericalRank(linear), numericalRank(dwc)];
  return { linear: a, dwc: m, sum: numericalRank(sum), low: Math.abs(m - a), high: Math.min(dwc.length, a + m) };
}

function rankBar(name: string, label: string) {
  const [fill, range, value] = ["fill", "range", "value"].map((part) => h("span", { class: `fe-rank-${part}` }));
  return {
    node: h("div", { class: `fe-rank-bar fe-${name}` },
      h("span", { class: "fe-rank-label" }, ...rich(label)), h("span", { class: "fe-rank-track" }, range, fill), value),
    set(rank: number, n: number, from = 0, to = 0): void {
      fill.style.setProperty("--to", String(rank / n));
      range.style.setProperty("--from", String(from / n));
      range.style.setProperty("--to", String(to / n));
      value.textContent = String(rank);
    },
  };
}

/** `lemma` is a table for who wants the determinants too. */
export function guaranteeView(results: Results): Part & { lemma: HTMLElement } {
  const bars = {
    linear: rankBar("linear", "rank *A*"), dwc: rankBar("dwc", "rank *M*_{DWC}"), equivalent: rankBar("equivalent", "rank *M*_{eq}"),
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

function determinantRow(name: string, label: string, parts: Record<string, Node> = {}) {
  const sign = h("td");
  const log = new Readout(`log10_${name}`, (value) => minus(value.toFixed(6)));
  return {
    node: h("tr", { "data-row": name }, h("th", { scope: "row" }, ...rich(label, parts)), sign, h("td", {}, log.node)),
    set(found: Determinant, zero = false): void {
      sign.textContent = zero ? "" : found.sign > 0 ? "+" : "−";
      sign.dataset.sign = String(zero ? 0 : found.sign);
      log.set(zero ? -Infinity : found.log10);
      if (zero) log.node.textContent = "0, to rounding";
    },
  };
}

function lemmaTable() {
  const size = h("sub");
  const rows = {
    dwc: determinantRow("dwc", "det(*M*_{DWC})"), small: determinantRow("small", "det({I} + Wᵀ*M*_{DWC}^{−1}U)", { I: h("span", {}, "I", size) }),
    product: determinantRow("product", "their product"), sum: determinantRow("sum", "det(*M*_{eq})"),
  };
  const gap = new Readout("lemma_gap", (value) => (value < 1e-15 ? "the last digit" : scientific(value)));
  const agreement = h("p", { class: "fe-note" });
  const table = h("table", { class: "fe-table" },
    tableHead("determinant lemma", "sign", "log₁₀|det|"), h("tbody", {}, ...Object.values(rows).map((row) => row.node)));
  const node = h("div");
  const says = (text: string) => agreement.replaceChildren(...rich(text, { gap: gap.node }));
  return {
    node,
    show(results: Results, { dwc, sum }: Bounds): void {
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
