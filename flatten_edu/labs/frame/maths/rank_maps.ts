// The maps whose ranks the lab compares, as N x N arrays, row after row: twins of functions in flatten_edu.functional
// (`linear_weights`, `softmax_weights`, `dwc_matrix`, `wrapped_dwc_matrix`) and of `rank_maps` in flatten_edu.analysis.
import { dot, focusedMap, norm } from "./attention";
import { normalise, ofHead, part } from "./attention_maps";
import { linear } from "./layers";

export type Matrix = Float64Array;
export type Grid = readonly [rows: number, columns: number];

/** A kernel with odd sides, row after row. */
export interface Kernel { values: ArrayLike<number>; sides: readonly [height: number, width: number] }

/** Queries or keys of all heads, token after token: n rows of `heads` x d features. */
export interface Tokens { values: Float64Array; n: number; d: number; heads: number }

const NAMED = { zero: [0, 0], minus_impulse: [0, -1], right_neighbour: [1, 1] } as const;
export type NamedKernel = keyof typeof NAMED;

/** Twin of `named_kernel`. */
export function namedKernel(name: NamedKernel, side = 5): Kernel {
  const values = new Float64Array(side * side);
  const [right, value] = NAMED[name];
  values[(side * side - 1) / 2 + right] = value;
  return { values, sides: [side, side] };
}

/** One head's rows, phi_p with norms over all heads' channels: twin of `focused_heads`. */
export function focusedHead({ values, n, heads }: Tokens, p: number, head: number): Matrix {
  const out = new Float64Array(values.length);
  for (let i = 0; i < n; i++) out.set(focusedMap(part(values, n, i), p), (i * out.length) / n);
  return ofHead(out, n, heads, head);
}

export const productTransposed = (x: Matrix, y: Matrix, n: number) => linear(x, y, new Float64Array(n));

/** Twin of `linear_weights`: A, whose rows sum to 1 or are zero, and how many are; with the factors that the
 * determinant lemma needs: A = U W^T, U is phi(Q) with its rows divided by A's row sums, W is phi(K). */
export function linearMap(phiQ: Matrix, phiK: Matrix, n: number, d: number) {
  const weights = productTransposed(byLargest(phiQ, n), byLargest(phiK, 1), n);
  const keySum = new Float64Array(d);
  for (let at = 0; at < n * d; at++) keySum[at % d] += phiK[at];
  const u = phiQ.slice();
  let zeroRows = 0;
  for (let i = 0; i < n; i++) {
    const weightsOfRow = part(weights, n, i);
    normalise(weightsOfRow, "relu", d);
    if (weightsOfRow.every((weight) => weight === 0)) zeroRows += 1;
    const row = part(u, n, i);
    const total = dot(row, keySum);
    if (total > 0) for (let c = 0; c < d; c++) row[c] /= total;
  }
  return { weights, u, w: phiK, zeroRows };
}

/** Rows divided by their largest entry, which cancels later; without that, products of small entries would vanish. */
function byLargest(x: Matrix, rows: number): Matrix {
  const out = x.slice();
  for (let i = 0; i < rows; i++) {
    const row = part(out, rows, i);
    const largest = row.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    if (largest > 0) for (let j = 0; j < row.length; j++) row[j] /= largest;
  }
  return out;
}

/** Twin of `softmax_weights`: softmax of Q K^T / sqrt d. */
export function softmaxMap(q: Matrix, k: Matrix, n: number, d: number): Matrix {
  const out = productTransposed(q, k, n);
  for (let i = 0; i < n; i++) normalise(part(out, n, i), "softmax", d);
  return out;
}

/** Twin of `dwc_matrix`, or, if `wrapped`, of `wrapped_dwc_matrix`, which places the kernel by flat offsets. */
export function dwcMatrix({ values, sides: [height, width] }: Kernel, [rows, columns]: Grid, wrapped = false): Matrix {
  const n = rows * columns;
  const out = new Float64Array(n * n);
  for (let at = 0; at < n; at++) {
    for (let o = 0; o < height * width; o++) {
      const down = Math.floor(o / width) - (height - 1) / 2;
      const right = (o % width) - (width - 1) / 2;
      const column = (at % columns) + right;
      const to = at + down * columns + right;
      const inside = wrapped || (column >= 0 && column < columns);
      // On a grid narrower than the kernel, flat offsets meet: the later one stays, as in Python.
      if (inside && to >= 0 && to < n) out[at * n + to] = values[o];
    }
  }
  return out;
}

export function differences(x: Matrix, y: Matrix, n: number): { entries: number; rows: number } {
  const inRow = Array.from({ length: n }, (_, i) => part(x, n, i).filter((entry, j) => entry !== y[i * n + j]).length);
  return { entries: inRow.reduce((a, b) => a + b, 0), rows: inRow.filter(Boolean).length };
}

/** The length of X 1: zero where the rows of X sum to zero. */
export const normOfRowSums = (x: Matrix, n: number) =>
  norm(Array.from({ length: n }, (_, i) => part(x, n, i).reduce((a, b) => a + b, 0)));
