// Numbers as a reader would write them.

const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";
export const raised = (exponent: number) => (exponent < 0 ? "⁻" : "") + [...String(Math.abs(exponent))].map((d) => RAISED[Number(d)]).join("");

/** 4.4 · 10⁻¹⁴; from 0.001 to 9999 without a power. */
export function scientific(value: number, digits = 2): string {
  if (value === 0) return "0";
  if (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e4) return String(Number(value.toPrecision(digits)));
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  return `${mantissa.replace("-", "−")} · 10${raised(Number(exponent))}`;
}

/** A logarithm with its sign, −32.466. */
export const logarithm = (value: number) => value.toFixed(6).replace("-", "−");

/** A tolerance, 10⁻⁶. */
export const power = (value: number) => `10${raised(Math.round(Math.log10(value)))}`;
