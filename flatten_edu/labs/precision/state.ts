// The traits of the lab `precision` (Python: PrecisionLab), and the work that they ask for.
import type { Fixes, Matrix, StoredRange } from "../frame/maths/focused_steps";
import type { Format } from "../frame/maths/rounding";
import { matrixOf, type LabModel } from "../frame";

export interface PrecisionTraits extends Fixes {
  dtype: Format;
  n: number;
  d: number;
  p: number;
  size: number;
  seed: number;
  source: "random" | "own";
  q: DataView | null;
  k: DataView | null;
  v: DataView | null;
}

/** What the work depends on, but for the reader's own tensors. */
export type Settings = Fixes & Pick<PrecisionTraits, "dtype" | "n" | "d" | "p" | "size" | "seed">;
export type PrecisionModel = LabModel<PrecisionTraits>;

/** So many queries are followed; the sums run over all tokens. */
export const MOST_QUERIES = 196;

/** By tensor: what the format made of it, and the range that it ought to have. */
export interface Result { tensors: Record<string, StoredRange & { from: number; to: number }>; error: number }

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
