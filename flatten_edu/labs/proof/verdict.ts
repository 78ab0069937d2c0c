// The figures of the pair at p = 1 and now, and in a sentence what the proposition makes of it.
import { fixed, formatP, h, Readout, rich, summary, type Part } from "../frame";
import type { Verdict } from "../frame/maths/proposition";
import { figures, pOf, type ProofModel } from "./state";

export function table(model: ProofModel, verdictNow: () => Verdict): Part {
  const change = h("td", { class: "fe-change" });
  const rows = ([["cosine", "cosine", 4], ["angle", "angle", 1], ["inner", "inner product", 4]] as const).map(([name, title, digits]) => {
    const format = fixed(digits, name === "angle" ? "°" : "");
    const pair = [new Readout(`${name}_first`, format), new Readout(name, format)];
    const last = name === "angle" ? change : h("td");
    return { name, pair, node: h("tr", {}, h("th", { scope: "row" }, title), ...pair.map((one) => h("td", {}, one.node)), last) };
  });
  const head = h("th", { scope: "col" });
  const holdsFrom = new Readout("holds_from", pOf);
  const worst = { p: new Readout("worst_p", (p) => p.toPrecision(2)), degrees: new Readout("worst_degrees", fixed(1, "°")) };
  const foot = (title: string, value: Readout) => h("tr", {}, h("th", { scope: "row", colspan: 3 }, ...rich(title, { p: worst.p.node })), h("td", {}, value.node));
  const worstRow = foot("fails worst near *p* = {p}, at", worst.degrees);
  const node = h("table", { class: "fe-table" },
    h("thead", {}, h("tr", {}, h("td"), h("th", { scope: "col" }, ...rich("*p* = 1")), head, h("td"))),
    h("tbody", {}, ...rows.map((row) => row.node)),
    h("tfoot", {}, foot("holds, up to *p* = 256, from", holdsFrom), worstRow));
  return {
    node,
    update() {
      const now = figures(model);
      for (const { name, pair } of rows) {
        pair[0].set(now[name].first);
        pair[1].set(now[name].now);
      }
      head.replaceChildren(...rich(`*p* = ${formatP(model.get("p"))}`));
      const verdict = verdictNow();
      change.textContent = turn(now.angle.now - now.angle.first);
      holdsFrom.set(verdict.holdsFrom ?? NaN);
      worstRow.hidden = verdict.worstP === null;
      worst.p.set(verdict.worstP ?? NaN);
      worst.degrees.set(verdict.worstDegrees ?? NaN);
    },
  };
}

/** A change that the table rounds away counts as none. */
function turn(change: number): string {
  if (Number.isNaN(change)) return "no angle";
  return Math.abs(change) < 0.05 ? "as before" : change < 0 ? "▼ closer" : "▲ apart";
}

export const sentence = (model: ProofModel, verdictNow: () => Verdict) => summary(() => says(model, verdictNow()));

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
