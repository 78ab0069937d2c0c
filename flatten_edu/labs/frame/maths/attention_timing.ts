// Attention in both orders on plain float32 arrays, written to be timed: one product for all, in one thread.
// Twins of softmax_attention, linear_attention, focused_map and depthwise_conv in flatten_edu.functional; sums are
// formed in float64, as JavaScript forms them, and stored as float32.

/** A matrix within an array: where it begins, and how far apart its rows and its columns are. */
export interface Part { data: Float32Array; from: number; row: number; column: number }

const rowsOf = (data: Float32Array, d: number, from = 0): Part => ({ data, from: from * d, row: d, column: 1 });
const turned = ({ data, from, row, column }: Part): Part => ({ data, from, row: column, column: row });

/** So many queries, or tokens, are worked on at a time: their rows stay in the cache. */
const BLOCK = 64;

/** c = a b, or c += a b: a has `rows` rows, b has `columns` columns, `inner` is what they share. c's columns are 1 apart. */
export function product(c: Part, a: Part, b: Part, rows: number, inner: number, columns: number, add = false): void {
  const [wholeRows, wholeColumns] = [rows - (rows % 4), columns - (columns % 4)];
  for (let j = 0; j < wholeColumns; j += 4) {
    for (let i = 0; i < wholeRows; i += 4) tile(c, a, b, i, j, inner, add);
  }
  edge(c, a, b, 0, wholeRows, wholeColumns, columns, inner, add);
  edge(c, a, b, wholeRows, rows, 0, columns, inner, add);
}

/** 4 x 4 entries at once: 8 numbers are read for 16 multiply-adds, and the sums stay in registers. */
function tile(c: Part, a: Part, b: Part, i: number, j: number, inner: number, add: boolean): void {
  const [x, y, z] = [a.data, b.data, c.data];
  const [xi, xt, yt, yj] = [a.row, a.column, b.row, b.column];
  let s00 = 0, s01 = 0, s02 = 0, s03 = 0, s10 = 0, s11 = 0, s12 = 0, s13 = 0;
  let s20 = 0, s21 = 0, s22 = 0, s23 = 0, s30 = 0, s31 = 0, s32 = 0, s33 = 0;
  let at = a.from + i * xi;
  let of = b.from + j * yj;
  for (let t = 0; t < inner; t++, at += xt, of += yt) {
    const a0 = x[at], a1 = x[at + xi], a2 = x[at + 2 * xi], a3 = x[at + 3 * xi];
    const b0 = y[of], b1 = y[of + yj], b2 = y[of + 2 * yj], b3 = y[of + 3 * yj];
    s00 += a0 * b0; s01 += a0 * b1; s02 += a0 * b2; s03 += a0 * b3;
    s10 += a1 * b0; s11 += a1 * b1; s12 += a1 * b2; s13 += a1 * b3;
    s20 += a2 * b0; s21 += a2 * b1; s22 += a2 * b2; s23 += a2 * b3;
    s30 += a3 * b0; s31 += a3 * b1; s32 += a3 * b2; s33 += a3 * b3;
  }
  const o = c.from + i * c.row + j;
  put(z, o, s00, s01, s02, s03, add);
  put(z, o + c.row, s10, s11, s12, s13, add);
  put(z, o + 2 * c.row, s20, s21, s22, s23, add);
  put(z, o + 3 * c.row, s30, s31, s32, s33, add);
}

function put(z: Float32Array, o: number, s0: number, s1: number, s2: number, s3: number, add: boolean): void {
  z[o] = add ? z[o] + s0 : s0;
  z[o + 1] = add ? z[o + 1] + s1 : s1;
  z[o + 2] = add ? z[o + 2] + s2 : s2;
  z[o + 3] = add ? z[o + 3] + s3 : s3;
}

/** What tiles leave over: entries one by one. */
function edge(
  c: Part, a: Part, b: Part, fromRow: number, toRow: number, fromColumn: number, toColumn: number, inner: number, add: boolean,
): void {
  for (let i = fromRow; i < toRow; i++) {
    for (let j = fromColumn; j < toColumn; j++) {
      let sum = 0;
      let [at, of] = [a.from + i * a.row, b.from + j * b.column];
      for (let t = 0; t < inner; t++, at += a.column, of += b.row) sum += a.data[at] * b.data[of];
      const o = c.from + i * c.row + j;
      c.data[o] = add ? c.data[o] + sum : sum;
    }
  }
}

/** The arrays that an evaluation works in, kept from one to the next: room for so many tokens of d numbers. */
export function roomFor(n: number, d: number) {
  const [out, phiQ, phiK] = [0, 1, 2].map(() => new Float32Array(n * d));
  // Of the map 64 rows exist at a time.
  return { d, out, phiQ, phiK, weights: new Float32Array(BLOCK * n), kv: new Float32Array(d * d), sums: new Float64Array(Math.max(BLOCK, d)) };
}

export type Room = ReturnType<typeof roomFor>;

