// A reader's picture, brought to what a small model sees.

/** Twin of `centre_square`: the largest square in the middle, each pixel the mean of those whose middles it covers. */
export function centreSquare(rgba: ArrayLike<number>, width: number, height: number, size: number): Uint8ClampedArray {
  const side = Math.min(width, height);
  const columns = spans((width - side) / 2, side, size);
  const rows = spans((height - side) / 2, side, size);
  const out = new Uint8ClampedArray(size * size * 3);
  rows.forEach(([top, bottom], row) => columns.forEach(([left, right], column) => {
    for (let channel = 0; channel < 3; channel++) {
      let sum = 0;
      for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += rgba[(y * width + x) * 4 + channel];
      out[(row * size + column) * 3 + channel] = Math.round(sum / ((bottom - top) * (right - left)));
    }
  }));
  return out;
}

/** For each of `size` pixels the first and the last source pixel, exclusive; at least one. */
function spans(start: number, side: number, size: number): [number, number][] {
  const step = side / size;
  return Array.from({ length: size }, (_, i) => {
    const middle = start + (i + 0.5) * step;
    const reach = Math.max(step, 1) / 2;
    const from = Math.max(0, Math.floor(middle - reach + 0.5));
    return [from, Math.max(from + 1, Math.floor(middle + reach + 0.5))];
  });
}
