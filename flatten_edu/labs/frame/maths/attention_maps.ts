// Attention maps from captured queries and keys: twins of flatten_edu.functional and flatten_edu.analysis.maps.
import { dot, focusedMap } from "./attention";
import { linear } from "./layers";

export type Kind = "softmax" | "relu" | "focused";

/** The official code's: added after ReLU and to the mean similarity. */
export const EPS = 1e-6;

/** One attention module's queries and keys: n tokens, in rows of C = heads x d. */
export interface Layer {
  n: number;
  heads: number;
  q: Float64Array;
  k: Float64Array;
  v: Float64Array | null;
  /** softplus(scale), by which the paper's module divides; C numbers. */
  scale: Float64Array | null;
  kernel: Kernel | null;
}

/** One kernel a channel of a head: d x sides[0] x sides[1]. */
export interface Kernel { sides: [number, number]; data: Float64Array }

/** `perHead`: whether f_p's norms run over a head's features, or over all of them. */
export interface Feature { kind: Kind; p: number; perHead: boolean }

/** Row i of n rows; with `head`, its part of the row. */
export function part(x: Float64Array, n: number, i: number, heads = 1, head = 0): Float64Array {
  const d = x.length / n / heads;
  const start = i * d * heads + head * d;
  return x.subarray(start, start + d);
}

/** phi of one token's features: twin of `refocused` (focused) and of f_p(ReLU(x)), head by head (linear). */
function phi(x: Float64Array, { kind, p, perHead }: Feature, heads: number, scale: Float64Array | null): Float64Array {
  const r = kind === "focused" ? x.map((entry, c) => (Math.max(entry, 0) + EPS) / (scale ? scale[c] : 1)) : x;
  if (kind === "focused" && !perHead) return focusedMap(r, p);
  const out = new Float64Array(x.length);
  const d = x.length / heads;
  for (let start = 0; start < x.length; start += d) out.set(focusedMap(r.subarray(start, start + d), p), start);
  return out;
}

/** A layer seen through one feature map: its attention, with what all rows share worked out once. */
export class AttentionMap {
  /** phi(K), a head after the other. */
  private readonly keys: Float64Array[];

  constructor(private readonly layer: Layer, private readonly feature: Feature) {
    const { n, heads, k } = layer;
    const mapped = this.mapped(k, n);
    this.keys = Array.from({ length: heads }, (_, head) => ofHead(mapped, n, heads, head));
  }

  /** The weights of query i over all n keys: one head's, or the mean of the heads' for head -1. */
  row(i: number, head: number): Float64Array {
    return this.weights(this.mapped(part(this.layer.q, this.layer.n, i), 1), 1, head);
  }

  /** All rows, one after the other. */
  rows(head: number): Float64Array {
    return this.weights(this.mapped(this.layer.q, this.layer.n), this.layer.n, head);
  }

  /** phi of each of n rows. */
  private mapped(x: Float64Array, n: number): Float64Array {
    const { heads, scale } = this.layer;
    if (this.feature.kind === "softmax") return x;
    const out = new Float64Array(x.length);
    for (let i = 0; i < n; i++) part(out, n, i).set(phi(part(x, n, i), this.feature, heads, scale));
    return out;
  }

  private weights(queries: Float64Array, count: number, head: number): Float64Array {
    const { n, heads } = this.layer;
    if (head < 0) {
      const mean = new Float64Array(count * n);
      for (let one = 0; one < heads; one++) this.weights(queries, count, one).forEach((weight, j) => { mean[j] += weight / heads; });
      return mean;
    }
    const ownQueries = ofHead(queries, count, heads, head);
    const scores = linear(ownQueries, this.keys[head], new Float64Array(n));
    const d = ownQueries.length / count;
    for (let i = 0; i < count; i++) normalise(scores.subarray(i * n, (i + 1) * n), this.feature.kind, d);
    return scores;
  }
}

/** The columns of one head. */
export function ofHead(x: Float64Array, n: number, heads: number, head: number): Float64Array {
  if (heads === 1) return x;
  const out = new Float64Array(x.length / heads);
  for (let i = 0; i < n; i++) out.set(part(x, n, i, heads, head), (i * out.length) / n);
  return out;
}

/** A row of products becomes a row of weights: as `softmax_weights` and `linear_weights` have it, with the module's eps. */
export function normalise(row: Float64Array, kind: Kind, d: number): void {
  let total = kind === "focused" ? EPS * row.length : 0;
  if (kind === "softmax") {
    let top = -Infinity;
    for (let j = 0; j < row.length; j++) top = Math.max(top, row[j]);
    for (let j = 0; j < row.length; j++) row[j] = Math.exp((row[j] - top) / Math.sqrt(d));
  }
  for (let j = 0; j < row.length; j++) total += row[j];
  if (total > 0) for (let j = 0; j < row.length; j++) row[j] /= total;
}

/** The cell that a kernel's entry o meets when its middle lies on another one; -1 beyond the grid's edges. */
export function neighbour(cell: number, o: number, sides: readonly [number, number], grid: readonly [number, number]): number {
  const y = Math.floor(cell / grid[1]) + Math.floor(o / sides[1]) - (sides[0] >> 1);
  const x = (cell % grid[1]) + (o % sides[1]) - (sides[1] >> 1);
  return y >= 0 && y < grid[0] && x >= 0 && x < grid[1] ? y * grid[1] + x : -1;
}

/** Row i of `equivalent_map`: for one channel, signed; for channel -1 the mean over all channels of its magnitude. */
export function equivalentRow(
  weights: Float64Array, i: number, { sides, data }: Kernel, grid: readonly [number, number], first: number, channel: number,
): Float64Array {
  const row = weights.slice();
  if (i < first) return row; // the class token takes no part in the convolution
  const size = sides[0] * sides[1];
  for (let o = 0; o < size; o++) {
    const cell = neighbour(i - first, o, sides, grid);
    if (cell < 0) continue;
    const j = first + cell;
    if (channel >= 0) row[j] += data[channel * size + o];
    else row[j] = meanMagnitude(weights[j], data, o, size);
  }
  return row;
}

function meanMagnitude(weight: number, kernel: Float64Array, o: number, size: number): number {
  let sum = 0;
  for (let at = o; at < kernel.length; at += size) sum += Math.abs(weight + kernel[at]);
  return (sum * size) / kernel.length;
}

/** Each weight times the length of its key's value: twin of `value_weighted`. */
export function valueWeighted(weights: Float64Array, v: Float64Array, heads: number, head: number): Float64Array {
  const n = weights.length;
  return weights.map((weight, j) => {
    const value = head < 0 ? part(v, n, j) : part(v, n, j, heads, head);
    return weight * Math.sqrt(dot(value, value));
  });
}

/** Twin of `magnitude_share`: |x| over its sum, zeros for a row of zeros. */
export function magnitudeShare(row: Float64Array): Float64Array {
  let total = 0;
  for (const entry of row) total += Math.abs(entry);
  return row.map((entry) => (total > 0 ? Math.abs(entry) / total : 0));
}
