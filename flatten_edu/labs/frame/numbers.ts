// Numbers as a reader would write them.

const RAISED: Record<string, string> = Object.fromEntries([..."-0123456789"].map((c, i) => [c, "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"[i]]));
const LOWERED = "₀₁₂₃₄₅₆₇₈₉";

/** A whole number as superscript, ⁻¹². */
export const raised = (exponent: number) => [...String(exponent)].map((c) => RAISED[c]).join("");

/** A whole number as subscript, ₁₂. */
export const lowered = (index: number) => [...String(index)].map((c) => LOWERED[Number(c)]).join("");

/** A power of ten, 10⁻⁶. */
export const powerOfTen = (value: number) => `10${raised(Math.round(Math.log10(value)))}`;

/** A size below 1 as a fraction where it is one, 1/8; else in so many digits. */
export const fraction = (value: number, digits = 2) =>
  value < 1 && Number.isInteger(1 / value) ? `1/${1 / value}` : String(Number(value.toPrecision(digits)));

/** p as a reader would write it: 3, 2.5, 1.05. */
export const formatP = (p: number) => String(Number(p.toFixed(2)));

/** The minus sign in the place of the hyphen. */
export const minus = (text: string) => text.replace("-", "−");
