// The plane: q and the keys as draggable points, each with the arrow that f_p turns it into.
import { drag, type D3DragEvent } from "d3-drag";
import { scaleLinear } from "d3-scale";
import { select } from "d3-selection";
import { change, meaning, svg } from "../frame";
import { norm } from "../frame/maths/attention";
import { vectors, type FocusModel, type Point, type VectorState } from "./state";

const SIZE = 340;
const REST = 1.09; // the longest vector that the plane shows at its first size
const MARGIN = 1.06; // the plane's edge, as a multiple of that
const BELOW = 0.18; // how far it reaches below zero, as a share of the edge: there ReLU can be seen at work
const REACH = 24; // how far from a handle's middle a finger still finds it
const KEYS: Record<string, Point> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };

interface Dragged { name: string; x: number; y: number }
type DragEvent = D3DragEvent<SVGSVGElement, unknown, Dragged>;

export function plane(model: FocusModel) {
  const sides = svg("g", { class: "fe-sides", "aria-hidden": "true" });
  const arrows = svg("g", { "aria-hidden": "true" });
  const handles = svg("g");
  const node = svg("svg", {
    class: "fe-plane", viewBox: `0 0 ${SIZE} ${SIZE}`, role: "group",
    "aria-label": "Plane of the vectors before and after the focused function; the points can be dragged",
  }, sides, arrows, handles);
  const x = scaleLinear().range([0, SIZE]);
  const y = scaleLinear().range([SIZE, 0]);
  let held = false;

  /** Move a point, at most to three times the plane's edge; what lies further already may stay. */
  function move(name: string, to: Point): void {
    const { raw } = vectors(model).find((v) => v.name === name)!;
    const limit = Math.max(3 * x.domain()[1], norm(raw));
    const low = Math.min(x.domain()[0], ...raw);
    const inside = to.map((c) => Math.max(c, low));
    const shrink = Math.min(1, limit / norm(inside));
    const step = finestStep(x.domain()[1]) / 10;
    const rounded = (c: number) => Number((Math.round((c * shrink) / step) * step).toPrecision(12));
    const point = inside.map((c, i) => (c === raw[i] && shrink === 1 ? c : rounded(c))) as Point;
    if (name === "q") change(model, "q", point);
    else change(model, "k", model.get("k").map((key, i) => (`k${i + 1}` === name ? point : key)));
  }

  // One behaviour for the plane: where handles overlap, the nearest is meant, not the uppermost.
  const dragging = drag<SVGSVGElement, unknown, Dragged | null>()
    .container(() => node)
    .subject((event) => nearest(vectors(model), event.x, event.y))
    .on("start", ({ subject }: DragEvent) => {
      held = true; // or the scale would change under the finger
      handles.querySelector<SVGGElement>(`[data-vector="${subject.name}"]`)?.focus({ preventScroll: true });
    })
    .on("end", () => {
      held = false;
      update();
    })
    .on("drag", ({ subject, x: left, y: top }: DragEvent) => move(subject.name, [x.invert(left), y.invert(top)]));
  select(node).call(dragging).style("touch-action", null); // d3 takes touch from all of it, and a swipe would not scroll

  function nearest(all: VectorState[], left: number, top: number): Dragged | null {
    const points = all.map(({ name, raw }) => ({ name, x: x(raw[0]), y: y(raw[1]) }));
    const distance = (point: Dragged) => Math.hypot(point.x - left, point.y - top);
    const first = points.reduce((a, b) => (distance(b) < distance(a) ? b : a));
    return distance(first) <= REACH ? first : null;
  }

  function nudge(event: KeyboardEvent, { name }: VectorState): void {
    const direction = meaning(event, KEYS);
    if (!direction) return;
    const step = finestStep(x.domain()[1]) * (event.shiftKey ? 10 : 1);
    const { raw } = vectors(model).find((v) => v.name === name)!; // the drawn one may be a key press behind
    move(name, [raw[0] + step * direction[0], raw[1] + step * direction[1]]);
  }

  function drawHandles(all: VectorState[]): void {
    select(handles).selectAll<SVGGElement, VectorState>("g").data(all, (v) => v.name)
      .join((enter) => enter.append(({ name, colour }) => svg("g", {
        class: "fe-handle", role: "slider", tabindex: 0, "data-lm-suppress-shortcuts": "true", "data-vector": name,
        "aria-roledescription": "point in the plane", "aria-valuemin": -180, "aria-valuemax": 180,
        "aria-label": `${name}, ${colour ? "key" : "q"}: arrow keys move it`, style: `--c:var(--fe-c${colour})`,
      }, svg("circle", { class: "fe-hit", r: REACH }), svg("circle", { class: "fe-knob", r: 11 }),
      svg("text", { dy: "0.35em" }, name[0], svg("tspan", { class: "fe-sub", dy: "0.25em" }, name.slice(1))))).on("keydown", nudge))
      .attr("transform", (v) => `translate(${x(v.raw[0])},${y(v.raw[1])})`)
      .attr("aria-valuenow", (v) => Math.round((Math.atan2(v.raw[1], v.raw[0]) * 180) / Math.PI))
      .attr("aria-valuetext", (v) => `${v.raw[0]}, ${v.raw[1]}`);
  }

  function drawArrows(all: VectorState[]): void {
    const at = (v: Point) => `${x(v[0]).toFixed(2)} ${y(v[1]).toFixed(2)}`;
    arrows.replaceChildren(...[...all].reverse().map((v) => {
      const path = (part: string, d: string | null, transform: string | null = null) => svg("path", { class: `fe-${part}`, d, transform });
      const radius = x(norm(v.turned)) - x(0);
      const sweep = v.relu[0] * v.turned[1] - v.relu[1] * v.turned[0] > 0 ? 0 : 1;
      return svg("g", { style: `--c:var(--fe-c${v.colour})` }, path("before", `M${at([0, 0])}L${at(v.raw)}`),
        path("turning", radius > 0 ? `M${at(v.relu)}A${radius} ${radius} 0 0 ${sweep} ${at(v.turned)}` : null),
        path("after", `M${at([0, 0])}L${at(v.turned)}`),
        path("head", radius > 0 ? "M2 0L-10 -5L-7 0L-10 5Z" : null,
          `translate(${at(v.turned)})rotate(${(-Math.atan2(v.turned[1], v.turned[0]) * 180) / Math.PI})`));
    }));
  }

  function update(): void {
    const all = vectors(model);
    if (!held) {
      const domain = frame(all.map((v) => v.raw));
      x.domain(domain);
      y.domain(domain);
      drawSides(sides, x, y);
    }
    drawArrows(all);
    drawHandles(all);
  }

  const remove = () => {
    select(node).on(".drag", null);
    select(handles).selectAll("g").on("keydown", null);
  };
  return { node, update, remove };
}

