// Numbers as this lab writes them.

/** With commas up to seven digits; longer ones rounded, in words. */
export function count(value: number): string {
  if (value < 1e7) return value.toLocaleString("en-GB");
  return value < 1e9 ? `${(value / 1e6).toFixed(1)} million` : `${(value / 1e9).toFixed(2)} billion`;
}

const UNITS: readonly [number, string][] = [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]];

export function bytes(value: number): string {
  const [size, unit] = UNITS.find(([size]) => value >= size) ?? [1, "bytes"];
  return size === 1 ? `${value} ${unit}` : `${Number((value / size).toPrecision(3))} ${unit}`;
}

/** A ratio that is at least 1: three digits, or all before the point. */
export const times = (ratio: number) => ratio < 100 ? String(Number(ratio.toPrecision(3))) : Math.round(ratio).toLocaleString("en-GB");

/** An entry of a small matrix, in few characters. */
export function short(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e4) return String(value).replace("-", "−");
  const size = Math.abs(value);
  const text = size >= 1e4 || size < 0.005 ? value.toExponential(0)
    : value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
  return text.replace("-", "−");
}