/** softmax(Q K^T / sqrt d) V: twin of `softmax_attention`. The map is formed 64 rows at a time, never whole. */
export function softmaxAttention(q: Float32Array, k: Float32Array, v: Float32Array, n: number, room: Room): Float32Array {
  const { d, out, weights, sums } = room;
  const map = rowsOf(weights, n);
  for (let from = 0; from < n; from += BLOCK) {
    const rows = Math.min(BLOCK, n - from);
    product(map, rowsOf(q, d, from), turned(rowsOf(k, d)), rows, d, n);
    exponentials(weights, rows, n, 1 / Math.sqrt(d), sums);
    product(rowsOf(out, d, from), map, rowsOf(v, d), rows, n, d);
    divideRows(out, from, rows, d, sums);
  }
  return out;
}

/** exp(scale (x - largest)) in each row, and what it sums to. */
function exponentials(x: Float32Array, rows: number, n: number, scale: number, sums: Float64Array): void {
  for (let i = 0; i < rows; i++) {
    const [from, to] = [i * n, (i + 1) * n];
    let largest = -Infinity;
    for (let j = from; j < to; j++) if (x[j] > largest) largest = x[j];
    let sum = 0;
    for (let j = from; j < to; j++) {
      const e = Math.exp(scale * (x[j] - largest));
      x[j] = e;
      sum += e;
    }
    sums[i] = sum;
  }
}

/** Each row divided by its sum; zeros where that is zero. */
function divideRows(x: Float32Array, from: number, rows: number, d: number, sums: Float64Array): void {
  for (let i = 0; i < rows; i++) {
    const inverse = sums[i] === 0 ? 0 : 1 / sums[i];
    for (let c = (from + i) * d; c < (from + i + 1) * d; c++) x[c] *= inverse;
  }
}

/** Q (K^T V) with rows divided by their sums, on mapped queries and keys: twin of `linear_attention`. */
export function linearAttention(phiQ: Float32Array, phiK: Float32Array, v: Float32Array, n: number, room: Room): Float32Array {
  const { d, out, kv, sums } = room;
  const keySum = new Float64Array(d);
  kv.fill(0);
  for (let from = 0; from < n; from += BLOCK) {
    const tokens = Math.min(BLOCK, n - from);
    product(rowsOf(kv, d), turned(rowsOf(phiK, d, from)), rowsOf(v, d, from), d, tokens, d, true);
    for (let j = from; j < from + tokens; j++) for (let c = 0; c < d; c++) keySum[c] += phiK[j * d + c];
  }
  for (let from = 0; from < n; from += BLOCK) {
    const tokens = Math.min(BLOCK, n - from);
    product(rowsOf(out, d, from), rowsOf(phiQ, d, from), rowsOf(kv, d), tokens, d, d);
    for (let i = 0; i < tokens; i++) {
      let sum = 0;
      for (let c = 0; c < d; c++) sum += phiQ[(from + i) * d + c] * keySum[c];
      sums[i] = sum;
    }
    divideRows(out, from, tokens, d, sums);
  }
  return out;
}

export function reluRows(x: Float32Array, out: Float32Array, entries: number): Float32Array {
  for (let i = 0; i < entries; i++) out[i] = x[i] > 0 ? x[i] : 0;
  return out;
}

/** f_p(ReLU(x)) row by row: twin of `focused_map`.
 *
 * Without `keepLength` rows have the right direction alone: a query's length cancels in the division by the row's sum.
 */
export function focusedRows(x: Float32Array, out: Float32Array, n: number, d: number, p: number, keepLength = true): Float32Array {
  for (let from = 0; from < n * d; from += d) {
    let largest = 0;
    for (let c = from; c < from + d; c++) if (x[c] > largest) largest = x[c];
    const inverse = largest > 0 ? 1 / largest : 0;
    let length = 0;
    let poweredLength = 0;
    for (let c = from; c < from + d; c++) {
      const unit = x[c] > 0 ? x[c] * inverse : 0;
      const powered = power(unit, p);
      length += unit * unit;
      poweredLength += powered * powered;
      out[c] = powered;
    }
    if (!keepLength || largest === 0) continue;
    const scale = Math.sqrt(length / poweredLength) * largest;
    for (let c = from; c < from + d; c++) out[c] *= scale;
  }
  return out;
}

/** x ** p for x >= 0; by products where p is a small whole number: a general power takes several times as long. */
export function power(x: number, p: number): number {
  if (p === 3) return x * x * x;
  if (p > 8 || p !== Math.floor(p)) return x ** p;
  let y = x;
  for (let i = 1; i < p; i++) y *= x;
  return y;
}

/** out += each channel of v convolved over the grid, zeros beyond its edges: twin of `depthwise_conv`.
 *
 * `kernel` holds one side x side kernel a channel, channels last: all channels of a place stand together, as in v.
 */
export function addConvolution(
  out: Float32Array, v: Float32Array, kernel: Float32Array, side: number, [height, width]: readonly [number, number], d: number,
): void {
  const reach = (side - 1) / 2;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const here = (y * width + x) * d;
      for (let i = Math.max(0, reach - y); i < Math.min(side, height + reach - y); i++) {
        for (let j = Math.max(0, reach - x); j < Math.min(side, width + reach - x); j++) {
          const there = ((y + i - reach) * width + x + j - reach) * d;
          const weights = (i * side + j) * d;
          for (let c = 0; c < d; c++) out[here + c] += kernel[weights + c] * v[there + c];
        }
      }
    }
  }
}
