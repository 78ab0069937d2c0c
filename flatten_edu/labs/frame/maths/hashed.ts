// Random numbers from nothing but whole numbers, so that Python draws the same: twin of `hashed_normals`.

/** Numbers of mean 0 and variance 1: sums of eight uniform 16-bit numbers, centred and scaled. */
export function hashedNormals(seed: number, count: number): Float32Array {
  const start = mix(seed + 1);
  const out = new Float32Array(count);
  const deviation = 65536 * Math.sqrt(8 / 12);
  for (let i = 0; i < count; i++) {
    let sum = 0;
    for (let j = 0; j < 4; j++) {
      const word = mix(start + Math.imul(4 * i + j, 0x9e3779b1));
      sum += (word & 0xffff) + (word >>> 16);
    }
    out[i] = (sum - 8 * 32767.5) / deviation;
  }
  return out;
}

function mix(x: number): number {
  let y = x >>> 0;
  for (const multiplier of [0x6a09e667, 0xbb67ae85]) y = Math.imul(y ^ (y >>> 15), multiplier) >>> 0;
  return (y ^ (y >>> 16)) >>> 0;
}
