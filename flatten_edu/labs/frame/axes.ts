// The axes of a chart: lines across it at the marks of y, numbers below it at the marks of x, a title above.
import { scaleLog } from "d3-scale";
import { line } from "d3-shape";
import { svg } from "./dom";
import { factors, LARGEST_P } from "./maths/attention";

interface Scale { (value: number): number; range(): number[] }

/** Values and what stands at them. */
export type Marks = readonly (readonly [value: number, text: string])[];

export const marks = (values: readonly number[], text: (value: number) => string = String): Marks =>
  values.map((value) => [value, text(value)]);

/** p's axis: its scale without a range, and the powers of 2 on it. */
export const scaleOfP = () => scaleLog().base(2).domain([1, LARGEST_P]);
export const OCTAVES = marks(factors(1));

export function axes(x: Scale, y: Scale, xMarks: Marks, yMarks: Marks, title: string, below = 14): SVGGElement {
  const [left, right] = x.range();
  return svg("g", { class: "fe-axes" },
    ...yMarks.flatMap(([value, text]) => [
      svg("path", { d: `M${left} ${y(value)}H${right}` }),
      svg("text", { x: left - 5, y: y(value), dy: "0.32em", "text-anchor": "end" }, text),
    ]),
    ...xMarks.map(([value, text]) => svg("text", { x: x(value), y: y.range()[0] + below, "text-anchor": "middle" }, text)),
    svg("text", { class: "fe-title", x: 4, y: 11 }, title));
}

/** The path of a line through points, with gaps where there is no number. */
export const path = (points: [number, number][]) => line().defined(([, y]) => Number.isFinite(y))(points) ?? "";

/** The upright line at what is set, from edge to edge. */
export const upright = (at: number, y: Scale) => svg("path", { class: "fe-now", d: `M${at} ${y.range()[0]}V${y.range()[1]}` });
