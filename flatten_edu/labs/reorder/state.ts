// The traits of the lab `reorder` (Python: ReorderLab), and what its views compute from them.
import type { LabModel } from "../frame";
import {
  attentionCost, bothProducts, dividedByLast, largestDifference, transposed, withOnes, type Matrix, type Order,
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

export type Kind = "q" | "k" | "v" | "middle" | "out";
export type Example = ReturnType<typeof example>;

/** The small example as it stands: the two products, and how many of all their entries the reader has gone through. */
export function example(model: ReorderModel) {
  const [q, k, order, normalised] = [model.get("q"), model.get("k"), model.get("order"), model.get("normalised")];
  const v = normalised ? withOnes(model.get("v")) : model.get("v"); // then its last column gathers the row sums
  const { middle, out } = bothProducts(q, k, v, order);
  const total = middle.length * middle[0].length + out.length * out[0].length;
  const at = Math.min(model.get("at"), total);
  return { order, q, k, v, middle, out, at, total, normalised, latest: at ? entry({ q, k: transposed(k), v, middle, out }, order, at) : null };
}

/** What stands to the left of each product and above it, by order. */
const FACTORS = {
  middle: { qk_first: ["q", "k"], kv_first: ["k", "v"] }, out: { qk_first: ["middle", "v"], kv_first: ["q", "middle"] },
} as const;

/** The entry that is computed as number `at`, row by row, the product in brackets first; and whose row and column it takes. */
function entry(matrices: Record<Kind, Matrix>, order: Order, at: number) {
  const first = matrices.middle.length * matrices.middle[0].length;
  const product: "middle" | "out" = at <= first ? "middle" : "out";
  const nth = at <= first ? at - 1 : at - 1 - first;
  const target = matrices[product];
  const [i, j] = [Math.floor(nth / target[0].length), nth % target[0].length];
  const [left, above] = FACTORS[product][order];
  return { product, i, j, left, above, row: matrices[left][i], column: matrices[above].map((row) => row[j]), value: target[i][j] };
}

/** The largest difference between the results of the two orders; after the division, where rows are divided. */
export function differenceOfOrders(model: ReorderModel): number {
  const v = model.get("normalised") ? withOnes(model.get("v")) : model.get("v");
  const [one, other] = ORDERS.map((order) => bothProducts(model.get("q"), model.get("k"), v, order).out);
  return model.get("normalised") ? largestDifference(dividedByLast(one), dividedByLast(other)) : largestDifference(one, other);
}

export function exampleCost(model: ReorderModel, order: Order) {
  const columns = model.get("v")[0].length + (model.get("normalised") ? 1 : 0);
  return attentionCost(model.get("q").length, model.get("q")[0].length, order, columns);
}
