// What the records say, in figures: the exponents, the crossovers, and all points.
import { max, min } from "d3-array";
import { duration, h, Memo, Readout, rich, significant, small, tableHead, type Part } from "../frame";
import { median, quantile } from "../frame/maths/power_law";
import { CROSSINGS, DRAWN, findingsOf, FIT_FROM, lead, NAMES, SHORT, type Drawn, type Findings } from "./findings";
import { besideOf, type TimingModel } from "./state";

type Who = "own" | "beside";

export function figures(model: TimingModel): Part {
  const body = h("tbody");
  const node = h("table", { class: "fe-table fe-figures" },
    h("caption", {}, "Read off the points", small(...rich(`small: where 95 % of the resamples lie; slopes: from *N* = ${FIT_FROM} on`))),
    tableHead("", "yours", "beside it"), body);
  const memo = new Memo();
  return {
    node,
    update() {
      const records = [model.get("own"), besideOf(model)];
      memo.keep("rows", records, () => body.replaceChildren(...rows(records.map((record) => record && findingsOf(record)))));
    },
  };
}

type Pair = readonly (Findings | null)[];

function rows(found: Pair): HTMLElement[] {
  const has = (variant: Drawn) => found.some((one) => one?.series[variant]);
  const exponents = DRAWN.filter(has).map((variant) => row(found, `slope, ${NAMES[variant]}`,
    (one, who) => one.laws[variant] && exponentCell(one, variant, who)));
  const crossings = CROSSINGS.filter(({ slow, fast }) => found.some((one) => one?.crossings[`${fast} ${slow}`]))
    .map(({ slow, fast }) => row(found, `${SHORT[fast]} beats ${SHORT[slow]} from *N* =`,
      (one, who) => one.crossings[`${fast} ${slow}`] && crossingCell(one, slow, fast, who)));
  const leads = (["relu", "focused"] as const).map((fast) => row(found, `${SHORT[fast]}, times as fast as softmax`,
    (one, who) => lead(one, "softmax_written_out", fast) && leadCell(one, fast, who)));
  return [...crossings, ...exponents, ...leads];
}

function row(found: Pair, title: string, cell: (one: Findings, who: Who) => Node[] | null | undefined): HTMLElement {
  const cells = found.map((one, i) => h("td", {}, ...(one && cell(one, i ? "beside" : "own")) || ["–"]));
  return h("tr", {}, h("th", { scope: "row" }, ...rich(title)), ...cells);
}

function out(name: string, value: number, format: (value: number) => string): HTMLOutputElement {
  const readout = new Readout(name, format);
  readout.set(value);
  return readout.node;
}

const slope = (value: number) => value.toFixed(2);

function exponentCell({ laws }: Findings, variant: Drawn, who: Who): Node[] {
  const { exponent, low, high } = laws[variant]!;
  const name = `slope_${variant}_${who}`;
  if (Number.isNaN(exponent)) return [small(`needs two points from N = ${FIT_FROM} on`)];
  return [out(name, exponent, slope), small(out(`${name}_low`, low, slope), "–", out(`${name}_high`, high, slope))];
}

/** A crossover as text: beyond the measured N it is only known to lie there. */
export function crossingText(n: number, { series }: Findings, slow: Drawn, fast: Drawn): string {
  const common = series[slow]!.n.filter((value) => series[fast]!.n.includes(value));
  if (n === 0) return `below ${min(common)}`;
  return n === Infinity ? `beyond ${max(common)}` : n < 1000 ? String(Math.round(n)) : significant(n, 3);
}

function crossingCell(one: Findings, slow: Drawn, fast: Drawn, who: Who): Node[] {
  const { n, low, high } = one.crossings[`${fast} ${slow}`];
  const cell = (name: string, value: number) => {
    const node = out(name, value, String);
    node.textContent = crossingText(value, one, slow, fast); // infinite too
    return node;
  };
  const name = `cross_${fast}_${slow}_${who}`;
  return [cell(name, n), small(cell(`${name}_low`, low), "–", cell(`${name}_high`, high))];
}

function leadCell(one: Findings, fast: Drawn, who: Who): Node[] {
  const { n, times } = lead(one, "softmax_written_out", fast)!;
  const figure = (value: number) => significant(value, value < 100 ? 2 : 3);
  return [out(`lead_${fast}_${who}`, times, figure), small(...rich(`at *N* = ${n}`))];
}

/** All points of both records, for whoever wants the numbers; in a fold, and filled only when it is open. */
export function allPoints(model: TimingModel, signal: AbortSignal): Part {
  const holder = h("div", { class: "fe-points" });
  const node = h("details", {}, h("summary", {}, "All points as a table"), holder);
  const memo = new Memo();
  const fill = () => {
    const records = [model.get("own"), besideOf(model)];
    if (node.open) memo.keep("points", records, () => holder.replaceChildren(...records.flatMap((record, i) => (record ? [pointTable(findingsOf(record), i ? "Beside it" : "Yours")] : []))));
  };
  node.addEventListener("toggle", fill, { signal });
  return { node, update: fill };
}

function pointTable({ series, part }: Findings, title: string): HTMLElement {
  const variants = DRAWN.filter((variant) => series[variant]);
  const all = [...new Set(variants.flatMap((variant) => series[variant]!.n))].sort((a, b) => a - b);
  const cell = (variant: Drawn, n: number) => {
    const seconds = series[variant]!.seconds[series[variant]!.n.indexOf(n)];
    if (!seconds) return h("td", {}, "–");
    return h("td", {}, duration(median(seconds)), small(`${duration(quantile(seconds, 0.25))} to ${duration(quantile(seconds, 0.75))}, ${seconds.length}×`));
  };
  return h("table", { class: "fe-table" },
    h("caption", {}, `${title}: median, quartiles and number of samples (${part})`),
    tableHead(h("i", {}, "N"), ...variants.map((variant) => SHORT[variant])),
    h("tbody", {}, ...all.map((n) => h("tr", {}, h("th", { scope: "row" }, String(n)), ...variants.map((variant) => cell(variant, n))))));
}
