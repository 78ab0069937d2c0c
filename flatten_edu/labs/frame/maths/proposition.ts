// Twins of flatten_edu.analysis.proposition: what Proposition 1 says about a pair, and where it does not hold.
import { angleDegrees, dot, factors, LARGEST_P, largestCoordinate, unit, type Vector } from "./attention";

const PER_OCTAVE = 64;
const TOLERANCE = 1e-9;
const SCAN = factors(PER_OCTAVE);

export interface Verdict {
  case: "same" | "different" | "tie" | "parallel" | "orthogonal";
  limit: number | null;
  fails: [number, number][];
  holdsFrom: number | null;
  worstP: number | null;
  worstDegrees: number | null;
}

/** The unit vector of f_p(x), for x >= 0 that is not zero. */
export const direction = (x: Vector, p: number) => unit(byLargest(x).map((entry) => entry ** p));

/** Twin of `focused_cosine`: NaN with a zero vector. */
export const focusedCosine = (x: Vector, y: Vector, p: number) => Math.min(dot(direction(x, p), direction(y, p)), 1);

const focusedAngle = (x: Vector, y: Vector, p: number) => angleDegrees(direction(x, p), direction(y, p));

/** Twin of `proposition`; a zero vector counts as a tie, for a reader may pass through it. */
export function proposition(x: Vector, y: Vector): Verdict {
  const silent = { fails: [], holdsFrom: null, worstP: null, worstDegrees: null };
  const [m, n] = [largestCoordinate(x), largestCoordinate(y)];
  if (m < 0 || n < 0) return { case: "tie", limit: null, ...silent };
  if (m === n && parallel(x, y)) return { case: "parallel", limit: 1, ...silent };
  if (m !== n && !Array.from(x).some((entry, i) => entry > 0 && y[i] > 0)) return { case: "orthogonal", limit: 0, ...silent };
  const measure = m === n ? focusedAngle : focusedCosine;
  const values = SCAN.map((p) => measure(x, y, p));
  const failing = values.map((value, i) => i > 0 && value >= values[0]);
  const fails = runs(failing, (p) => measure(x, y, p) >= values[0]);
  const worst = fails.length ? SCAN[failing.reduce((best, fail, i) => (fail && !(values[i] <= values[best] && failing[best]) ? i : best), 0)] : null;
  return {
    case: m === n ? "same" : "different",
    limit: m === n ? 1 : 0,
    fails,
    holdsFrom: !fails.length ? 1 : failing.at(-1) ? null : fails.at(-1)![1],
    worstP: worst,
    worstDegrees: worst === null ? null : focusedAngle(x, y, worst),
  };
}

function runs(failing: boolean[], fails: (p: number) => boolean): Verdict["fails"] {
  const found: Verdict["fails"] = [];
  let start: number | null = null;
  for (let i = 1; i < SCAN.length; i++) {
    if (failing[i] && start === null) start = i === 1 ? 1 : boundary(fails, SCAN[i - 1], SCAN[i]);
    else if (start !== null && !failing[i]) {
      found.push([start, boundary(fails, SCAN[i - 1], SCAN[i])]);
      start = null;
    }
  }
  return start === null ? found : [...found, [start, LARGEST_P]];
}

function boundary(fails: (p: number) => boolean, from: number, to: number): number {
  let [low, high] = [from, to];
  const atLow = fails(low);
  while (high - low > TOLERANCE * high) {
    const middle = (low + high) / 2;
    if (fails(middle) === atLow) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function parallel(x: Vector, y: Vector): boolean {
  const other = byLargest(y);
  return byLargest(x).every((entry, i) => Math.abs(entry - other[i]) <= 1e-12);
}

/** Each entry divided by the largest. */
export function byLargest(x: Vector): number[] {
  const entries = Array.from(x);
  const largest = Math.max(...entries);
  return entries.map((entry) => entry / largest);
}
