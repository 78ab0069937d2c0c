// The traits of the lab `sharpness` (Python: SharpnessLab), and what its views compute from them.
import { asMatrix, matrixOf, rowsOf, tensorsOf, type LabModel, type Memo } from "../frame";
import { entropyBits, focusedMap, linearWeights, top1Share, type Vector } from "../frame/maths/attention";
import { crossingScale, scaledSoftmaxWeights } from "../frame/maths/sharpness";
import EXAMPLES from "./examples.json";

export interface SharpnessTraits {
  example: "issue" | "figure" | "trained" | "own";
  scale: number;
  p: number;
  divide: boolean;
  row: number;
  q: DataView | null;
  k: DataView | null;
  sets: { name: string; n: number; d: number }[];
  rows: DataView | null;
}

export type SharpnessModel = LabModel<SharpnessTraits>;

export interface QueryAndKeys { q: Vector; keys: readonly Vector[] }

const chosenSet = (model: SharpnessModel) => Math.min(model.get("row"), model.get("sets").length - 1);

/** An example's numbers; cut into rows only when the bytes are others than before. Null where they are not here, or do not fit. */
export function readExample(model: SharpnessModel, memo: Memo): QueryAndKeys | null {
  const example = model.get("example");
  if (example === "own") return memo.keep("own", [model.get("q"), model.get("k")], () => ownRows(model));
  if (example === "trained") return memo.keep("trained", [model.get("rows"), chosenSet(model)], () => trainedRow(model));
  return { q: EXAMPLES[example].q, keys: EXAMPLES[example].k };
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

export const TITLES = { softmax: "softmax", relu: "ReLU", focused: "focused" };
export type Kind = keyof typeof TITLES;

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
