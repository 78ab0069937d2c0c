// What is read off a record: exponents, crossovers, and how sure they are.
import { max } from "d3-array";
import { bootstrap, crossover, fitPowerLaw, middle, type Interval, type Times, type Series } from "../frame/maths/power_law";
import { drawnAs, partsOf, seriesOf, type TimingRecord } from "./record";

/** Slopes are fitted from here on: below it, what a call costs bends the lines. */
export const FIT_FROM = 196;

/** The variants that are drawn, by their names in a record; those of Python's bench hold more. */
export const DRAWN = ["softmax_written_out", "softmax", "relu", "focused"] as const;
export type Drawn = (typeof DRAWN)[number];
export const NAMES: Record<Drawn, string> = {
  softmax_written_out: "softmax, written out", softmax: "softmax, fused (SDPA)", relu: "linear, ReLU", focused: "focused",
};
export const SHORT: Record<Drawn, string> = { softmax_written_out: "softmax", softmax: "SDPA", relu: "ReLU", focused: "focused" };

/** Which variant may pass which. */
export const CROSSINGS = (["softmax_written_out", "softmax"] as const).flatMap((slow) => (["relu", "focused"] as const).map((fast) => ({ slow, fast })));

export interface Findings {
  part: string;
  series: Partial<Record<Drawn, Series>>;
  laws: Partial<Record<Drawn, Interval & { exponent: number }>>;
  /** By "relu softmax_written_out": from which N on the first takes less time than the second. */
  crossings: Record<string, Interval & { n: number }>;
  /** Variants that the record holds and the lab does not draw. */
  others: string[];
  /** Points that failed, each in a few words. */
  failures: string[];
}

const known = new WeakMap<TimingRecord, Findings>();

export function findingsOf(record: TimingRecord): Findings {
  if (!known.has(record)) known.set(record, find(record));
  return known.get(record)!;
}

function find(record: TimingRecord): Findings {
  // Attention's core, forward, where the record has it; else the first forward pass that it has.
  const parts = partsOf(record);
  const part = parts.find((one) => one === "core, forward") ?? parts.find((one) => one.endsWith(", forward")) ?? parts[0];
  const series: Findings["series"] = {};
  for (const variant of DRAWN) {
    const found = seriesOf(record, variant, part);
    if (found.n.length) series[variant] = found;
  }
  const others = record.points.map(({ variant }) => variant).filter((variant) => !(drawnAs(variant) in series));
  return {
    part, series, ...estimates(series), others: [...new Set(others)],
    failures: record.points.filter(({ error }) => error !== null).map(({ variant, n, error }) => `${variant} at N = ${n}: ${error}`),
  };
}

/** Exponents and crossovers, each with its interval; the repeats are drawn once for all. */
function estimates(series: Findings["series"]): Pick<Findings, "laws" | "crossings"> {
  const drawn = DRAWN.filter((variant) => series[variant]);
  const pairs = CROSSINGS.filter(({ slow, fast }) => series[slow] && series[fast]);
  const of = (all: readonly Times[]) => {
    const at = (variant: Drawn) => all[drawn.indexOf(variant)];
    return [
      ...all.map(({ n, seconds }) => fitPowerLaw(n, seconds, FIT_FROM).exponent),
      ...pairs.map(({ slow, fast }) => crossover(at(slow), at(fast))),
    ];
  };
  const all = drawn.map((variant) => series[variant]!);
  const [found, intervals] = [of(all.map(middle)), bootstrap(all, of)];
  const laws = drawn.map((variant, i) => [variant, { exponent: found[i], ...intervals[i] }]);
  const crossings = pairs.map(({ slow, fast }, i) => [`${fast} ${slow}`, { n: found[drawn.length + i], ...intervals[drawn.length + i] }] as const)
    .filter(([, { n }]) => !Number.isNaN(n));
  return { laws: Object.fromEntries(laws), crossings: Object.fromEntries(crossings) };
}

/** How many times longer `slow` takes than `fast`, at the largest N that both have. */
export function lead({ series }: Findings, slow: Drawn, fast: Drawn): { n: number; times: number } | null {
  const [one, other] = [series[slow], series[fast]];
  const n = one && other && max(one.n.filter((value) => other.n.includes(value)));
  if (!one || !other || !n) return null;
  const at = (of: Series) => middle(of).seconds[of.n.indexOf(n)];
  return { n, times: at(one) / at(other) };
}
