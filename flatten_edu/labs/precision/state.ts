// The traits of the lab `precision` (Python: PrecisionLab), and the work that they ask for.
import { focusedSteps, outputError, storedRange, type Fixes, type Matrix, type Steps, type StoredRange } from "../frame/maths/focused_steps";
import { hashedNormals } from "../frame/maths/noise";
import type { Format } from "../frame/maths/rounding";
import { matrixOf, type LabModel } from "../frame";

export interface PrecisionTraits extends Fixes {
  dtype: Format;
  n: number;
  d: number;
  p: number;
  size: number;
  seed: number;
  /** "own": the reader's tensors. */
  source: "random" | "own";
  q: DataView | null;
  k: DataView | null;
  v: DataView | null;
  step: number;
}

/** What the work depends on, but for the reader's own tensors. */
export type Settings = Fixes & Pick<PrecisionTraits, "dtype" | "n" | "d" | "p" | "size" | "seed">;
export type PrecisionModel = LabModel<PrecisionTraits>;

/** So many queries are followed; the sums run over all tokens. */
export const MOST_QUERIES = 196;

/** The format in which the module computes. */
export const working = (model: PrecisionModel): Format => (model.get("whole") ? "fp32" : model.get("dtype"));

export interface Result {
  /** By tensor: what the format made of it, and the range that it ought to have. */
  tensors: Record<string, StoredRange & { from: number; to: number }>;
  error: number;
}

/** Runs the module, and keeps the random inputs and the exact steps for the next run that asks for the same. */
export class Bench {
  private drawn: { key: string; matrices: Matrix[] } = { key: "", matrices: [] };
  private exact: { key: string; steps: Steps } = { key: "", steps: {} };

  *run(traits: Settings, own: Matrix[] | null): Generator<void, Result> {
    const { dtype, n, d, p, size, seed, wide_sums, whole, ...fixes } = traits;
    const draws = JSON.stringify([seed, n, d]);
    if (!own && this.drawn.key !== draws) this.drawn = { key: draws, matrices: yield* draw(seed, n, d) };
    const [q, k, v] = (own ?? this.drawn.matrices).map((matrix) => scaled(matrix, size));
    yield;
    const stored = yield* focusedSteps(q, k, v, dtype, p, { ...fixes, wide_sums, whole });
    // Which sums are wide and what is in float32 makes no difference to the steps in float64.
    const key = own ? "" : JSON.stringify([draws, dtype, p, size, fixes]);
    if (!key || this.exact.key !== key) {
      this.exact = { key, steps: yield* focusedSteps(q, k, v, dtype, p, { ...fixes, wide_sums, whole }, true) };
    }
    return yield* measured(stored, this.exact.steps);
  }
}

function* measured(stored: Steps, exact: Steps): Generator<void, Result> {
  const tensors: Result["tensors"] = {};
  for (const name of Object.keys(stored)) {
    const { smallest: from, largest: to } = storedRange(exact[name], exact[name]);
    tensors[name] = { ...storedRange(stored[name], exact[name]), from, to };
    yield;
  }
  return { tensors, error: outputError(stored.out, exact.out) };
}

function* draw(seed: number, n: number, d: number): Generator<void, Matrix[]> {
  const matrices: Matrix[] = [];
  for (const [i, rows] of [Math.min(n, MOST_QUERIES), n, n].entries()) {
    matrices.push({ rows, columns: d, data: hashedNormals(3 * seed + i, rows * d) });
    yield;
  }
  return matrices;
}

const scaled = ({ data, ...shape }: Matrix, size: number): Matrix => ({ ...shape, data: data.map((entry: number) => entry * size) });

/** The reader's own q, k and v; null where one is missing or they do not fit. */
export function ownMatrices(model: PrecisionModel): Matrix[] | null {
  const [q, k, v] = (["q", "k", "v"] as const).map((name) => model.get(name) && matrixOf(model.get(name)!));
  return q && k && v && q.columns === k.columns && k.rows === v.rows ? [firstRows(q, MOST_QUERIES), k, v] : null;
}

const firstRows = ({ rows, columns, data }: Matrix, most: number): Matrix =>
  ({ rows: Math.min(rows, most), columns, data: data.slice(0, most * columns) });

export function settings(model: PrecisionModel): Settings {
  const names = ["dtype", "n", "d", "p", "size", "seed", "row_max", "over_sqrt_n", "wide_sums", "whole"] as const;
  return Object.fromEntries(names.map((name) => [name, model.get(name)])) as unknown as Settings;
}
