// The colours of a map: from dark, which is nothing, to yellow; signed ones to orange above zero and blue below.
import { colourAt, ramp, type OkLab, type Rgb } from "../frame";

const DARK: OkLab = [0.16, -0.005, -0.035];
const towards = (to: OkLab) => ramp((t) => DARK.map((start, c) => start + t * (to[c] - start)) as unknown as OkLab);
const BRIGHT = towards([0.95, -0.02, 0.13]);
const POSITIVE = towards([0.84, 0.06, 0.14]);
const NEGATIVE = towards([0.72, -0.06, -0.14]);

export const sequential = (share: number) => colourAt(BRIGHT, share);

export const diverging = (share: number) => colourAt(share < 0 ? NEGATIVE : POSITIVE, Math.abs(share));

export function gradient(scale: (share: number) => Rgb, from: number): string {
  const stops = Array.from({ length: 17 }, (_, i) => `rgb(${scale(from + ((1 - from) * i) / 16).join(" ")})`);
  return `linear-gradient(90deg, ${stops.join(", ")})`;
}
