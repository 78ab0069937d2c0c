// What stands in a canvas: the picture, the picture lit by a row of weights, or a whole map as a matrix.
import { diverging, sequential, type Rgb } from "./colour";
import type { Picture } from "./engine";

export const PIXELS = 336; // of each canvas; the page scales it
type Grid = readonly [number, number];

/** Red, green, blue, from 0 to 255; and the patch that a pixel belongs to. */
type Tone = (pixel: Rgb, patch: number) => Rgb;
const asIs: Tone = (pixel) => pixel;
const NIGHT: Rgb = [8, 10, 20];

const mixed = (from: Rgb, to: Rgb, share: number) => from.map((entry, c) => entry + (to[c] - entry) * share) as Rgb;

/** A picture as a small canvas of its own pixels, at least one a patch. */
function bitmap({ size: [height, width], pixels }: Picture, [rows, columns]: Grid = [1, 1], tone: Tone = asIs): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.max(width, columns), Math.max(height, rows)];
  const image = new ImageData(canvas.width, canvas.height);
  for (let y = 0, at = 0; y < canvas.height; y++) {
    const row = Math.floor((y * rows) / canvas.height);
    const from = Math.floor((y * height) / canvas.height) * width;
    for (let x = 0; x < canvas.width; x++, at += 4) {
      const i = 3 * (from + Math.floor((x * width) / canvas.width));
      const patch = row * columns + Math.floor((x * columns) / canvas.width);
      const [red, green, blue] = tone([pixels[i], pixels[i + 1], pixels[i + 2]], patch);
      image.data[at] = red;
      image.data[at + 1] = green;
      image.data[at + 2] = blue;
      image.data[at + 3] = 255;
    }
  }
  canvas.getContext("2d")!.putImageData(image, 0, 0);
  return canvas;
}

function start(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d")!;
  context.imageSmoothingEnabled = false; // a model sees these pixels, and no others between them
  return context;
}

const cell = (i: number, [rows, columns]: Grid): [number, number, number, number] =>
  [((i % columns) * PIXELS) / columns, (Math.floor(i / columns) * PIXELS) / rows, PIXELS / columns, PIXELS / rows];

function outline(context: CanvasRenderingContext2D, box: [number, number, number, number]): void {
  for (const [colour, lineWidth] of [["#000", 5], ["#ffb000", 3]] as const) {
    context.strokeStyle = colour;
    context.lineWidth = lineWidth;
    context.strokeRect(...box);
  }
}

/** The picture itself; with a query patch, outlined. */
export function drawPicture(canvas: HTMLCanvasElement, picture: Picture, grid?: Grid, patch = 0): void {
  const context = start(canvas);
  context.drawImage(bitmap(picture), 0, 0, canvas.width, canvas.height);
  if (grid) outline(context, cell(patch, grid));
}

/**
 * The picture with each patch lit in proportion to its weight, as share of `top`. It is lifted first, so that a dark
 * patch which gets much weight can be told from one that gets none.
 * A screen's light grows with about the square of the value that is painted: hence the root.
 */
export function drawLit(canvas: HTMLCanvasElement, picture: Picture, weights: ArrayLike<number>, top: number, grid: Grid, patch: number): void {
  const tone: Tone = ([red, green, blue], i) =>
    mixed(NIGHT, [102 + 0.6 * red, 102 + 0.6 * green, 102 + 0.6 * blue], 0.08 + 0.92 * root(weights[i], top));
  const context = start(canvas);
  context.drawImage(bitmap(picture, grid, tone), 0, 0, PIXELS, PIXELS);
  outline(context, cell(patch, grid));
}

/** Signed weights over the greyed picture: orange above zero, blue below. */
export function drawSigned(canvas: HTMLCanvasElement, picture: Picture, weights: ArrayLike<number>, top: number, grid: Grid, patch: number): void {
  const tone: Tone = ([red, green, blue], i) => {
    const light = 0.3 * red + 0.59 * green + 0.11 * blue;
    return mixed(mixed(NIGHT, [light, light, light], 0.3), diverging(Math.sign(weights[i])), 0.9 * root(weights[i], top));
  };
  const context = start(canvas);
  context.drawImage(bitmap(picture, grid, tone), 0, 0, PIXELS, PIXELS);
  outline(context, cell(patch, grid));
}

/** A whole map, queries down and keys across, the query's row framed. */
export function drawMatrix(canvas: HTMLCanvasElement, rows: readonly ArrayLike<number>[], top: number, signed: boolean, patch: number): void {
  const context = start(canvas);
  context.drawImage(matrixBitmap(rows, top, signed), 0, 0, PIXELS, PIXELS);
  const height = PIXELS / rows.length;
  outline(context, [1.5, patch * height - 1, PIXELS - 3, height + 2]);
}

/** Painted once for all queries. */
const painted = new WeakMap<readonly ArrayLike<number>[], { top: number; signed: boolean; canvas: HTMLCanvasElement }>();

function matrixBitmap(rows: readonly ArrayLike<number>[], top: number, signed: boolean): HTMLCanvasElement {
  const known = painted.get(rows);
  if (known?.top === top && known.signed === signed) return known.canvas;
  const n = rows.length;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = n;
  const image = new ImageData(n, n);
  rows.forEach((row, i) => {
    for (let j = 0; j < n; j++) {
      const share = root(row[j], top);
      const [red, green, blue] = signed ? diverging(row[j] < 0 ? -share : share) : sequential(share);
      const at = 4 * (i * n + j);
      image.data[at] = red;
      image.data[at + 1] = green;
      image.data[at + 2] = blue;
      image.data[at + 3] = 255;
    }
  });
  canvas.getContext("2d")!.putImageData(image, 0, 0);
  painted.set(rows, { top, signed, canvas });
  return canvas;
}

const root = (weight: number, top: number) => (top > 0 ? Math.sqrt(Math.min(1, Math.abs(weight) / top)) : 0);
