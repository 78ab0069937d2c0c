// The traits of the lab `reorder` (Python: ReorderLab), and what its views compute from them.
import type { LabModel } from "../frame";
import {
  attentionCost, bothProducts, dividedByLast, largestDifference, withOnes, type Matrix, type Order,
} from "../frame/maths/cost";

export interface ReorderTraits {
  n: number;
  d: number;
  order: Order;
  dtype: "float32" | "float16";
  view: "scale" | "steps";
  at: number;
  normalised: boolean;
  q: number[][];
  k: number[][];
  v: number[][];
  step: number;
}

export type ReorderModel = LabModel<ReorderTraits>;

export const ORDERS: readonly Order[] = ["qk_first", "kv_first"];
export const FORMULA: Record<Order, string> = { qk_first: "(QKᵀ)V", kv_first: "Q(KᵀV)" };
export const MIDDLE: Record<Order, string> = { qk_first: "QKᵀ", kv_first: "KᵀV" };
export const ITEM_SIZE = { float32: 4, float16: 2 };

/** Token counts to stop at: round ones, windows (49), maps of a 224 x 224 image (196, 784, 3136), with a class token (197). */
export const N_STOPS = [
  4, 6, 8, 9, 12, 16, 24, 25, 32, 36, 49, 64, 81, 96, 100, 128, 144, 192, 196, 197, 256, 324, 400, 512, 576, 784, 1024,
  1536, 2048, 3136, 4096, 6272, 8192, 12544, 16384,
];
export const D_STOPS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 80, 96, 128, 160, 192, 256];

/** An entry on the way: of which product, which one, and the row and the column whose product it is. */
export interface Entry {
  product: "first" | "second";
  i: number;
  j: number;
  row: readonly number[];
  column: readonly number[];
  value: number;
}

/** The small example as it stands: the two products, and how far the reader has gone. */
export interface Example {
  order: Order;
  q: Matrix;
  k: Matrix;
  v: Matrix;
  middle: number[][];
  out: number[][];
  /** Entries computed, of how many. */
  at: number;
  total: number;
  latest: Entry | null;
  /** Whether v has a last column of ones. */
  normalised: boolean;
}

export function example(model: ReorderModel): Example {
  const [q, k, order] = [model.get("q"), model.get("k"), model.get("order")];
  const normalised = model.get("normalised");
  const v = normalised ? withOnes(model.get("v")) : model.get("v");
  const { middle, out } = bothProducts(q, k, v, order);
  const total = middle.length * middle[0].length + out.length * out[0].length;
  const at = Math.min(model.get("at"), total);
  return { order, q, k, v, middle, out, at, total, normalised, latest: entry({ order, q, k, v, middle, out }, at) };
}

type Products = Pick<Example, "order" | "q" | "k" | "v" | "middle" | "out">;

/** The entry that is computed as number `at`, row by row, the product in brackets first. */
function entry({ order, q, k, v, middle, out }: Products, at: number): Entry | null {
  if (at === 0) return null;
  const first = middle.length * middle[0].length;
  const inFirst = at <= first;
  const target = inFirst ? middle : out;
  const nth = inFirst ? at - 1 : at - 1 - first;
  const [i, j] = [Math.floor(nth / target[0].length), nth % target[0].length];
  const column = (a: Matrix, c: number) => a.map((row) => row[c]);
  const [row, other] = inFirst
    ? order === "qk_first" ? [q[i], k[j]] : [column(k, i), column(v, j)]
    : order === "qk_first" ? [middle[i], column(v, j)] : [q[i], column(middle, j)];
  return { product: inFirst ? "first" : "second", i, j, row, column: other, value: target[i][j] };
}

/** The largest difference between the results of the two orders; after the division, where rows are divided. */
export function differenceOfOrders(model: ReorderModel): number {
  const v = model.get("normalised") ? withOnes(model.get("v")) : model.get("v");
  const [one, other] = ORDERS.map((order) => bothProducts(model.get("q"), model.get("k"), v, order).out);
  return model.get("normalised") ? largestDifference(dividedByLast(one), dividedByLast(other)) : largestDifference(one, other);
}

/** The cost of the small example in an order. */
export function exampleCost(model: ReorderModel, order: Order) {
  const columns = model.get("v")[0].length + (model.get("normalised") ? 1 : 0);
  return attentionCost(model.get("q").length, model.get("q")[0].length, order, columns);
}
