// Random numbers that Python draws too, bit for bit: twin of `hash_noise` in flatten_edu.data.

const DRAWS = 12; // the sum of 12 uniform numbers has variance 1
const GOLDEN = 0x9e3779b9;

/** Murmur3's last step: each bit of the input moves about half of the output's. */
function mixed(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Nearly normal numbers, row after row; an entry depends on seed, stream, row and column alone. */
export function hashNoise(seed: number, stream: number, rows: number, columns: number): Float64Array {
  const out = new Float64Array(rows * columns);
  const key = mixed(mixed(seed) ^ stream);
  const marks = Array.from({ length: columns }, (_, column) => mixed(column));
  for (let row = 0; row < rows; row++) {
    const rowKey = mixed(key + Math.imul(row, GOLDEN));
    for (let column = 0; column < columns; column++) out[row * columns + column] = sumOfDraws(mixed(rowKey ^ marks[column]));
  }
  return out;
}

function sumOfDraws(key: number): number {
  let total = 0;
  for (let draw = 0; draw < DRAWS; draw++) total += mixed(key + Math.imul(draw, GOLDEN));
  return total / 2 ** 32 - DRAWS / 2;
}
