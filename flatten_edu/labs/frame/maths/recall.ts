// Values stored under keys and read back: twins of `recall`, `recall_bound` and `correlation_bound` in
// flatten_edu.analysis, and of what RecallLab stores. Arrays hold row after row.
import { dot } from "./attention";
import { add, meanRow, product } from "./layers";
import { hashNoise } from "./noise";
import { dwcMatrix, focusedHead, linearMap, productTransposed, softmaxMap, type Grid } from "./rank_maps";

const NOISE_NUMBERS = 64; // of a value of noise
const KERNEL_SIDE = 5;
const [KEYS, ERRORS, KERNEL, VALUES, ORDER] = [0, 1, 2, 3, 4]; // streams of the random numbers

export type Kind = "softmax" | "focused";
export type KernelName = "none" | "own place" | "mean" | "random";

/** What is stored and how it is asked for: the lab's settings, as they apply together. */
export interface Store {
  grid: Grid;
  d: number;
  noise: number;
  length: number;
  seed: number;
  kernel: KernelName;
  inPlace: boolean;
  /** Queries and keys of the reader's own; null for random ones. */
  own: { q: Float64Array; k: Float64Array } | null;
  /** Values; null for noise. */
  values: Float64Array | null;
}

/** Query i asks for value i; `beside` is what is added to the answers. */
export interface Memory { n: number; d: number; e: number; q: Float64Array; k: Float64Array; v: Float64Array; beside: Float64Array | null }

export interface Recall { weight: number; contrast: number; correlation: number; right: number; out: Float64Array }

/** Twin of RecallLab.memory, and of its convolution. */
export function memoryOf(store: Store): Memory {
  const { grid, d, noise, length, seed, kernel, inPlace, own } = store;
  const v = valuesOf(store);
  const n = grid[0] * grid[1];
  const keys = own?.k ?? hashNoise(seed, KEYS, n, d);
  const errors = own ? null : hashNoise(seed, ERRORS, n, d);
  const q = own?.q ?? keys.map((entry, i) => entry + noise * errors![i]);
  return { n, d, e: v.length / n, q, k: keys.map((entry) => length * entry), v, beside: beside(v, grid, kernel, seed, inPlace) };
}

export const valuesOf = ({ values, seed, grid }: Store) => values ?? hashNoise(seed, VALUES, grid[0] * grid[1], NOISE_NUMBERS);

/** The convolution of the values, each row where the value is that its place asks for. */
function beside(v: Float64Array, grid: Grid, kernel: KernelName, seed: number, inPlace: boolean): Float64Array | null {
  if (kernel === "none") return null;
  const n = grid[0] * grid[1];
  const e = v.length / n;
  const local = product(dwcMatrix({ values: kernelOf(kernel, seed), sides: [KERNEL_SIDE, KERNEL_SIDE] }, grid), v, n);
  if (inPlace) return local;
  const marks = hashNoise(seed, ORDER, n, 1);
  const asked = Array.from(marks.keys()).sort((a, b) => marks[a] - marks[b]); // place i asks for value asked[i]
  const out = new Float64Array(v.length);
  asked.forEach((value, place) => out.set(local.subarray(place * e, (place + 1) * e), value * e));
  return out;
}

function kernelOf(name: KernelName, seed: number): Float64Array {
  const size = KERNEL_SIDE * KERNEL_SIDE;
  if (name === "random") return hashNoise(seed, KERNEL, 1, size).map((entry) => entry / KERNEL_SIDE);
  return Float64Array.from({ length: size }, (_, i) => name === "mean" ? 1 / size : Number(2 * i + 1 === size));
}

/** Twin of `attention_matrix`. */
export function weightsOf({ n, d, q, k }: Memory, kind: Kind, p: number): Float64Array {
  if (kind === "softmax") return softmaxMap(q, k, n, d);
  const [phiQ, phiK] = [q, k].map((values) => focusedHead({ values, n, d, heads: 1 }, p, 0));
  return linearMap(phiQ, phiK, n, d).weights;
}

/** The mean weight of a query on the key that it asks for. */
export function weightOnAsked(weights: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += weights[i * n + i];
  return sum / n;
}

/** Twin of `recall`. */
export function recall(memory: Memory, kind: Kind, p: number, removed: boolean): Recall {
  const { n, e, v } = memory;
  const weights = weightsOf(memory, kind, p);
  let out = product(weights, v, n);
  if (memory.beside) out = add(out, memory.beside);
  const [found, wanted] = [out, v].map((x) => withoutMean(x, e));
  const [length, wantedLength] = [found, wanted].map(({ x }) => Math.sqrt(dot(x, x)));
  const contrast = length / wantedLength;
  const correlation = dot(found.x, wanted.x) / (length * wantedLength);
  if (removed) out = found.x.map((entry, i) => wanted.mean[i % e] + (contrast > 0 ? entry / contrast : entry));
  return { out, weight: weightOnAsked(weights, n), contrast, correlation, right: right(out, v, n, e) };
}

function withoutMean(x: Float64Array, e: number): { mean: Float64Array; x: Float64Array } {
  const mean = meanRow(x, e);
  return { mean, x: x.map((entry, i) => entry - mean[i % e]) };
}

/** The share of the answers to which no value is nearer than the right one; two at the same distance, but for rounding, are as near. */
function right(out: Float64Array, v: Float64Array, n: number, e: number): number {
  const closeness = productTransposed(out, v, n);
  const half = Float64Array.from({ length: n }, (_, j) => dot(v.subarray(j * e, (j + 1) * e), v.subarray(j * e, (j + 1) * e)) / 2);
  let count = 0;
  for (let i = 0; i < n; i++) {
    let best = -Infinity;
    for (let j = 0; j < n; j++) best = Math.max(best, closeness[i * n + j] - half[j]);
    count += Number(closeness[i * n + i] - half[i] >= best - 1e-9 * Math.abs(best));
  }
  return count / n;
}

/** Where the numbers of a pixel begin: patches of `width` pixels a side, so many across, each one row of e numbers. */
export const numberAt = (row: number, column: number, across: number, width: number, e: number, channels: number) =>
  (Math.floor(row / width) * across + Math.floor(column / width)) * e + ((row % width) * width + (column % width)) * channels;

/** A picture's patches, each as one row: its numbers from 0 to 1, pixel by pixel. Of a square of `size` pixels, RGB. */
export function patchesOf(pixels: ArrayLike<number>, size: number, side: number): Float64Array {
  const width = Math.floor(size / side);
  const [across, e] = [side * width, 3 * width * width];
  const out = new Float64Array(side * side * e);
  for (let row = 0; row < across; row++) {
    for (let column = 0; column < across; column++) {
      const at = numberAt(row, column, side, width, e, 3);
      for (let channel = 0; channel < 3; channel++) out[at + channel] = pixels[3 * (row * size + column) + channel] / 255;
    }
  }
  return out;
}

/** Twin of `recall_bound`. */
export const recallBound = (features: number, targets: number) => Math.min(1, features / targets);

/** Twin of `correlation_bound`. */
export const correlationBound = (features: number, n: number) => Math.min(1, Math.sqrt(features / (n - 1)));
