// The focused attention module's core, operation by operation in a number format: twin of `focused_steps` and of the
// measures in flatten_edu.analysis.formats.
import { roundAll, type Format } from "./rounding";

export type Reals = Float32Array | Float64Array;
export interface Matrix { rows: number; columns: number; data: Reals }
export interface Fixes { row_max: boolean; over_sqrt_n: boolean; wide_sums: boolean; whole: boolean }
export type Steps = Record<string, Reals>;

const EPS = 1e-6;
const SCALE = Math.LN2; // softplus(0)

/** How results are stored, and partial sums: float32 or float64 arrays, rounded in their place. */
class Arithmetic {
  constructor(private readonly exact: boolean, private readonly format: Format, private readonly wideSums: boolean) {}

  array(size: number): Reals {
    return this.exact ? new Float64Array(size) : new Float32Array(size);
  }

  number(value: number): number {
    return this.exact ? value : Math.fround(value);
  }

  store(x: Reals): Reals {
    if (!this.exact) roundAll(this.format, x as Float32Array, new Uint32Array(x.buffer));
    return x;
  }

  /** An array from its entries' rule: computed in float64, to float32 as it is written, then to the format. */
  make(size: number, entry: (i: number) => number): Reals {
    const out = this.array(size);
    for (let i = 0; i < size; i++) out[i] = entry(i);
    return this.store(out);
  }

  /** Sums from the first term to the last, each partial sum stored unless sums are wide; `fill` writes a term's products. */
  sum(size: number, terms: number, fill: (products: Reals, term: number) => void): Reals {
    const [total, products] = [this.array(size), this.array(size)];
    const narrow = !this.exact && !this.wideSums;
    const bits = narrow ? [new Uint32Array(total.buffer), new Uint32Array(products.buffer)] : [];
    for (let term = 0; term < terms; term++) {
      fill(products, term);
      if (narrow) roundAll(this.format, products as Float32Array, bits[1]);
      if (this.exact) addTo(total, products);
      else addTo32(total as Float32Array, products as Float32Array);
      if (narrow) roundAll(this.format, total as Float32Array, bits[0]);
    }
    return total;
  }
}

// One function an array type, so that each stays fast.
function addTo(total: Reals, terms: Reals): void {
  for (let i = 0; i < total.length; i++) total[i] += terms[i];
}
function addTo32(total: Float32Array, terms: Float32Array): void {
  for (let i = 0; i < total.length; i++) total[i] += terms[i];
}

/** Every tensor of the module's core by name, in the official code's order. `exact` is the same in float64. */
export function focusedSteps(
  q: Matrix, k: Matrix, v: Matrix, format: Format, p: number, fixes: Fixes, exact = false,
): Steps {
  const inputs = new Arithmetic(false, format, false);
  const a = new Arithmetic(exact, fixes.whole ? "fp32" : format, fixes.wide_sums);
  const input = ({ rows, columns, data }: Matrix): Matrix => {
    const rounded = inputs.make(data.length, (i) => data[i]);
    return { rows, columns, data: exact ? Float64Array.from(rounded) : rounded };
  };
  const [iq, ik, iv] = [q, k, v].map(input);
  const steps: Steps = { input_q: iq.data, input_k: ik.data, input_v: iv.data };
  mapped(steps, "q", iq, p, fixes, a);
  mapped(steps, "k", ik, p, fixes, a);
  attended(steps, { ...iq, data: steps.phi_q }, { ...ik, data: steps.phi_k }, iv, fixes, a);
  if (!exact) steps.out = inputs.store(steps.out);
  return steps;
}

function mapped(steps: Steps, name: "q" | "k", x: Matrix, p: number, fixes: Fixes, a: Arithmetic): void {
  const { rows, columns: d, data } = x;
  const row = (i: number) => Math.floor(i / d);
  const norm = function (r: Reals): Reals {
    const squares = a.sum(rows, d, (products, c) => {
      for (let i = 0; i < rows; i++) products[i] = r[i * d + c] * r[i * d + c];
    });
    return a.make(rows, (i) => Math.sqrt(squares[i]));
  };
  const keep = (step: string, tensor: Reals) => (steps[`${step}_${name}`] = tensor);
  const [eps, [scale]] = [a.number(EPS), a.store(a.make(1, () => a.number(SCALE)))];
  const relu = keep("relu", a.make(data.length, (i) => Math.max(data[i], 0) + eps));
  let r = keep("scaled", a.make(data.length, (i) => relu[i] / scale));
  const length = keep("norm", norm(r));
  if (fixes.row_max) {
    const scaled = r;
    const largest = a.make(rows, (i) => Math.max(0, ...scaled.subarray(i * d, (i + 1) * d)));
    r = keep("unit", a.make(data.length, (i) => scaled[i] / largest[row(i)]));
  }
  const power = keep("power", a.store(wholePower(r, p)));
  const powerLength = keep("power_norm", norm(power));
  const unit = a.make(data.length, (i) => power[i] / powerLength[row(i)]);
  keep("phi", a.make(data.length, (i) => unit[i] * length[row(i)]));
}

