// Singular values and what is read off them: twins of `spectrum`, `rank_tolerance`, `numerical_rank`, `effective_rank`
// and `stable_rank` in flatten_edu.analysis. Values alone, no vectors: Householder reflections to two diagonals, then
// the implicit QR iteration of Golub and Kahan on them. Errors are about 1e-14 of the largest value, as LAPACK's.

import { max } from "d3-array";

const EPS = 2 ** -52;

/** The singular values of an n x n matrix given row after row, largest first. */
export function singularValues(matrix: Float64Array, n: number): Float64Array {
  const diagonal = new Float64Array(n);
  const above = new Float64Array(n);
  const largest = max(matrix, Math.abs)!;
  if (largest === 0) return diagonal;
  // Divided by the largest entry, no square below leaves float64's range.
  bidiagonalise(matrix.map((entry) => entry / largest), n, diagonal, above);
  iterate(diagonal, above);
  return diagonal.map((value) => Math.abs(value) * largest).sort().reverse();
}

/** Overwrite `a`; its two diagonals have the same singular values. */
function bidiagonalise(a: Float64Array, n: number, diagonal: Float64Array, above: Float64Array): void {
  const v = new Float64Array(n);
  const sums = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    for (let r = i; r < n; r++) v[r] = a[r * n + i];
    const left = reflector(v, i, n);
    diagonal[i] = left.value;
    if (left.beta > 0) reflectColumns(a, n, i, v, left.beta, sums);
    if (i === n - 1) return;
    for (let c = i + 1; c < n; c++) v[c] = a[i * n + c];
    const right = reflector(v, i + 1, n);
    above[i] = right.value;
    if (right.beta > 0) reflectRows(a, n, i + 1, v, right.beta);
  }
}

/** Turn x = v[from..] into the v of I - beta v v^T, which maps x to (value, 0, ..., 0). */
function reflector(v: Float64Array, from: number, n: number): { value: number; beta: number } {
  let largest = 0;
  for (let i = from; i < n; i++) largest = Math.max(largest, Math.abs(v[i]));
  if (largest === 0) return { value: 0, beta: 0 };
  let squares = 0;
  for (let i = from; i < n; i++) {
    v[i] /= largest;
    squares += v[i] * v[i];
  }
  const length = v[from] > 0 ? -Math.sqrt(squares) : Math.sqrt(squares);
  const beta = 1 / (squares - v[from] * length);
  v[from] -= length;
  return { value: length * largest, beta };
}

function reflectColumns(a: Float64Array, n: number, i: number, v: Float64Array, beta: number, sums: Float64Array): void {
  sums.fill(0, i + 1);
  for (let r = i; r < n; r++) {
    const factor = v[r];
    for (let c = i + 1, at = r * n + c; c < n; c++, at++) sums[c] += factor * a[at];
  }
  for (let r = i; r < n; r++) {
    const factor = beta * v[r];
    for (let c = i + 1, at = r * n + c; c < n; c++, at++) a[at] -= factor * sums[c];
  }
}

function reflectRows(a: Float64Array, n: number, from: number, v: Float64Array, beta: number): void {
  for (let r = from; r < n; r++) {
    let sum = 0;
    for (let c = from, at = r * n + c; c < n; c++, at++) sum += a[at] * v[c];
    sum *= beta;
    for (let c = from, at = r * n + c; c < n; c++, at++) a[at] -= sum * v[c];
  }
}

/** Bring the diagonal d to the singular values, the one above it, e, to zero. */
function iterate(d: Float64Array, e: Float64Array): void {
  const size = Math.max(max(d, Math.abs)!, max(e, Math.abs)!);
  const tiny = (size * EPS) / 64;
  let last = d.length - 1;
  for (let round = 0; last > 0; round++) {
    if (round > 100 * d.length) throw new Error("singularValues did not converge");
    let first = last;
    while (first > 0 && Math.abs(e[first - 1]) > Math.max(tiny, EPS * (Math.abs(d[first - 1]) + Math.abs(d[first])))) first--;
    if (first > 0) e[first - 1] = 0;
    if (first === last) last--;
    else qrStep(d, e, first, last, shiftOf(d, e, first, last, tiny));
  }
}

/** The eigenvalue of B^T B's last 2 x 2 corner that is nearer to its last entry; 0 where a zero is to be chased out. */
function shiftOf(d: Float64Array, e: Float64Array, first: number, last: number, tiny: number): number {
  for (let i = first; i <= last; i++) if (Math.abs(d[i]) <= tiny) return 0;
  const [a, b, c, x] = [d[last - 1], e[last - 1], d[last], last - 1 > first ? e[last - 2] : 0];
  const [above, off, corner] = [a * a + x * x, a * b, b * b + c * c];
  const half = (above - corner) / 2;
  const root = Math.sqrt(half * half + off * off);
  return root > 0 ? corner - (off * off) / (half + (half >= 0 ? root : -root)) : corner;
}

function qrStep(d: Float64Array, e: Float64Array, first: number, last: number, shift: number): void {
  let y = d[first] === 0 ? 0 : d[first] - shift / d[first];
  let z = e[first];
  for (let k = first; k < last; k++) {
    let r = Math.sqrt(y * y + z * z);
    let [c, s] = r > 0 ? [y / r, z / r] : [1, 0];
    if (k > first) e[k - 1] = r;
    y = c * d[k] + s * e[k];
    e[k] = c * e[k] - s * d[k];
    z = s * d[k + 1];
    d[k + 1] *= c;
    r = Math.sqrt(y * y + z * z);
    [c, s] = r > 0 ? [y / r, z / r] : [1, 0];
    d[k] = r;
    y = c * e[k] + s * d[k + 1];
    d[k + 1] = c * d[k + 1] - s * e[k];
    z = s * e[k + 1];
    e[k + 1] *= c;
  }
  e[last - 1] = y;
}

/** NumPy's tolerance as a share of the largest value: the side of the matrix times the machine's epsilon. */
export const relativeTolerance = (n: number) => n * EPS;

/** How many values exceed the tolerance, a share of the largest: twin of `numerical_rank`. */
export function numericalRank(values: ArrayLike<number>, tolerance = relativeTolerance(values.length)): number {
  const line = values[0] * tolerance;
  let rank = 0;
  while (rank < values.length && values[rank] > line) rank += 1;
  return rank;
}

/** exp of the entropy of the normalised values: twin of `effective_rank`; NaN for a zero matrix. */
export function effectiveRank(values: ArrayLike<number>): number {
  let [total, entropy] = [0, 0];
  for (let i = 0; i < values.length; i++) total += values[i];
  for (let i = 0; i < values.length; i++) {
    const share = values[i] / total;
    if (share > 0) entropy -= share * Math.log(share);
  }
  return total > 0 ? Math.exp(entropy) : NaN;
}

/** Squared Frobenius norm over the squared largest value: twin of `stable_rank`; NaN for a zero matrix. */
export function stableRank(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] / values[0]) ** 2;
  return sum;
}

/** How near a value comes to the tolerance, as a ratio of at least 1: rounding decides where it is 1.05 or less. */
export function nearestToLine(values: ArrayLike<number>, tolerance: number): number {
  let nearest = Infinity;
  for (let i = 0; i < values.length; i++) {
    const ratio = values[i] / (values[0] * tolerance);
    if (ratio > 0) nearest = Math.min(nearest, Math.max(ratio, 1 / ratio));
  }
  return nearest;
}
