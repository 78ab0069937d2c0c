// Colour scales along straight lines in OKLab, where equal steps look alike; blue and yellow or orange, which readers
// with any common colour blindness tell apart. Black is nothing, in both.

type Lab = [lightness: number, greenRed: number, blueYellow: number];
export type Rgb = [number, number, number];

const DARK: Lab = [0.16, -0.005, -0.035];
const BRIGHT: Lab = [0.95, -0.02, 0.13];
const POSITIVE: Lab = [0.84, 0.06, 0.14];
const NEGATIVE: Lab = [0.72, -0.06, -0.14];
const STEPS = 256;

function toRgb([l, a, b]: Lab): Rgb {
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

function line(from: Lab, to: Lab): Rgb[] {
  return Array.from({ length: STEPS }, (_, i) => {
    const t = i / (STEPS - 1);
    return toRgb(from.map((start, c) => start + t * (to[c] - start)) as Lab);
  });
}

const SEQUENTIAL = line(DARK, BRIGHT);
const UP = line(DARK, POSITIVE);
const DOWN = line(DARK, NEGATIVE);

/** From 0, dark, to 1, bright. */
export const sequential = (share: number) => SEQUENTIAL[Math.round(Math.min(1, Math.max(0, share)) * (STEPS - 1))];

/** From -1, blue, over 0, dark, to 1, orange. */
export const diverging = (share: number) => (share < 0 ? DOWN : UP)[Math.round(Math.min(1, Math.abs(share)) * (STEPS - 1))];

/** A style sheet's gradient of a scale. */
export function gradient(scale: (share: number) => Rgb, from: number): string {
  const stops = Array.from({ length: 17 }, (_, i) => `rgb(${scale(from + ((1 - from) * i) / 16).join(" ")})`);
  return `linear-gradient(90deg, ${stops.join(", ")})`;
}
