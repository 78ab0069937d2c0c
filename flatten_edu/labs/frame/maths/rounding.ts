// Number formats: twins of `FORMATS` and `round_to` in flatten_edu.analysis.formats, equal to PyTorch's bit for bit.

export type Format = "fp16" | "bf16" | "fp32";

/** The largest number, the smallest at full precision, and the smallest of all. */
export const LIMITS: Record<Format, { largest: number; normal: number; subnormal: number }> = {
  fp16: { largest: 65504, normal: 2 ** -14, subnormal: 2 ** -24 },
  bf16: { largest: (2 - 2 ** -7) * 2 ** 127, normal: 2 ** -126, subnormal: 2 ** -133 },
  fp32: { largest: (2 - 2 ** -23) * 2 ** 127, normal: 2 ** -126, subnormal: 2 ** -149 },
};

/** Round float32 numbers to the format in their place; `bits` are the same bytes. */
export function roundAll(format: Format, x: Float32Array, bits: Uint32Array): void {
  if (format === "fp16") roundToHalf(x, bits);
  else if (format === "bf16") roundToBrain(bits);
}

const SIGN = 0x80000000;
const INFINITE = 0x7f800000; // larger ones are NaN
const HALF_NORMAL = 0x38800000; // 2^-14
const HALF_BEYOND = 0x477ff000; // 65520, half a step above 65504

function roundToHalf(x: Float32Array, bits: Uint32Array): void {
  for (let i = 0; i < bits.length; i++) {
    const b = bits[i];
    const size = b & ~SIGN;
    if (size >= HALF_NORMAL && size < HALF_BEYOND) {
      // 13 of the 23 bits go; just under half, and one more where the last bit that stays is odd.
      bits[i] = (b + 0xfff + ((b >>> 13) & 1)) & ~0x1fff;
    } else if (size < HALF_NORMAL) {
      // Between 1/2 and 1 float32's steps are 2^-24, fp16's subnormal ones.
      x[i] = Math.fround(Math.abs(x[i]) + 0.5) - 0.5;
      bits[i] |= b & SIGN;
    } else if (size <= INFINITE) {
      bits[i] = (b & SIGN) | INFINITE;
    }
  }
}

function roundToBrain(bits: Uint32Array): void {
  for (let i = 0; i < bits.length; i++) {
    const b = bits[i];
    if ((b & ~SIGN) <= INFINITE) bits[i] = (b + 0x7fff + ((b >>> 16) & 1)) & ~0xffff; // carries into Inf by itself
  }
}
