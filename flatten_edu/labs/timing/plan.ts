// Which sample is next: rounds over all points, so that a machine that slows down or speeds up does so for all alike.
// All follows from what is measured, so a run that was stopped goes on where it was, and a larger budget adds points.
import { median } from "../frame/maths/power_law";
import { TOKENS, VARIANTS, type Variant } from "./backend";
import type { TimingRecord } from "./record";

export const REPEATS = 7;

interface Cell { variant: Variant; n: number }

/** `cost` is what one sample takes, in seconds: measured, or guessed from the point before. */
interface Planned extends Cell { samples: number; cost: number }

/** What is to be measured within a budget of seconds: measured points, and by rising N those that still fit. */
export function plan(record: TimingRecord, budget: number, least: number): Planned[] {
  const points = new Map(record.points.map((point) => [`${point.variant} ${point.n}`, point]));
  const at = (variant: Variant, n: number) => points.get(`${variant} ${n}`);
  const costOf = (seconds: readonly number[]) => Math.max(1.2 * least, median(seconds));
  let total = record.points.reduce((sum, { seconds }) => sum + (seconds.length ? costOf(seconds) * REPEATS : 0), 0);
  const planned: Planned[] = [];
  const last: Partial<Record<Variant, number>> = {}; // seconds of one evaluation at the N before
  const ended = new Set<Variant>();
  for (const n of TOKENS) {
    for (const variant of VARIANTS.filter((name) => !ended.has(name))) {
      const point = at(variant, n);
      if (point?.error) {
        ended.add(variant);
        continue;
      }
      const guess = last[variant] === undefined ? least : last[variant]! * (variant === "softmax_written_out" ? 4.2 : 2.1);
      const cost = point ? costOf(point.seconds) : Math.max(1.2 * least, guess);
      if (!point && total + cost * REPEATS > budget) ended.add(variant);
      else {
        if (!point) total += cost * REPEATS;
        planned.push({ variant, n, samples: point?.seconds.length ?? 0, cost });
        last[variant] = point ? median(point.seconds) : guess;
      }
    }
  }
  return planned;
}

/** The next sample; null where all is measured. */
export function next(planned: readonly Planned[]): Cell | null {
  const round = Math.min(...planned.map(({ samples }) => samples));
  if (!planned.length || round >= REPEATS) return null;
  const open = planned.filter(({ samples }) => samples === round);
  const n = Math.min(...open.map((cell) => cell.n));
  const here = open.filter((cell) => cell.n === n);
  // Another variant begins in each round: none always has the place behind the same one.
  const rank = ({ variant }: Cell) => (VARIANTS.indexOf(variant) + round) % VARIANTS.length;
  return here.reduce((a, b) => (rank(b) < rank(a) ? b : a));
}

/** Samples taken, in all, and the seconds that the rest will take. */
export function progress(planned: readonly Planned[]): { taken: number; all: number; left: number } {
  const left = planned.reduce((sum, { samples, cost }) => sum + Math.max(0, REPEATS - samples) * cost, 0);
  return { taken: planned.reduce((sum, { samples }) => sum + Math.min(samples, REPEATS), 0), all: planned.length * REPEATS, left };
}