/** The range of both axes: it grows by half doublings until all points are in, and shrinks only for really small ones. */
function frame(points: Point[]): [number, number] {
  const longest = Math.max(...points.map(norm));
  const doublings = longest > 0 ? Math.ceil(2 * Math.log2(longest / REST)) / 2 : 0;
  const high = MARGIN * REST * 2 ** (longest < 0.2 ? doublings : Math.max(doublings, 0));
  return [Math.min(-BELOW * high, MARGIN * Math.min(...points.flat())), high];
}

/** One press of an arrow key: a hundredth of the plane's order of size. */
const finestStep = (edge: number) => 10 ** (Math.floor(Math.log10(edge)) - 2);

type Scale = ReturnType<typeof scaleLinear<number, number>>;

/** The two sides of the diagonal: f_p turns a vector towards the axis of its largest entry, away from the diagonal. */
function drawSides(layer: SVGGElement, x: Scale, y: Scale): void {
  const [low, high] = x.domain();
  const corner = `${x(0)},${y(0)} ${x(high)},${y(high)}`;
  layer.replaceChildren(
    svg("polygon", { class: "fe-side1", points: `${corner} ${x(high)},${y(0)}` }),
    svg("polygon", { class: "fe-side2", points: `${corner} ${x(0)},${y(high)}` }),
    svg("path", { class: "fe-axis", d: `M${x(low)} ${y(0)}H${x(high)}M${x(0)} ${y(low)}V${y(high)}` }),
    svg("path", { class: "fe-diagonal", d: `M${x(0)} ${y(0)}L${x(high)} ${y(high)}` }),
    svg("text", { x: x(high) - 4, y: y(0) + 16, "text-anchor": "end" }, "axis x₁"),
    svg("text", { transform: `translate(${x(0) - 8},${y(high) + 4})rotate(-90)`, "text-anchor": "end" }, "axis x₂"),
  );
}
