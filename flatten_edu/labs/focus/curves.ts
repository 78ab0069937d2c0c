// The angle of q to each key as a function of p: where a curve rises before it falls, f_p first pushes the pair apart.
import { scaleLinear } from "d3-scale";
import { axes, formatP, marks, OCTAVES, path, scaleOfP, svg, upright } from "../frame";
import { angleDegrees, factors, focusedMap, LARGEST_P } from "../frame/maths/attention";
import { pair, vectors, type FocusModel, type VectorState } from "./state";

const [WIDTH, HEIGHT] = [340, 138];
const x = scaleOfP().range([30, WIDTH - 10]);
const y = scaleLinear().domain([0, 90]).range([HEIGHT - 22, 26]);
const FACTORS = factors(10);

export function curves(model: FocusModel) {
  const lines = svg("g");
  const node = svg("svg", { class: "fe-curves", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" },
    axes(x, y, OCTAVES, marks([0, 45, 90], (angle) => `${angle}°`), `angle to q, as p grows from 1 to ${LARGEST_P}`), lines);
  return {
    node,
    update() {
      const [q, ...keys] = vectors(model);
      const at = x(model.get("p"));
      lines.replaceChildren(...keys.map((key) => svg("path", { style: colour(key), d: curve(q, key) })), upright(at, y),
        ...keys.flatMap((key) => dot(at, pair(q, key).after, colour(key))));
      node.setAttribute("aria-label",
        `Angle of q to each key against p from 1 to ${LARGEST_P}. At p = ${formatP(model.get("p"))}: ` +
        keys.map((key) => `${key.name} ${spoken(pair(q, key).after)}`).join(", "));
    },
  };
}

const spoken = (angle: number) => (Number.isFinite(angle) ? `${angle.toFixed(1)}°` : "has no angle");
const colour = (v: VectorState) => `--c:var(--fe-c${v.colour})`;

const dot = (cx: number, angle: number, style: string): SVGElement[] =>
  (Number.isFinite(angle) ? [svg("circle", { cx, cy: y(angle), r: 4, style })] : []);

const curve = (q: VectorState, key: VectorState) =>
  path(FACTORS.map((p) => [x(p), y(angleDegrees(focusedMap(q.raw, p), focusedMap(key.raw, p)))]));
