// Twins of flatten_edu.analysis.sharpness: softmax's row at a given scale of q and k, and where its entropy crosses.
import { softmax } from "./layers";
import { dot, entropyBits, type Vector } from "./attention";

const DOUBLINGS = 60;

/** Products of q and the keys, less their largest; `divide` by the square root of d. */
export function logits(q: Vector, keys: readonly Vector[], divide: boolean): number[] {
  const products = keys.map((key) => dot(q, key));
  const largest = Math.max(...products);
  return products.map((product) => (product - largest) / (divide ? Math.sqrt(q.length) : 1));
}

/** Softmax of logits times t. */
const softmaxOf = (rows: readonly number[], t: number) => softmax(rows.map((logit) => logit * t));

/** Twin of `scaled_softmax_weights`: q and every key are multiplied by `scale`. */
export const scaledSoftmaxWeights = (q: Vector, keys: readonly Vector[], scale: number, divide: boolean): number[] =>
  softmaxOf(logits(q, keys, divide), scale ** 2);

/** The row's entropy in bits at each of many scales. */
export function entropyCurve(q: Vector, keys: readonly Vector[], scales: readonly number[], divide: boolean): number[] {
  const rows = logits(q, keys, divide);
  return scales.map((scale) => entropyBits(softmaxOf(rows, scale ** 2)));
}

/** Twin of `crossing_scale`: above it softmax's row has less than so many bits. 0 for always, Infinity for never. */
export function crossingScale(q: Vector, keys: readonly Vector[], entropy: number, divide: boolean): number {
  const rows = logits(q, keys, divide);
  const ties = rows.filter((logit) => logit === 0).length;
  if (Number.isNaN(entropy)) return NaN;
  if (entropy <= Math.log2(ties)) return Infinity;
  if (entropy >= Math.log2(rows.length)) return 0;
  let [low, high] = [-DOUBLINGS, DOUBLINGS];
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (entropyBits(softmaxOf(rows, 4 ** middle)) > entropy) low = middle;
    else high = middle;
  }
  return 2 ** ((low + high) / 2);
}
