// The cosine of the angle as p grows: against its value at p = 1, and against its limit.
import { scaleLinear } from "d3-scale";
import { axes, formatP, h, marks, OCTAVES, path, scaleOfP, svg, uniqueId, upright, type Part } from "../frame";
import { factors, LARGEST_P } from "../frame/maths/attention";
import { focusedCosine, type Verdict } from "../frame/maths/proposition";
import { figures, pOf, type ProofModel } from "./state";

const [WIDTH, HEIGHT] = [360, 244];
const x = scaleOfP().range([30, WIDTH - 46]);
const y = scaleLinear().domain([0, 1]).range([HEIGHT - 24, 40]);
const FACTORS = factors(16);
const ANGLES = [90, 75, 60, 45, 30, 0].map((degrees) =>
  svg("text", { x: WIDTH - 2, y: y(Math.cos((degrees * Math.PI) / 180)), dy: "0.32em", "text-anchor": "end" }, `${degrees}°`));

export function curve(model: ProofModel, verdictNow: () => Verdict): Part {
  const hatch = uniqueId("hatch");
  const still = svg("g");
  const moving = svg("g");
  let drawn: Verdict | null = null;
  const keys = h("p", { class: "fe-legend fe-keys" });
  const picture = svg("svg", { class: "fe-curve", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" },
    svg("defs", {}, svg("pattern", { id: hatch, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      svg("path", { class: "fe-hatch", d: "M0 0V6" }))), axes(x, y, OCTAVES, marks([0, 0.5, 1]), "cosine of the angle, against p"), ...ANGLES.map((angle) => angle.cloneNode(true)), still, moving);
  return {
    node: h("div", {}, picture, keys),
    update() {
      const { cosine } = figures(model);
      const verdict = verdictNow();
      if (verdict !== drawn) { // p moves the marker alone
        drawn = verdict;
        still.replaceChildren(...failing(verdict, hatch), ...cosines(model, cosine.first), ...limit(verdict), ...holding(verdict));
        keys.replaceChildren(...legend(verdict));
      }
      const at = x(model.get("p"));
      moving.replaceChildren(upright(at, y),
        ...(Number.isNaN(cosine.now) ? [] : [svg("circle", { class: "fe-dot", cx: at, cy: y(cosine.now), r: 5 })]));
      const spoken = Number.isNaN(cosine.first) ? "A vector is zero: there is no angle."
        : `${cosine.first.toFixed(3)} at p = 1, ${cosine.now.toFixed(3)} at p = ${formatP(model.get("p"))}.`;
      picture.setAttribute("aria-label", `Cosine of the angle between f_p of x and of y, for p from 1 to 256. ${spoken}`);
    },
  };
}

/** Where the inequality is the wrong way round: shaded and hatched. */
function failing({ fails }: Verdict, hatch: string): SVGElement[] {
  return fails.flatMap(([from, to]) => {
    const box = { x: x(from), y: y(1), width: x(to) - x(from), height: y(0) - y(1) };
    return [svg("rect", { class: "fe-fails", ...box }), svg("rect", { fill: `url(#${hatch})`, ...box })];
  });
}

/** The cosine at p = 1, level, and as p grows; nothing where a vector is zero. */
function cosines(model: ProofModel, first: number): SVGElement[] {
  if (Number.isNaN(first)) return [];
  const points = FACTORS.map((p): [number, number] => [x(p), y(focusedCosine(model.get("x"), model.get("y"), p))]);
  return [svg("path", { class: "fe-first-value", d: `M${x(1)} ${y(first)}H${x(LARGEST_P)}` }), svg("path", { class: "fe-cosine", d: path(points) })];
}

function limit({ limit: value }: Verdict): SVGElement[] {
  if (value === null) return [];
  const at = x(LARGEST_P) + 8;
  return [svg("path", { class: "fe-limit", d: `M${at - 5} ${y(value) - 5}L${at + 5} ${y(value)}L${at - 5} ${y(value) + 5}Z` })];
}

/** From where on it holds for good, within the plot. */
function holding({ holdsFrom, fails }: Verdict): SVGElement[] {
  if (holdsFrom === null || !fails.length) return [];
  const at = x(holdsFrom);
  return [
    svg("path", { class: "fe-holds", d: `M${at} ${y(0)}V${y(1) - 5}` }),
    svg("text", {
      class: "fe-holds-name", x: at, y: y(1) - 9, "text-anchor": at > x(32) ? "end" : at < x(3) ? "start" : "middle",
    }, `holds from p = ${pOf(holdsFrom)}`),
  ];
}

/** What the lines mean; the shading has two meanings. */
function legend({ fails, case: kind, limit: value }: Verdict): HTMLElement[] {
  const entry = (key: string, text: string) => h("span", {}, h("span", { class: `fe-line-key fe-key-${key}`, "aria-hidden": "true" }), text);
  return [
    entry("first", "as at p = 1"),
    ...(fails.length ? [entry("fails", kind === "same" ? "further apart than at p = 1" : "closer than at p = 1")] : []),
    ...(value === null ? [] : [entry("limit", `limit ${value}`)]),
  ];
}
