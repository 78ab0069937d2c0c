// The colours of a map's entries: evenly spaced to the eye, since lightness is a straight line in OKLab, from the page's
// ground at zero to blue for positive and orange for negative numbers, which colour-blind readers tell apart.

const STEPS = 256;

/** Colours as bytes r, g, b: [0] for entries >= 0, [1] for entries < 0, each from zero to the largest size. */
export type Scale = readonly [positive: Uint8Array, negative: Uint8Array];

const ENDS = { light: { from: 1, to: 0.34, chroma: 0.16 }, dark: { from: 0.2126, to: 0.92, chroma: 0.15 } };
const HUES = [255, 52]; // degrees in OKLab: blue, orange

export function scaleFor(dark: boolean): Scale {
  const { from, to, chroma } = ENDS[dark ? "dark" : "light"];
  const ramp = (hue: number) => {
    const out = new Uint8Array(3 * STEPS);
    for (let i = 0; i < STEPS; i++) {
      const t = i / (STEPS - 1);
      const c = chroma * Math.sin(0.76 * Math.PI * t);
      out.set(fromOklab(from + (to - from) * t, c * Math.cos((hue * Math.PI) / 180), c * Math.sin((hue * Math.PI) / 180)), 3 * i);
    }
    return out;
  };
  return [ramp(HUES[0]), ramp(HUES[1])];
}

/** OKLab (Ottosson 2020) to the bytes of sRGB. */
function fromOklab(lightness: number, a: number, b: number): number[] {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((light) => {
    const x = Math.min(Math.max(light, 0), 1);
    return Math.round(255 * (x <= 0.0031308 ? 12.92 * x : 1.055 * x ** (1 / 2.4) - 0.055));
  });
}

/** Paint numbers as one pixel each. A number's place on the scale is the root of its share of `largest`. */
export function paint(canvas: HTMLCanvasElement, values: ArrayLike<number>, width: number, largest: number, scale: Scale): void {
  const height = values.length / width;
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const image = new ImageData(width, height);
  for (let i = 0; i < values.length; i++) {
    const ramp = scale[values[i] < 0 ? 1 : 0];
    const at = 3 * (largest > 0 ? Math.round((STEPS - 1) * Math.sqrt(Math.abs(values[i]) / largest)) : 0);
    image.data[4 * i] = ramp[at];
    image.data[4 * i + 1] = ramp[at + 1];
    image.data[4 * i + 2] = ramp[at + 2];
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d")!.putImageData(image, 0, 0);
}

/** Calls `changed` when the page turns light or dark; returns what ends that. */
export function watchTheme(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  const options = { attributes: true, attributeFilter: ["data-theme", "theme", "data-jp-theme-light"] };
  observer.observe(document.documentElement, options);
  observer.observe(document.body, options);
  return () => observer.disconnect();
}

/** Whether an element of the lab stands on a dark ground. */
export function isDark(node: Element): boolean {
  const ground = getComputedStyle(node).getPropertyValue("--fe-ground").trim();
  return parseInt(ground.slice(1, 3), 16) < 128;
}
