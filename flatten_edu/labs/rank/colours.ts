// The colours of a map's entries: from the page's ground at zero to blue for positive and orange for negative numbers.
import { paintNumbers, ramp, STEPS, type Rgb } from "../frame";

/** Colours for entries >= 0, and for entries < 0, each from zero to the largest size. */
export type Scale = readonly [positive: Rgb[], negative: Rgb[]];

const ENDS = { light: { from: 1, to: 0.34, chroma: 0.16 }, dark: { from: 0.2126, to: 0.92, chroma: 0.15 } };
const [BLUE, ORANGE] = [255, 52].map((degrees) => (degrees * Math.PI) / 180);

export function scaleFor(dark: boolean): Scale {
  const { from, to, chroma } = ENDS[dark ? "dark" : "light"];
  const half = (hue: number) => ramp((t) => {
    const c = chroma * Math.sin(0.76 * Math.PI * t);
    return [from + (to - from) * t, c * Math.cos(hue), c * Math.sin(hue)];
  });
  return [half(BLUE), half(ORANGE)];
}

/** Paint numbers as one pixel each. A number's place on the scale is the root of its share of `largest`. */
export function paint(canvas: HTMLCanvasElement, values: ArrayLike<number>, width: number, largest: number, scale: Scale): void {
  paintNumbers(canvas, width, values.length / width, (row, column) => {
    const value = values[row * width + column];
    return scale[value < 0 ? 1 : 0][largest > 0 ? Math.round((STEPS - 1) * Math.sqrt(Math.abs(value) / largest)) : 0];
  });
}

/** Calls `changed` when the page turns light or dark; returns what ends that. */
export function watchTheme(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  const options = { attributes: true, attributeFilter: ["data-theme", "theme", "data-jp-theme-light"] };
  observer.observe(document.documentElement, options);
  observer.observe(document.body, options);
  return () => observer.disconnect();
}

export function isDark(node: Element): boolean {
  const ground = getComputedStyle(node.closest(".fe-lab") ?? node).backgroundColor;
  return Number(/\d+/.exec(ground)?.[0] ?? 255) < 128;
}
