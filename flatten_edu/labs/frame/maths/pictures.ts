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
  const reach = Math.max(step, 1);
  return Array.from({ length: size }, (_, i) => {
    const middle = start + (i + 0.5) * step;
    const covers = (pixel: number) => {
      const along = (pixel - middle + 0.5) * (1 / reach); // as Pillow rounds it: which side a tie falls on hangs on it
      return along > -0.5 && along <= 0.5;
    };
    let from = Math.max(0, Math.trunc(middle - reach / 2 + 0.5));
    let to = Math.trunc(middle + reach / 2 + 0.5);
    while (from < to - 1 && !covers(from)) from += 1;
    while (to > from + 1 && !covers(to - 1)) to -= 1;
    return [from, Math.max(to, from + 1)];
  });
}
