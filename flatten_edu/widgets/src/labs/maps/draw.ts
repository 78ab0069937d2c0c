// What stands in a canvas: the picture, the picture lit by a row of weights, or a whole map as a matrix.
import { diverging, sequential } from "./colour";
import type { Picture } from "./engine";

export const PIXELS = 336; // of each canvas; the page scales it
type Grid = readonly [number, number];

type Pixel = [number, number, number];
const asIs = (rgb: Pixel) => rgb;
/** So that a dark patch which gets much weight can be told from one that gets none. */
const lifted = (rgb: Pixel) => rgb.map((entry) => 102 + 0.6 * entry) as Pixel;
const greyed = ([r, g, b]: Pixel) => Array<number>(3).fill(0.3 * r + 0.59 * g + 0.11 * b) as Pixel;

/** A picture as a small canvas of its own pixels. */
function bitmap({ size: [height, width], pixels }: Picture, toned: (rgb: Pixel) => Pixel = asIs): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    image.data.set([...toned([pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]]), 255], 4 * i);
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
 * The picture with each patch lit in proportion to its weight, as share of `top`.
 * A screen's light grows with about the square of the value that is painted: hence the root.
 */
export function drawLit(canvas: HTMLCanvasElement, picture: Picture, weights: ArrayLike<number>, top: number, grid: Grid, patch: number): void {
  const context = start(canvas);
  context.drawImage(bitmap(picture, lifted), 0, 0, PIXELS, PIXELS);
  for (let i = 0; i < weights.length; i++) {
    context.fillStyle = `rgb(8 10 20 / ${0.92 * (1 - root(weights[i], top))})`;
    context.fillRect(...cell(i, grid));
  }
  outline(context, cell(patch, grid));
}

/** Signed weights over the greyed picture: orange above zero, blue below. */
export function drawSigned(canvas: HTMLCanvasElement, picture: Picture, weights: ArrayLike<number>, top: number, grid: Grid, patch: number): void {
  const context = start(canvas);
  context.drawImage(bitmap(picture, greyed), 0, 0, PIXELS, PIXELS);
  context.fillStyle = "rgb(8 10 20 / 0.7)";
  context.fillRect(0, 0, PIXELS, PIXELS);
  for (let i = 0; i < weights.length; i++) {
    const share = Math.sign(weights[i]) * root(weights[i], top);
    context.fillStyle = `rgb(${diverging(Math.sign(share)).join(" ")} / ${0.9 * Math.abs(share)})`;
    context.fillRect(...cell(i, grid));
  }
  outline(context, cell(patch, grid));
}

/** A whole map, queries down and keys across, the query's row framed. */
export function drawMatrix(canvas: HTMLCanvasElement, rows: readonly ArrayLike<number>[], top: number, signed: boolean, patch: number): void {
  const n = rows.length;
  const image = new ImageData(n, n);
  rows.forEach((row, i) => {
    for (let j = 0; j < n; j++) {
      const share = root(row[j], top);
      image.data.set(signed ? diverging(Math.sign(row[j]) * share) : sequential(share), 4 * (i * n + j));
      image.data[4 * (i * n + j) + 3] = 255;
    }
  });
  const small = document.createElement("canvas");
  small.width = small.height = n;
  small.getContext("2d")!.putImageData(image, 0, 0);
  const context = start(canvas);
  context.drawImage(small, 0, 0, PIXELS, PIXELS);
  const height = PIXELS / n;
  outline(context, [1.5, patch * height - 1, PIXELS - 3, height + 2]);
}

const root = (weight: number, top: number) => (top > 0 ? Math.sqrt(Math.min(1, Math.abs(weight) / top)) : 0);
