// Entropy against the scale of q and k: softmax's falls, the others do not move; where it crosses the focused one.
import { scaleLinear, scaleLog } from "d3-scale";
import { axes, fraction, marks, path, svg, upright } from "../frame";
import { entropyCurve } from "../frame/maths/sharpness";
import { TITLES, type QueryAndKeys, type Rows } from "./state";

const [WIDTH, HEIGHT] = [340, 284];
const SCALES = Array.from({ length: 97 }, (_, i) => 2 ** (i / 16 - 3));
const x = scaleLog().base(2).domain([1 / 8, 8]).range([34, WIDTH - 8]);
const SIZES = marks([1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8], fraction);

export function curve(): { node: Element; show(input: QueryAndKeys, rows: Rows, scale: number, divide: boolean): void } {
  const layer = svg("g");
  const node = svg("svg", { class: "fe-curve", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" }, layer);
  return {
    node,
    show(input, rows, scale, divide) {
      const y = scaleLinear().domain([0, Math.log2(Math.max(rows.focused.weights.length, 2))]).range([HEIGHT - 38, 36]);
      const curved = entropyCurve(input.q, input.keys, SCALES, divide);
      const flat = flatOf(rows);
      layer.replaceChildren(
        axes(x, y, SIZES, marks(y.ticks(4)), "entropy in bits, as s grows", 16),
        svg("text", { x: x(1), y: HEIGHT - 5, "text-anchor": "middle" }, "s, the scale of q and of every key"),
        ...flat.map((kind) => svg("path", { class: "fe-line", "data-kind": kind, d: `M${x(1 / 8)} ${y(rows[kind].entropy)}H${x(8)}` })),
        svg("path", { class: "fe-line", "data-kind": "softmax", d: path(SCALES.map((s, i) => [x(s), y(curved[i])])) }),
        upright(x(scale), y),
        ...crossing(rows, y),
        ...[...flat, "softmax" as const].map((kind) => svg("circle", { "data-kind": kind, cx: x(scale), cy: y(rows[kind].entropy), r: 4 })),
        ...names(rows, y, curved));
      node.setAttribute("aria-label", `Entropy in bits against the scale from 1/8 to 8. Softmax falls from ${curved[0].toFixed(2)} ` +
        `to ${curved.at(-1)!.toFixed(2)}; ${flat.map((kind) => `${TITLES[kind]} stays at ${rows[kind].entropy.toFixed(2)}`).join(", ")}.`);
    },
  };
}

type Y = (bits: number) => number;

/** The kinds that no scale moves, but for rows that ReLU empties. */
const flatOf = (rows: Rows) => (["relu", "focused"] as const).filter((kind) => Number.isFinite(rows[kind].entropy));

/** The point where softmax passes the focused row, with its scale; beyond the chart an arrow at its edge. */
function crossing({ focused: { crossing: at, entropy } }: Rows, y: Y): SVGElement[] {
  if (!Number.isFinite(entropy) || !(at > 0) || at === Infinity) return [];
  const text = `s = ${fraction(at)}`;
  const right = at > 2;
  if (at < 1 / 8 || at > 8) {
    const edge = x(right ? 8 : 1 / 8);
    const label = right ? `crossing at ${text} →` : `← crossing at ${text}`;
    return [svg("text", { class: "fe-crossing", x: edge, y: y(entropy) - 7, "text-anchor": right ? "end" : "start" }, label)];
  }
  return [
    svg("path", { class: "fe-mark", d: `M${x(at)} ${y(entropy)}V${y(0)}` }),
    svg("circle", { class: "fe-ring", cx: x(at), cy: y(entropy), r: 6 }),
    svg("text", { class: "fe-crossing", x: x(at) + (right ? -9 : 9), y: y(entropy) - 8, "text-anchor": right ? "end" : "start" }, text),
  ];
}

/** Each line's name at its end; two that would touch are set apart. */
function names(rows: Rows, y: Y, curved: number[]): SVGElement[] {
  const flat = flatOf(rows);
  const close = flat.length === 2 && Math.abs(y(rows.relu.entropy) - y(rows.focused.entropy)) < 14;
  // At the side where softmax's curve is further away from the line.
  const side = (bits: number) => Math.abs(bits - curved[0]) > Math.abs(bits - curved.at(-1)!);
  return flat.map((kind) => {
    const left = side(rows[kind].entropy);
    const below = close && kind === "focused";
    return svg("text", { class: "fe-name", "data-kind": kind, x: left ? x(1 / 8) + 3 : x(8) - 2, y: y(rows[kind].entropy) + (below ? 13 : -5),
      "text-anchor": left ? "start" : "end" }, TITLES[kind]);
  }).concat(svg("text", { class: "fe-name", "data-kind": "softmax", ...softmaxPlace(curved, y) }, TITLES.softmax));
}

function softmaxPlace(curved: number[], y: Y): Record<string, string | number> {
  const half = (curved[0] + curved.at(-1)!) / 2;
  const i = Math.max(curved.findIndex((bits) => bits <= half), 0);
  const left = i > 70;
  return { x: x(SCALES[i]) + (left ? -8 : 8), y: y(curved[i]) + 3, "text-anchor": left ? "end" : "start" };
}
