// Times against N: medians, power laws by least squares, where one line passes another, and how sure that is.
import { mean, quantile as d3Quantile, sum } from "d3-array";

/** Times of one variant: all repeats at each N, by rising N. */
export interface Series { n: readonly number[]; seconds: readonly (readonly number[])[] }

/** One time at each N. */
export interface Times { n: readonly number[]; seconds: readonly number[] }

/** What a share of the values lies below, with straight lines between neighbours: numpy.quantile. */
export const quantile = (values: readonly number[], share: number) => d3Quantile(values, share) ?? NaN;

export const median = (values: readonly number[]) => quantile(values, 0.5);

/** The medians of all repeats. */
export const middle = ({ n, seconds }: Series): Times => ({ n, seconds: seconds.map(median) });

/** The straight line through log(seconds) over log(n) with the least squares, over n >= `from`: seconds are
 * factor * n ** exponent; NaN for fewer than two points. */
export function fitPowerLaw(n: readonly number[], seconds: readonly number[], from = 0) {
  const kept = n.map((_, i) => i).filter((i) => n[i] >= from && seconds[i] > 0);
  const [x, y] = [n, seconds].map((values) => kept.map((i) => Math.log(values[i])));
  const [meanX, meanY] = [x, y].map((values) => mean(values) ?? NaN);
  const spread = sum(x, (value) => (value - meanX) ** 2);
  const exponent = spread > 0 ? sum(x, (value, i) => (value - meanX) * (y[i] - meanY)) / spread : NaN;
  return { exponent, factor: Math.exp(meanY - exponent * meanX), points: kept.length };
}

/** The N from which on `fast` takes less time than `slow`, at each greater N that both have.
 *
 * Between two N the lines are straight in the logarithms. 0 where `fast` is the faster one throughout, Infinity where
 * it is not at the largest N, NaN where they have no N in common.
 */
export function crossover(slow: Times, fast: Times): number {
  const times = new Map(fast.n.map((n, i) => [n, fast.seconds[i]]));
  const common = slow.n.map((n, i) => ({ n, lead: Math.log(slow.seconds[i] / times.get(n)!) })).filter(({ lead }) => !Number.isNaN(lead));
  if (common.length === 0) return NaN;
  const last = common.map(({ lead }) => lead <= 0).lastIndexOf(true);
  if (last < 0) return 0;
  if (last === common.length - 1) return Infinity;
  const [before, after] = [common[last], common[last + 1]];
  const share = before.lead / (before.lead - after.lead);
  return before.n * (after.n / before.n) ** share;
}

export interface Interval { low: number; high: number }

const RESAMPLES = 200;

/** Where each of the estimates lies in 95 of 100 cases if the repeats had fallen otherwise: bootstrap.
 *
 * Each point's repeats are drawn anew, with replacement, and `estimate` is made of the medians; what is drawn follows
 * from the seed, so the same repeats have the same intervals. Estimates that are NaN do not count.
 */
export function bootstrap(series: readonly Series[], estimate: (drawn: Times[]) => number[], seed = 1): Interval[] {
  const random = uniform(seed);
  const sorted = series.map(({ seconds }) => seconds.map((values) => Float64Array.from(values).sort()));
  const found = Array.from({ length: RESAMPLES }, () =>
    estimate(series.map(({ n }, i) => ({ n, seconds: sorted[i].map((values) => medianOfDrawn(values, random)) }))));
  return found[0].map((_, which) => {
    const values = found.map((one) => one[which]).filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
    const at = (share: number) => values[Math.round(share * (values.length - 1))] ?? NaN;
    return { low: at(0.025), high: at(0.975) };
  });
}

/** The median of as many values as there are, each drawn from all of them: by counting, since they are sorted. */
function medianOfDrawn(sorted: Float64Array, random: () => number): number {
  const count = sorted.length;
  const times = new Uint16Array(count);
  for (let i = 0; i < count; i++) times[Math.floor(random() * count)] += 1;
  const nth = (rank: number) => {
    let i = 0;
    for (let before = times[0]; before <= rank; before += times[i]) i += 1;
    return sorted[i];
  };
  return (nth((count - 1) >> 1) + nth(count >> 1)) / 2;
}

/** Numbers from 0 up to 1 from a seed (mulberry32). */
function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}
