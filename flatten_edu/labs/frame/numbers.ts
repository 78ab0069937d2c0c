// Numbers as a reader would write them; all labs write them here.

const RAISED: Record<string, string> = Object.fromEntries([..."-0123456789"].map((c, i) => [c, "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"[i]]));
const LOWERED = "₀₁₂₃₄₅₆₇₈₉";

/** A whole number as superscript, ⁻¹². */
export const raised = (exponent: number) => [...String(exponent)].map((c) => RAISED[c]).join("");

export const lowered = (index: number) => [...String(index)].map((c) => LOWERED[Number(c)]).join("");

export const minus = (text: string) => text.replace("-", "−");

/** So many digits after the point, with a unit. */
export const fixed = (digits: number, unit = "") => (value: number) => value.toFixed(digits) + unit;

export const percent = (value: number) => (100 * value).toFixed(1) + " %";

/** So many digits in all, and no zeros behind them. */
export const significant = (value: number, digits: number) => String(Number(value.toPrecision(digits)));

/** p as a reader would write it: 3, 2.5, 1.05. */
export const formatP = (p: number) => String(Number(p.toFixed(2)));

/** A size below 1 as a fraction where it is one, 1/8; else in so many digits. */
export const fraction = (value: number, digits = 2) =>
  value < 1 && Number.isInteger(1 / value) ? `1/${1 / value}` : significant(value, digits);

export const powerOfTen = (value: number) => `10${raised(Math.round(Math.log10(value)))}`;

export const grouped = (value: number) => Math.round(value).toLocaleString("en-GB");

/** 4.4·10⁻¹⁴; from 0.001 to a million without a power. */
export function scientific(value: number, digits = 3): string {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1000 && size < 999_500) return minus(grouped(value));
  if (size >= 1e-3 && size < 1000) return minus(significant(value, digits));
  const [mantissa, exponent] = value.toExponential(1).split("e");
  return `${minus(mantissa)}·10${raised(Number(exponent))}`;
}

/** With commas up to seven digits; longer ones rounded, in words. */
export function count(value: number): string {
  if (value < 1e7) return grouped(value);
  return value < 1e9 ? `${(value / 1e6).toFixed(1)} million` : `${(value / 1e9).toFixed(2)} billion`;
}

/** A ratio that is at least 1: three digits, or all before the point. */
export const times = (ratio: number) => (ratio < 100 ? significant(ratio, 3) : grouped(ratio));

/** A share: rare ones as one in so many. */
export const share = (value: number) => (value === 1 ? "all" : value >= 0.001 ? percent(value) : `1 in ${grouped(1 / value)}`);

/** An entry of a small matrix, in few characters. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e4) return minus(String(value));
  return minus(size >= 1e4 || size < 0.005 ? value.toExponential(0) : value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0));
}

type Units = readonly (readonly [size: number, unit: string])[];
const BYTES: Units = [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"], [1, "bytes"]];
const SECONDS: Units = [[1, "s"], [1e-3, "ms"], [1e-6, "µs"]];

/** In three digits, with the unit that fits. */
function inUnits(value: number, units: Units): string {
  const [size, unit] = units.find(([one]) => value >= 0.9995 * one) ?? units.at(-1)!;
  return `${significant(value / size, 3)} ${unit}`;
}

export const bytes = (value: number) => inUnits(value, BYTES);
export const duration = (seconds: number) => inUnits(seconds, SECONDS);
