// The matrix determinant lemma, det(M + U W^T) = det(M) det(I + W^T M^-1 U), both sides from LU factors: twin of
// `determinant_lemma` in flatten_edu.analysis. Matrices are arrays, row after row.

/** 1, -1 or 0, and log10 of the absolute value: the determinant itself leaves float64's range. */
export interface Determinant { sign: number; log10: number }
export type DeterminantLemma = Record<"sum" | "dwc" | "small", Determinant>;
interface Factors { lu: Float64Array; order: Int32Array; determinant: Determinant }

/** LU factors with row exchanges; `order` says which row of the matrix stands in each row of its factors. */
function factorise(matrix: Float64Array, n: number): Factors {
  const lu = matrix.slice();
  const order = Int32Array.from({ length: n }, (_, i) => i);
  const determinant = { sign: 1, log10: 0 };
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let r = k + 1; r < n; r++) if (Math.abs(lu[r * n + k]) > Math.abs(lu[pivot * n + k])) pivot = r;
    const value = lu[pivot * n + k];
    if (value === 0) return { lu, order, determinant: { sign: 0, log10: -Infinity } };
    if (pivot !== k) swapRows(lu, order, n, pivot, k);
    determinant.sign *= Math.sign(value) * (pivot === k ? 1 : -1);
    determinant.log10 += Math.log10(Math.abs(value));
    for (let r = k + 1; r < n; r++) {
      const factor = (lu[r * n + k] /= value);
      if (factor !== 0) for (let c = k + 1; c < n; c++) lu[r * n + c] -= factor * lu[k * n + c];
    }
  }
  return { lu, order, determinant };
}

function swapRows(lu: Float64Array, order: Int32Array, n: number, a: number, b: number): void {
  for (let c = 0; c < n; c++) [lu[a * n + c], lu[b * n + c]] = [lu[b * n + c], lu[a * n + c]];
  [order[a], order[b]] = [order[b], order[a]];
}

/** M^-1 X for an n x r array X. */
function solve({ lu, order }: Factors, x: Float64Array, n: number, r: number): Float64Array {
  const out = new Float64Array(n * r);
  for (let i = 0; i < n; i++) {
    out.set(x.subarray(order[i] * r, (order[i] + 1) * r), i * r);
    for (let j = 0; j < i; j++) subtractRow(out, i, j, lu[i * n + j], r);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let j = i + 1; j < n; j++) subtractRow(out, i, j, lu[i * n + j], r);
    for (let c = 0; c < r; c++) out[i * r + c] /= lu[i * n + i];
  }
  return out;
}

function subtractRow(out: Float64Array, i: number, j: number, factor: number, r: number): void {
  if (factor === 0) return;
  for (let c = 0; c < r; c++) out[i * r + c] -= factor * out[j * r + c];
}

/** Both sides; `sum` is M + U W^T. null where M is singular to the last digit: the lemma needs its inverse. */
export function determinantLemma(
  m: Float64Array, sum: Float64Array, u: Float64Array, w: Float64Array, n: number,
): DeterminantLemma | null {
  const r = u.length / n;
  const factors = factorise(m, n);
  if (factors.determinant.sign === 0) return null;
  const inverse = solve(factors, u, n, r);
  const small = new Float64Array(r * r);
  for (let a = 0; a < r; a++) small[a * r + a] = 1;
  for (let i = 0; i < n; i++) {
    for (let a = 0; a < r; a++) {
      const entry = w[i * r + a];
      if (entry !== 0) for (let b = 0; b < r; b++) small[a * r + b] += entry * inverse[i * r + b];
    }
  }
  return { sum: factorise(sum, n).determinant, dwc: factors.determinant, small: factorise(small, r).determinant };
}
