// Twins of Python functions in flatten_edu.functional and flatten_edu.analysis: same formulas, same edge cases.
// tests/browser/test_twins.py compares them in a browser to 1e-6.

import { softmax } from "./layers";

export type Vector = ArrayLike<number>;

/** The largest p of the labs, and of the proposition's scan: `LARGEST_P` in Python. */
export const LARGEST_P = 256;

/** p from 1 to the largest, so many steps each time that it doubles. */
export const factors = (perOctave: number): number[] =>
  Array.from({ length: Math.log2(LARGEST_P) * perOctave + 1 }, (_, i) => 2 ** (i / perOctave));

/** f_p(ReLU(x)): twin of `focused_map`. A row without a positive entry stays zero. */
export function focusedMap(x: Vector, p: number): Float64Array {
  if (!(p > 0 && Number.isFinite(p))) throw new RangeError(`focusedMap needs a finite p > 0, got ${p}`);
  const out = new Float64Array(x.length);
  let largest = 0;
  for (let i = 0; i < x.length; i++) largest = Math.max(largest, x[i]);
  if (largest === 0) return out;
  let length = 0;
  let poweredLength = 0;
  for (let i = 0; i < x.length; i++) {
    const unit = Math.max(x[i], 0) / largest;
    const powered = unit > 0 ? unit ** p : 0;
    length += unit * unit;
    poweredLength += powered * powered;
    out[i] = powered;
  }
  const scale = Math.sqrt(length / poweredLength) * largest;
  for (let i = 0; i < x.length; i++) out[i] *= scale;
  return out;
}

export function dot(x: Vector, y: Vector): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
  return sum;
}

export const norm = (x: Vector): number => Math.sqrt(dot(x, x));

/** Twin of `softmax_weights` for one query: softmax of q.k / sqrt(d). */
export const softmaxWeights = (q: Vector, keys: readonly Vector[]): number[] =>
  softmax(keys.map((k) => dot(q, k) / Math.sqrt(q.length)));

/** Twin of `linear_weights` for one query: phi(q).phi(k) divided by its sum, or zeros where that sum is zero. */
export function linearWeights(phiQ: Vector, phiKeys: readonly Vector[]): number[] {
  const values = phiKeys.map((k) => dot(phiQ, k));
  const total = values.reduce((a, b) => a + b, 0);
  return values.map((v) => (total > 0 ? v / total : 0));
}

/** Twin of `angle_degrees`: NaN where a vector is zero. */
export function angleDegrees(x: Vector, y: Vector): number {
  const u = unit(x);
  const v = unit(y);
  const difference = norm(u.map((entry, i) => entry - v[i]));
  const sum = norm(u.map((entry, i) => entry + v[i]));
  return (2 * Math.atan2(difference, sum) * 180) / Math.PI;
}

export function unit(x: Vector): number[] {
  const entries = Array.from(x);
  const largest = Math.max(...entries.map(Math.abs));
  const scaled = entries.map((entry) => entry / largest);
  const length = norm(scaled);
  return scaled.map((entry) => entry / length);
}

/** Twin of `largest_coordinate`: -1 for a tie, or where no entry is positive. */
export function largestCoordinate(x: Vector): number {
  const r = Array.from(x, (entry) => Math.max(entry, 0));
  const largest = Math.max(...r);
  const index = r.indexOf(largest);
  return largest > 0 && r.lastIndexOf(largest) === index ? index : -1;
}

/** Twin of `entropy_bits`: NaN for weights that are all zero. */
export function entropyBits(weights: Vector): number {
  let entropy = 0;
  let total = 0;
  for (let i = 0; i < weights.length; i++) {
    total += weights[i];
    if (weights[i] > 0) entropy -= weights[i] * Math.log2(weights[i]);
  }
  return total > 0 ? entropy : NaN;
}

/** Twin of `top1_share`: NaN for weights that are all zero. */
export const top1Share = (weights: Vector) => Math.max(...Array.from(weights)) || NaN;
