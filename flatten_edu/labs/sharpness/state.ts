// The traits of the lab `sharpness` (Python: SharpnessLab), and what its views compute from them.
import { formatP } from "../frame/numbers";
import { entropyBits, focusedMap, linearWeights, top1Share, type Vector } from "../frame/maths/attention";
import { crossingScale, scaledSoftmaxWeights } from "../frame/maths/sharpness";
import { asMatrix, matrixOf, rowsOf, tensorsOf } from "../frame/tensors";
import type { LabModel } from "../frame/model";

export interface RowSet { name: string; n: number; d: number }

export interface SharpnessTraits {
  example: "issue" | "figure" | "trained" | "own";
  scale: number;
  p: number;
  divide: boolean;
  row: number;
  q: DataView | null;
  k: DataView | null;
  sets: RowSet[];
  rows: DataView | null;
  step: number;
}

export type SharpnessModel = LabModel<SharpnessTraits>;

export interface QueryAndKeys { q: Vector; keys: readonly Vector[] }

/** Issue 4 of the authors' repository: the keys are the whole numbers from 1 to 8 that its seed draws. */
const ISSUE: QueryAndKeys = {
  q: [1, 2, 4, 9],
  keys: [[4, 7, 8, 1], [7, 1, 7, 8], [8, 2, 4, 5], [6, 1, 1, 8], [7, 5, 7, 2]],
};
const FIGURE: QueryAndKeys = { q: [0.39, 0.94], keys: [[0.43, 0.86], [0.55, 0.3], [0.97, 0.32], [0.85, 0.14]] };
export const EXAMPLES = { issue: ISSUE, figure: FIGURE };

export const chosenSet = (model: SharpnessModel) => Math.min(model.get("row"), model.get("sets").length - 1);

/** Reads an example's numbers once: bytes are cut into rows only when they are others than before. */
export class Reader {
  private from: unknown[] = [];
  private read: QueryAndKeys | null = null;

  /** Null where the numbers have not arrived, or do not fit. */
  get(model: SharpnessModel): QueryAndKeys | null {
    const example = model.get("example");
    if (example === "issue" || example === "figure") return EXAMPLES[example];
    const from = example === "own" ? [model.get("q"), model.get("k")] : [model.get("rows"), chosenSet(model)];
    if (from.some((part, i) => part !== this.from[i])) {
      this.from = from;
      this.read = example === "own" ? ownRows(model) : trainedRow(model);
    }
    return this.read;
  }
}

function ownRows(model: SharpnessModel): QueryAndKeys | null {
  const [q, k] = [model.get("q"), model.get("k")].map((view) => view && matrixOf(view));
  return q && k && q.columns === k.columns ? { q: rowsOf(q)[0], keys: rowsOf(k) } : null;
}

function trainedRow(model: SharpnessModel): QueryAndKeys | null {
  const found = tensorsOf(model.get("rows")).get(model.get("sets")[chosenSet(model)]?.name);
  if (!found) return null;
  const [q, ...keys] = rowsOf(asMatrix(found));
  return { q, keys };
}

export const KINDS = ["softmax", "relu", "focused"] as const;
export type Kind = (typeof KINDS)[number];

export interface Row { weights: number[]; entropy: number; top1: number; crossing: number }
export type Rows = Record<Kind, Row>;

/** The query's row by each kind, with q and every key multiplied by the scale; where softmax crosses the others. */
export function rowsAt({ q, keys }: QueryAndKeys, scale: number, p: number, divide: boolean): Rows {
  const times = (x: Vector) => Array.from(x, (entry) => entry * scale);
  const linear = (power: number) => linearWeights(focusedMap(times(q), power), keys.map((key) => focusedMap(times(key), power)));
  const row = (weights: number[], crosses: boolean): Row => {
    const entropy = entropyBits(weights);
    return { weights, entropy, top1: top1Share(weights), crossing: crosses ? crossingScale(q, keys, entropy, divide) : NaN };
  };
  return { softmax: row(scaledSoftmaxWeights(q, keys, scale, divide), false), relu: row(linear(1), true), focused: row(linear(p), true) };
}

export const title = (kind: Kind, p: number) => ({ softmax: "softmax", relu: "ReLU, p = 1", focused: `focused, p = ${formatP(p)}` })[kind];

/** A scale as a reader would write it: 1/8, 0.35, 2. */
export const formatScale = (scale: number) =>
  scale < 1 && Number.isInteger(1 / scale) ? `1/${1 / scale}` : String(Number(scale.toPrecision(2)));
