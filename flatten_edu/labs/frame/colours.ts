// Colour scales along straight lines in OKLab (Ottosson 2020), where equal steps look alike; their hues are such that
// readers with any common colour blindness tell them apart.

export type OkLab = readonly [lightness: number, greenRed: number, blueYellow: number];
export type Rgb = [number, number, number];

export const STEPS = 256;

/** The bytes of sRGB. */
function toRgb([l, a, b]: OkLab): Rgb {
  const [x, y, z] = [
    l + 0.3963377774 * a + 0.2158037573 * b,
    l - 0.1055613458 * a - 0.0638541728 * b,
    l - 0.0894841775 * a - 1.291485548 * b,
  ].map((root) => root ** 3);
  return [
    4.0767416621 * x - 3.3077115913 * y + 0.2309699292 * z,
    -1.2684380046 * x + 2.6097574011 * y - 0.3413193965 * z,
    -0.0041960863 * x - 0.7034186147 * y + 1.707614701 * z,
  ].map((light) => {
    const clipped = Math.min(1, Math.max(0, light));
    return Math.round(255 * (clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055));
  }) as Rgb;
}

export const ramp = (colour: (t: number) => OkLab): Rgb[] =>
  Array.from({ length: STEPS }, (_, i) => toRgb(colour(i / (STEPS - 1))));

export const colourAt = (colours: readonly Rgb[], share: number) => colours[Math.round(Math.min(1, Math.max(0, share)) * (STEPS - 1))];

/** Paint numbers as one pixel each, row after row. */
export function paintNumbers(
  canvas: HTMLCanvasElement, width: number, height: number, colour: (row: number, column: number) => Rgb,
): void {
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const image = new ImageData(width, height);
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at += 4) {
      image.data.set(colour(row, column), at);
      image.data[at + 3] = 255;
    }
  }
  canvas.getContext("2d")!.putImageData(image, 0, 0);
}
