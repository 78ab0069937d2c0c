// A picture in a canvas with its patches lit by weights, and the query patch outlined.
import { PIXELS, type Grid } from "./patches";

/** What lies over a patch without weight: red, green, blue. */
export const NIGHT = "8 10 20";

export type Box = [left: number, top: number, width: number, height: number];

/** Where a patch lies in the canvas, in whole pixels, so that no seam shows between two. */
export function boxOf(patch: number, [rows, columns]: Grid): Box {
  const [row, column] = [Math.floor(patch / columns), patch % columns];
  const [left, top] = [Math.round((column * PIXELS) / columns), Math.round((row * PIXELS) / rows)];
  return [left, top, Math.round(((column + 1) * PIXELS) / columns) - left, Math.round(((row + 1) * PIXELS) / rows) - top];
}

/** A canvas's context for a picture whose pixels are shown as they are: a model sees these, and no others between them. */
export function start(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d")!;
  context.imageSmoothingEnabled = false;
  return context;
}

export function outline(context: CanvasRenderingContext2D, box: Box): void {
  for (const [colour, lineWidth] of [["#000", 5], ["#ffb000", 3]] as const) {
    context.strokeStyle = colour;
    context.lineWidth = lineWidth;
    context.strokeRect(...box);
  }
}

/** Lay a colour over each patch, as opaque as `cover` says. */
export function overlay(
  context: CanvasRenderingContext2D, grid: Grid, colour: (patch: number) => string, cover: (patch: number) => number,
): void {
  for (let patch = 0; patch < grid[0] * grid[1]; patch++) {
    context.fillStyle = `rgb(${colour(patch)} / ${cover(patch)})`;
    context.fillRect(...boxOf(patch, grid));
  }
}

/** A weight's brightness, 0 to 1: a screen's light grows with about the square of the value painted, hence the root. */
export const brightness = (weight: number, top: number) => (top > 0 ? Math.sqrt(Math.min(1, Math.abs(weight) / top)) : 0);

/**
 * The picture with each patch lit in proportion to its weight, as share of `top`. It is lifted towards white first by
 * `lift`, so that a dark patch which gets much weight can be told from one that gets none.
 */
export function drawLit(
  canvas: HTMLCanvasElement, picture: CanvasImageSource, weights: ArrayLike<number>, top: number, grid: Grid, patch: number, lift = 0,
): void {
  const context = start(canvas);
  context.drawImage(picture, 0, 0, PIXELS, PIXELS);
  context.fillStyle = `rgb(255 255 255 / ${lift})`;
  context.fillRect(0, 0, PIXELS, PIXELS);
  overlay(context, grid, () => NIGHT, (i) => 0.92 * (1 - brightness(weights[i], top)));
  outline(context, boxOf(patch, grid));
}
