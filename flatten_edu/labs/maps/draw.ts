// What stands in a canvas: the picture, the picture lit by a row of weights, or a whole map as a matrix.
import { boxOf, brightness, drawLit, NIGHT, outline, overlay, paintNumbers, PIXELS, start, type Grid, type Rgb } from "../frame";
import { diverging, sequential } from "./colour";
import type { Picture } from "./state";

/** Canvases of what does not change, so that another query costs no pixel's work. */
const painted = new WeakMap<object, { key: string; canvas: HTMLCanvasElement }>();

function kept(of: object, key: string, paint: (canvas: HTMLCanvasElement) => void): HTMLCanvasElement {
  const known = painted.get(of);
  if (known?.key === key) return known.canvas;
  const canvas = document.createElement("canvas");
  paint(canvas);
  painted.set(of, { key, canvas });
  return canvas;
}

/** A picture as a canvas of its own pixels, greyed if asked for. */
function bitmap({ size: [height, width], pixels }: Picture, grey = false): HTMLCanvasElement {
  const paint = (canvas: HTMLCanvasElement) => paintNumbers(canvas, width, height, (row, column): Rgb => {
    const i = 3 * (row * width + column);
    const [red, green, blue] = [pixels[i], pixels[i + 1], pixels[i + 2]];
    const light = 0.3 * red + 0.59 * green + 0.11 * blue;
    return grey ? [light, light, light] : [red, green, blue];
  });
  return kept(pixels, String(grey), paint);
}

export function drawPicture(canvas: HTMLCanvasElement, picture: Picture, grid?: Grid, patch = 0): void {
  const context = start(canvas);
  context.drawImage(bitmap(picture), 0, 0, canvas.width, canvas.height);
  if (grid) outline(context, boxOf(patch, grid));
}

/** The picture lit by weights, lifted: the models' pictures are dark. */
export const drawWeights = (canvas: HTMLCanvasElement, picture: Picture, weights: ArrayLike<number>, top: number, grid: Grid, patch: number) =>
  drawLit(canvas, bitmap(picture), weights, top, grid, patch, 0.4);

/** Signed weights over the greyed picture: orange above zero, blue below. */
export function drawSigned(canvas: HTMLCanvasElement, picture: Picture, weights: ArrayLike<number>, top: number, grid: Grid, patch: number): void {
  const context = start(canvas);
  context.drawImage(bitmap(picture, true), 0, 0, PIXELS, PIXELS);
  overlay(context, [1, 1], () => NIGHT, () => 0.7);
  overlay(context, grid, (i) => diverging(Math.sign(weights[i])).join(" "), (i) => 0.9 * brightness(weights[i], top));
  outline(context, boxOf(patch, grid));
}

export function drawMatrix(canvas: HTMLCanvasElement, rows: readonly ArrayLike<number>[], top: number, signed: boolean, patch: number): void {
  const n = rows.length;
  const matrix = kept(rows, `${top} ${signed}`, (own) => paintNumbers(own, n, n, (i, j) => {
    const share = brightness(rows[i][j], top);
    return signed ? diverging(rows[i][j] < 0 ? -share : share) : sequential(share);
  }));
  const context = start(canvas);
  context.drawImage(matrix, 0, 0, PIXELS, PIXELS);
  outline(context, [1.5, (patch * PIXELS) / n - 1, PIXELS - 3, PIXELS / n + 2]);
}
