// The angle of q to each key as a function of p: where a curve rises before it falls, f_p first pushes the pair apart.
import { scaleLinear, scaleLog } from "d3-scale";
import { line } from "d3-shape";
import { svg } from "../frame/dom";
import { formatP } from "../frame/numbers";
import type { View } from "../frame/model";
import { angleDegrees, focusedMap } from "../frame/maths/attention";
import { pair, vectors, type FocusModel, type VectorState } from "./state";

const WIDTH = 340;
const HEIGHT = 132;
const x = scaleLog().base(2).domain([1, 256]).range([30, WIDTH - 10]);
const y = scaleLinear().domain([0, 90]).range([HEIGHT - 22, 20]);
const FACTORS = Array.from({ length: 81 }, (_, i) => 2 ** (i / 10));

export function curves(model: FocusModel): View & { node: Element } {
  const lines = svg("g");
  const now = svg("g");
  const node = svg("svg", { class: "fe-curves", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" }, axes(), lines, now);
  return {
    node,
    update() {
      const [q, ...keys] = vectors(model);
      const at = x(model.get("p"));
      lines.replaceChildren(...keys.map((key) => svg("path", { style: colour(key), d: curve(q, key) })));
      now.replaceChildren(svg("path", { class: "fe-now", d: `M${at} ${y(0)}V${y(90)}` }),
        ...keys.flatMap((key) => dot(at, pair(q, key).after, colour(key))));
      node.setAttribute("aria-label",
        `Angle of q to each key against p from 1 to 256. At p = ${formatP(model.get("p"))}: ` +
        keys.map((key) => `${key.name} ${spoken(pair(q, key).after)}`).join(", "));
    },
  };
}

const spoken = (angle: number) => (Number.isFinite(angle) ? `${angle.toFixed(1)}°` : "has no angle");
const colour = (v: VectorState) => `--c:var(--fe-c${v.colour})`;

function dot(cx: number, angle: number, style: string): SVGElement[] {
  return Number.isFinite(angle) ? [svg("circle", { cx, cy: y(angle), r: 4, style })] : [];
}

function curve(q: VectorState, key: VectorState): string {
  const points = FACTORS.map((p): [number, number] =>
    [x(p), y(angleDegrees(focusedMap(q.raw, p), focusedMap(key.raw, p)))]);
  return line().defined(([, height]) => Number.isFinite(height))(points) ?? "";
}

function axes(): SVGGElement {
  const xTicks = [1, 2, 4, 8, 16, 32, 64, 128, 256].map((p) =>
    svg("text", { x: x(p), y: HEIGHT - 8, "text-anchor": "middle" }, String(p)));
  const yTicks = [0, 45, 90].flatMap((angle) => [
    svg("path", { d: `M${x(1)} ${y(angle)}H${x(256)}` }),
    svg("text", { x: x(1) - 5, y: y(angle), dy: "0.32em", "text-anchor": "end" }, `${angle}°`),
  ]);
  return svg("g", { class: "fe-axes" }, ...yTicks, ...xTicks,
    svg("text", { class: "fe-title", x: x(1), y: 10 }, "angle to q, as p grows from 1 to 256"));
}
