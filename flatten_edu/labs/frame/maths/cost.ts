// Twins of flatten_edu.functional.cost, and attention's two products as arrays, in both orders.
import { dot } from "./attention";

export type Order = "qk_first" | "kv_first";
export type Matrix = readonly (readonly number[])[];

export interface Cost { first: number; second: number; multiplyAdds: number; intermediate: number }

/** Of the product in brackets and of the other one: how many entries, and how many terms each of them sums. */
const products = (n: number, d: number, order: Order, e: number): [[number, number], [number, number]] =>
  order === "qk_first" ? [[n * n, d], [n * e, n]] : [[d * e, n], [n * e, d]];

/** Twin of `attention_cost`: exact, for all its numbers are below 2^53. */
export function attentionCost(n: number, d: number, order: Order, e = d): Cost {
  const [[entries, terms], [others, otherTerms]] = products(n, d, order, e);
  const [first, second] = [entries * terms, others * otherTerms];
  return { first, second, multiplyAdds: first + second, intermediate: entries };
}

/** Twin of `multiply_adds_after`. */
export function multiplyAddsAfter(entries: number, n: number, d: number, order: Order, e = d): number {
  const [[first, terms], [, otherTerms]] = products(n, d, order, e);
  return Math.min(entries, first) * terms + Math.max(entries - first, 0) * otherTerms;
}

export const transposed = (a: Matrix): number[][] => a[0].map((_, j) => a.map((row) => row[j]));

/** Both products of an order: the one in brackets, and q k^T v. Twin of `linear_attention` without its division. */
export function bothProducts(q: Matrix, k: Matrix, v: Matrix, order: Order): { middle: number[][]; out: number[][] } {
  const product = (a: Matrix, b: Matrix) => a.map((row) => transposed(b).map((column) => dot(row, column)));
  const middle = order === "qk_first" ? product(q, transposed(k)) : product(transposed(k), v);
  return { middle, out: order === "qk_first" ? product(middle, v) : product(q, middle) };
}

/** v with one more column, of ones: in it the products gather each row's sum of weights. */
export const withOnes = (v: Matrix): number[][] => v.map((row) => [...row, 1]);

/** Each row divided by its last entry, which goes; zeros where that is zero. With `withOnes` twin of `linear_attention`. */
export const dividedByLast = (out: Matrix): number[][] =>
  out.map((row) => row.slice(0, -1).map((entry) => (row.at(-1) === 0 ? 0 : entry / row.at(-1)!)));

export const largestDifference = (a: Matrix, b: Matrix): number =>
  Math.max(...a.flatMap((row, i) => row.map((entry, j) => Math.abs(entry - b[i][j]))));
