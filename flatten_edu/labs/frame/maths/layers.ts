// The layers of a vision transformer around its attention, on rows of numbers in float64.

/** Rows x times W^T, plus b; W is out x in, as PyTorch keeps it. */
export function linear(x: Float64Array, weight: Float64Array, bias: Float64Array): Float64Array {
  const outputs = bias.length;
  const inputs = weight.length / outputs;
  const out = new Float64Array((x.length / inputs) * outputs);
  for (let i = 0, at = 0; i < x.length; i += inputs, at += outputs) {
    let o = 0;
    // Four outputs at once: their sums do not wait for one another, and a pass takes half the time.
    for (; o + 3 < outputs; o += 4) {
      let a = bias[o], b = bias[o + 1], c = bias[o + 2], d = bias[o + 3];
      for (let e = 0, w = o * inputs; e < inputs; e++, w++) {
        const entry = x[i + e];
        a += entry * weight[w];
        b += entry * weight[w + inputs];
        c += entry * weight[w + 2 * inputs];
        d += entry * weight[w + 3 * inputs];
      }
      out[at + o] = a;
      out[at + o + 1] = b;
      out[at + o + 2] = c;
      out[at + o + 3] = d;
    }
    for (; o < outputs; o++) {
      out[at + o] = bias[o];
      for (let e = 0; e < inputs; e++) out[at + o] += x[i + e] * weight[o * inputs + e];
    }
  }
  return out;
}

export function layerNorm(x: Float64Array, weight: Float64Array, bias: Float64Array, eps = 1e-6): Float64Array {
  const c = weight.length;
  const out = new Float64Array(x.length);
  for (let i = 0; i < x.length; i += c) {
    let mean = 0;
    for (let e = 0; e < c; e++) mean += x[i + e] / c;
    let variance = 0;
    for (let e = 0; e < c; e++) variance += (x[i + e] - mean) ** 2 / c;
    const scale = 1 / Math.sqrt(variance + eps);
    for (let e = 0; e < c; e++) out[i + e] = (x[i + e] - mean) * scale * weight[e] + bias[e];
  }
  return out;
}

/** erf by its series, all of whose terms have one sign: nothing cancels, and 1e-15 is reached everywhere. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size > 5.9) return Math.sign(x); // 1 - erf is below 1e-16
  let term = (2 / Math.sqrt(Math.PI)) * size * Math.exp(-size * size);
  let sum = term;
  for (let k = 1; term > 1e-17 * sum; k++) sum += term *= (2 * size * size) / (2 * k + 1);
  return Math.sign(x) * sum;
}

/** The exact one, x times the normal distribution's share below x. */
export const gelu = (x: number) => (x / 2) * (1 + erf(x / Math.SQRT2));

export const softplus = (x: number) => (x > 20 ? x : Math.log1p(Math.exp(x)));

export function softmax(logits: ArrayLike<number>): number[] {
  const top = Math.max(...Array.from(logits));
  const powers = Array.from(logits, (logit) => Math.exp(logit - top));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}

export const add = (x: Float64Array, y: Float64Array) => x.map((entry, i) => entry + y[i]);

/** W V, of n x n weights and n rows of values. */
export function product(weights: Float64Array, v: Float64Array, n: number): Float64Array {
  const e = v.length / n;
  const out = new Float64Array(v.length);
  for (let i = 0; i < n; i++) {
    const row = out.subarray(i * e, (i + 1) * e);
    for (let j = 0; j < n; j++) {
      const weight = weights[i * n + j];
      if (weight !== 0) for (let c = 0, at = j * e; c < e; c++, at++) row[c] += weight * v[at];
    }
  }
  return out;
}

export function meanRow(x: Float64Array, c: number): Float64Array {
  const mean = new Float64Array(c);
  for (let i = 0; i < x.length; i++) mean[i % c] += x[i] / (x.length / c);
  return mean;
}
