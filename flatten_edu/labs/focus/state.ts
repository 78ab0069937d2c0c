// The traits of the lab `focus` (Python: FocusLab), and what its views compute from them.
import { angleDegrees, focusedMap, largestCoordinate, linearWeights, softmaxWeights } from "../frame/maths/attention";
import type { LabModel } from "../frame";

export type Point = [number, number];

export interface FocusTraits {
  p: number;
  q: Point;
  k: Point[];
  view: "plane" | "photo";
  patch: number;
  grid: [number, number];
  features: string;
  photo: DataView | null;
  /** q, and k where it is not q: n tokens x d each. */
  tokens: DataView | null;
}

export type FocusModel = LabModel<FocusTraits>;

export type VectorState = ReturnType<typeof vectors>[number];
export type PairState = ReturnType<typeof pair>;

const relu = (v: Point): Point => [Math.max(v[0], 0), Math.max(v[1], 0)];

/** q and the keys: their names and colours, and each before and after ReLU and f_p. */
export function vectors(model: FocusModel) {
  const p = model.get("p");
  return [model.get("q"), ...model.get("k")].map((raw, i) =>
    ({ name: i ? `k${i}` : "q", colour: i, raw, relu: relu(raw), turned: Array.from(focusedMap(raw, p)) as Point }));
}

/** The angle between q and a key after ReLU (p = 1) and after f_p, and whether they share their largest entry. */
export function pair(q: VectorState, key: VectorState) {
  const [m, n] = [largestCoordinate(q.raw), largestCoordinate(key.raw)];
  const group: "same" | "different" | "none" = m < 0 || n < 0 ? "none" : m === n ? "same" : "different";
  return { before: angleDegrees(q.relu, key.relu), after: angleDegrees(q.turned, key.turned), group };
}

/** What f_p did to a pair's angle; a change that the table rounds away counts as none. */
export function verdict({ before, after }: PairState): "closer" | "apart" | "unchanged" | "undefined" {
  if (Number.isNaN(after - before)) return "undefined";
  const turn = Number(after.toFixed(1)) - Number(before.toFixed(1));
  return turn === 0 ? "unchanged" : turn < 0 ? "closer" : "apart";
}

/** The query patch; a link may name one that this grid does not have. */
export function queryPatch(model: FocusModel): number {
  const [rows, columns] = model.get("grid");
  return Math.min(model.get("patch"), rows * columns - 1);
}

/** The kinds of attention that are compared: ReLU is p = 1. */
export const TITLES = { relu: "ReLU", focused: "focused", softmax: "softmax" };
export type Kind = keyof typeof TITLES;

export function planeWeights([q, ...keys]: VectorState[]): Record<Kind, number[]> {
  return {
    relu: linearWeights(q.relu, keys.map((k) => k.relu)),
    focused: linearWeights(q.turned, keys.map((k) => k.turned)),
    softmax: softmaxWeights(q.raw, keys.map((k) => k.raw)),
  };
}
