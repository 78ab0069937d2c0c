// The figures of the pair at p = 1 and now, and in a sentence what the proposition makes of it.
import { fixed, h, Readout } from "../frame/dom";
import { formatP } from "../frame/numbers";
import { summary } from "../frame/summary";
import type { View } from "../frame/model";
import type { Verdict } from "../frame/maths/proposition";
import { figures, pOf, type VerdictCache, type ProofModel } from "./state";

export function table(model: ProofModel, verdicts: VerdictCache): View & { node: HTMLElement } {
  const row = (name: string, format: (value: number) => string) => [new Readout(`${name}_first`, format), new Readout(name, format)];
  const rows = { cosine: row("cosine", fixed(4)), angle: row("angle", fixed(1, "°")), inner: row("inner", fixed(4)) };
  const titles = { cosine: "cosine", angle: "angle", inner: "inner product" };
  const head = h("th", { scope: "col" });
  const change = h("td", { class: "fe-change" });
  const holdsFrom = new Readout("holds_from", pOf);
  const worst = { p: new Readout("worst_p", (p) => p.toPrecision(2)), degrees: new Readout("worst_degrees", fixed(1, "°")) };
  const worstRow = h("tr", {}, h("th", { scope: "row", colspan: 3 }, "fails worst near ", h("i", {}, "p"), " = ", worst.p.node, ", at"),
    h("td", {}, worst.degrees.node));
  const node = h("table", { class: "fe-table" },
    h("thead", {}, h("tr", {}, h("td", {}), h("th", { scope: "col" }, h("i", {}, "p"), " = 1"), head, h("td", {}))),
    h("tbody", {}, ...(Object.keys(rows) as (keyof typeof rows)[]).map((name) =>
      h("tr", {}, h("th", { scope: "row" }, titles[name]), ...rows[name].map((readout) => h("td", {}, readout.node)), name === "angle" ? change : h("td", {})))),
    h("tfoot", {}, h("tr", {}, h("th", { scope: "row", colspan: 3 }, "holds, up to ", h("i", {}, "p"), " = 256, from"),
      h("td", {}, holdsFrom.node)), worstRow));
  return {
    node,
    update() {
      const now = figures(model);
      for (const name of ["cosine", "angle", "inner"] as const) {
        rows[name][0].set(now[name].first);
        rows[name][1].set(now[name].now);
      }
      head.replaceChildren(h("i", {}, "p"), ` = ${formatP(model.get("p"))}`);
      const verdict = verdicts.of(model);
      change.textContent = TURN[turn(now.angle.now - now.angle.first)];
      holdsFrom.set(verdict.holdsFrom ?? NaN);
      worstRow.hidden = verdict.worstP === null;
      worst.p.set(verdict.worstP ?? NaN);
      worst.degrees.set(verdict.worstDegrees ?? NaN);
    },
  };
}

const TURN = { closer: "▼ closer", apart: "▲ apart", none: "as before", undefined: "no angle" };

/** A change that the table rounds away counts as none. */
function turn(change: number): keyof typeof TURN {
  if (Number.isNaN(change)) return "undefined";
  return Math.abs(change) < 0.05 ? "none" : change < 0 ? "closer" : "apart";
}

export function sentence(model: ProofModel, verdicts: VerdictCache): View & { node: HTMLElement } {
  return summary(() => says(model, verdicts.of(model)));
}

function says(model: ProofModel, verdict: Verdict): string {
  const zero = (["x", "y"] as const).filter((name) => model.get(name).every((entry) => entry === 0));
  if (zero.length) return `${zero.join(" and ")} ${zero.length > 1 ? "are" : "is"} zero and ${zero.length > 1 ? "have" : "has"} no direction: raise an entry.`;
  switch (verdict.case) {
    case "tie": return `${tied(model)}: the proposition leaves such vectors out. The power treats the tied entries alike, at every p.`;
    case "parallel": return "x and y point the same way at every p. No strict inequality can hold, so the proposition needs this case left out.";
    case "orthogonal": return "x and y share no positive entry, so they stay at right angles. No strict inequality can hold: this case must be left out too.";
    default: return `${claim(verdict)} ${course(verdict)}`;
  }
}

function tied(model: ProofModel): string {
  const { x, y } = figures(model).largest;
  if (x < 0 && y < 0) return "Neither vector has a single largest entry";
  return `${x < 0 ? "x" : "y"} has no single largest entry`;
}

const claim = ({ case: kind }: Verdict) => kind === "same"
  ? "Same largest entry: the proposition promises some p > 1 with a larger inner product."
  : "Different largest entries: the proposition promises some p > 1 with a smaller inner product.";

function course({ fails, holdsFrom }: Verdict): string {
  if (!fails.length) return "For this pair every p > 1 in the plot will do.";
  const spans = fails.map(([from, to]) => `${pOf(from)} < p < ${pOf(to)}`).join(" and ");
  return holdsFrom === null
    ? `In the plot there is none from p = ${pOf(fails.at(-1)![0])} on: it takes a p beyond 256.`
    : `Not every p will do: for ${spans} it is the other way round.`;
}