/** x**p as p - 1 products, from the left: twin of `whole_power`. */
function wholePower(x: Reals, p: number): Reals {
  const power = x.slice();
  for (let factor = 1; factor < p; factor++) {
    for (let i = 0; i < x.length; i++) power[i] *= x[i];
  }
  return power;
}

function attended(steps: Steps, q: Matrix, k: Matrix, v: Matrix, fixes: Fixes, a: Arithmetic): void {
  const [n, m, d, e] = [q.rows, k.rows, k.columns, v.columns];
  const total = a.sum(d, m, (products, j) => {
    for (let c = 0; c < d; c++) products[c] = k.data[j * d + c];
  });
  const keySum = (steps.key_sum = fixes.over_sqrt_n ? a.make(d, (c) => total[c] / m) : a.store(total));
  let [ks, vs] = [k.data, v.data];
  if (fixes.over_sqrt_n) {
    const root = a.number(1 / Math.sqrt(m));
    ks = steps.small_k = a.make(ks.length, (i) => k.data[i] * root);
    vs = steps.small_v = a.make(vs.length, (i) => v.data[i] * root);
  }
  const product = a.store(a.sum(n, d, (products, c) => {
    for (let i = 0; i < n; i++) products[i] = q.data[i * d + c] * keySum[c];
  }));
  const eps = a.number(EPS);
  const similarity = (steps.similarity = a.make(n, (i) => product[i] + eps));
  const inverse = (steps.inverse = a.make(n, (i) => 1 / similarity[i]));
  const kv = (steps.kv = a.store(a.sum(d * e, m, (products, j) => outer(products, ks, j * d, 1, d, vs, j * e, e))));
  const numerator = (steps.numerator = a.store(a.sum(n * e, d, (products, c) =>
    outer(products, q.data, c, d, n, kv, c * e, e))));
  steps.out = a.make(n * e, (i) => numerator[i] * inverse[Math.floor(i / e)]);
}

/** Every product of `count` entries of x, from `x0` on in strides, with `e` entries of y from `y0` on. */
function outer(products: Reals, x: Reals, x0: number, stride: number, count: number, y: Reals, y0: number, e: number): void {
  for (let i = 0; i < count; i++) {
    const factor = x[x0 + i * stride];
    for (let f = 0; f < e; f++) products[i * e + f] = factor * y[y0 + f];
  }
}

export interface StoredRange { smallest: number; largest: number; overflowed: number; flushed: number; nan: number }

/** Twin of `stored_range`: the finite entries' range, and the shares that became Inf, zero or NaN. */
export function storedRange(stored: Reals, exact: Reals): StoredRange {
  let [smallest, largest, infinite, zero, nan] = [Infinity, 0, 0, 0, 0];
  for (let i = 0; i < stored.length; i++) {
    const size = Math.abs(stored[i]);
    if (size === 0) zero += exact[i] === 0 ? 0 : 1;
    else if (size === Infinity) infinite += 1;
    else if (size > 0) {
      if (size < smallest) smallest = size;
      if (size > largest) largest = size;
    } else nan += 1;
  }
  const n = stored.length;
  const range = largest > 0 ? { smallest, largest } : { smallest: NaN, largest: NaN };
  return { ...range, overflowed: infinite / n, flushed: zero / n, nan: nan / n };
}

/** Twin of `output_error`: NaN where the output holds NaN or Inf. */
export function outputError(stored: Reals, exact: Reals): number {
  let [error, largest] = [0, 0];
  for (let i = 0; i < stored.length; i++) {
    if (!Number.isFinite(stored[i])) return NaN;
    error = Math.max(error, Math.abs(stored[i] - exact[i]));
    largest = Math.max(largest, Math.abs(exact[i]));
  }
  return error / largest;
}
