// Runs the module, beside the page; the random inputs and the exact steps are kept for the next run that asks for the same.
import { focusedSteps, outputError, storedRange, type Matrix, type Steps } from "../frame/maths/focused_steps";
import { hashNoise } from "../frame/maths/noise";
import { Memo } from "../frame/memo";
import { MOST_QUERIES, type Result, type Settings } from "./state";

export interface Question { settings: Settings; own: Matrix[] | null }

export class Bench {
  private readonly memo = new Memo();

  run({ settings: { dtype, n, d, p, size, seed, wide_sums, whole, ...fixes }, own }: Question): Result {
    const inputs = own ?? this.memo.keep("drawn", [seed, n, d], () => draw(seed, n, d));
    const [q, k, v] = inputs.map(({ data, ...shape }) => ({ ...shape, data: data.map((entry: number) => entry * size) }));
    const steps = (exact: boolean) => focusedSteps(q, k, v, dtype, p, { ...fixes, wide_sums, whole }, exact);
    // Which sums are wide and what is in float32 makes no difference to the steps in float64.
    return measured(steps(false), this.memo.keep("exact", [inputs, dtype, p, size, ...Object.values(fixes)], () => steps(true)));
  }
}

function measured(stored: Steps, exact: Steps): Result {
  const tensors = Object.keys(stored).map((name) => {
    const { smallest: from, largest: to } = storedRange(exact[name], exact[name]);
    return [name, { ...storedRange(stored[name], exact[name]), from, to }] as const;
  });
  return { tensors: Object.fromEntries(tensors), error: outputError(stored.out, exact.out) };
}

/** q, k and v, of the generator's streams 2, 1 and 0. */
function draw(seed: number, n: number, d: number): Matrix[] {
  return [Math.min(n, MOST_QUERIES), n, n].map((rows, i) =>
    ({ rows, columns: d, data: Float32Array.from(hashNoise(seed, 2 - i, rows, d)) }));
}
