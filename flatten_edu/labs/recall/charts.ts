// One of the numbers against p, and against N, for each kind; a dashed line where a bound is proved.
import { scaleLinear } from "d3-scale";
import { axes, formatP, h, marks, minus, OCTAVES, path, scaleOfP, svg, upright, type Part } from "../frame";
import { LARGEST_P } from "../frame/maths/attention";
import { correlationBound, recallBound } from "../frame/maths/recall";
import { FACTORS, SIDES, type Results } from "./results";
import { panelsOf, type Curve, type RecallModel, type Setting } from "./state";

const [WIDTH, HEIGHT] = [380, 210];
export const CURVES: Record<Curve, string> = {
  weight: "weight on target", correlation: "correlation", right: "nearest is right",
};
const X = {
  p: { scale: scaleOfP(), ticks: OCTAVES, name: "p, focusing factor" },
  n: { scale: scaleLinear().domain([SIDES[0] ** 2, SIDES.at(-1)! ** 2]), ticks: marks([16, 49, 100, 144, 196, 256]), name: "N, values stored" },
};
for (const { scale } of Object.values(X)) scale.range([34, WIDTH - 12]);
type Points = [x: number, y: number][];
interface Line { kind: "softmax" | "linear" | "focused" | "bound"; points: Points }

/** The largest that is proved for maps of rank d: of the weight always, of the correlation for noise without the convolution. */
function boundOf(curve: Curve, { d, source }: Setting, n: number, plain: boolean): number | null {
  if (curve === "weight") return recallBound(d, n);
  return curve === "correlation" && source === "noise" && plain ? correlationBound(d, n) : null;
}

export function charts(model: RecallModel, results: Results): Part {
  const [overP, overN] = [chart("p"), chart("n")];
  const names = { softmax: "softmax", linear: "linear, p = 1", focused: "focused", bound: "proved bound" };
  const legend = h("p", { class: "fe-legend" }, ...Object.entries(names).map(([kind, name]) =>
    h("span", { "data-kind": kind }, h("span", { class: "fe-key" }), name)));
  const node = h("div", { class: "fe-charts" }, legend, h("div", { class: "fe-columns" }, overP.node, overN.node));
  return {
    node,
    update() {
      const { now } = results;
      node.setAttribute("aria-busy", String(!now || results.drawing));
      if (!now) return;
      const [p, curve] = [model.get("p"), model.get("curve")];
      const bound = (n: number) => boundOf(curve, now, n, model.get("kernel") === "none");
      const softmax = results.point("softmax", 1);
      const flat = (y: number | null | undefined): Points => y === null || y === undefined ? [] : [[1, y], [LARGEST_P, y]];
      overP.show(curve, p, [
        { kind: "bound", points: flat(bound(now.n)) }, { kind: "softmax", points: flat(softmax) },
        { kind: "focused", points: pointsOf(FACTORS, (factor) => results.point("focused", factor)) },
      ], `at N = ${now.n}`);
      overN.node.toggleAttribute("hidden", now.source === "given");
      overN.show(curve, now.n, [
        { kind: "bound", points: pointsOf(Array.from({ length: 241 }, (_, i) => 16 + i), bound) },
        ...panelsOf(p).map(({ name, kind, p: factor }): Line => ({
          kind: name, points: pointsOf(SIDES, (side) => results.point(kind, factor, side)).map(([side, y]) => [side ** 2, y]),
        })),
      ], `focused at p = ${formatP(p)}`);
      legend.querySelector<HTMLElement>("[data-kind=bound]")!.hidden = bound(now.n) === null;
    },
  };
}

const pointsOf = (xs: readonly number[], y: (x: number) => number | null | undefined): Points =>
  xs.flatMap((x): Points => { const found = y(x); return typeof found === "number" && Number.isFinite(found) ? [[x, found]] : []; });

function chart(over: keyof typeof X) {
  const { scale, ticks, name } = X[over];
  const node = svg("svg", { class: "fe-chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  return {
    node,
    show(curve: Curve, now: number, lines: Line[], note: string): void {
      const least = Math.min(0, ...lines.flatMap(({ points }) => points.map(([, y]) => y)));
      const y = scaleLinear().domain([least < 0 ? -0.25 : 0, 1]).range([HEIGHT - 36, 24]).clamp(true);
      node.replaceChildren(
        axes(scale, y, ticks, marks(y.ticks(5), (value) => minus(String(value))), `${CURVES[curve]}, ${note}`, 16),
        svg("text", { x: (34 + WIDTH - 12) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, name),
        upright(scale(now), y),
        ...lines.map(({ kind, points }) =>
          svg("path", { class: "fe-line", "data-kind": kind, d: path(points.map(([at, value]) => [scale(at), y(value)])) })));
      node.setAttribute("aria-label", `${CURVES[curve]} against ${name}, ${note}: ` + lines.filter(({ points }) => points.length)
        .map(({ kind, points }) => `${kind} from ${points[0][1].toFixed(2)} to ${points.at(-1)![1].toFixed(2)}`).join(", "));
    },
  };
}
