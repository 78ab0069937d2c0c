// Both costs against N, at the d that is set; the marker is the slider of N, to drag or to move by keys.
import { scaleLog } from "d3-scale";
import { axes, change, marks, meaning, powerOfTen, svg, upright } from "../frame";
import { attentionCost } from "../frame/maths/cost";
import { FORMULA, N_STOPS, ORDERS, type ReorderModel } from "./state";

const [WIDTH, HEIGHT] = [340, 196];
const MOST = 16384;
const x = scaleLog().domain([1, MOST]).range([34, WIDTH - 18]);
const TICKS = marks([1, 4, 16, 64, 256, 1024, 4096, 16384]);
const KEYS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -4, PageUp: 4, Home: -Infinity, End: Infinity };

export function chart(model: ReorderModel, signal: AbortSignal) {
  const behind = svg("g");
  const lines = svg("g", { "aria-hidden": "true" });
  const marker = svg("g", {
    class: "fe-marker", role: "slider", tabindex: 0, "data-lm-suppress-shortcuts": "true", "aria-label": "N, marker on the chart",
    "aria-valuemin": N_STOPS[0], "aria-valuemax": MOST,
  });
  const above = svg("g", { "aria-hidden": "true" }); // a name that the marker may not cross out
  const node = svg("svg", {
    class: "fe-chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group", "aria-label": "Multiply-adds of both orders against N",
  }, behind, lines, marker, above);
  marker.addEventListener("keydown", (event) => {
    const by = meaning(event, KEYS);
    if (by !== undefined) change(model, "n", moved(model.get("n"), by));
  }, { signal });
  const drag = (event: MouseEvent) => {
    const box = node.getBoundingClientRect();
    change(model, "n", nearest(x.invert(((event.clientX - box.left) / box.width) * WIDTH)));
  };
  let start = { x: 0, y: 0 };
  const sideways = (event: PointerEvent) =>
    Math.abs(event.clientX - start.x) > Math.max(8, Math.abs(event.clientY - start.y));
  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    node.setPointerCapture(event.pointerId);
    start = { x: event.clientX, y: event.clientY };
    marker.focus({ preventScroll: true });
    if (event.pointerType !== "touch") drag(event); // a finger may be about to scroll: it chooses by a tap, or sideways
  }, { signal });
  node.addEventListener("click", drag, { signal });
  node.addEventListener("pointermove", (event) => {
    const meant = event.pointerType !== "touch" || sideways(event);
    if (meant && node.hasPointerCapture(event.pointerId)) drag(event);
  }, { signal });
  return {
    node,
    update() {
      const [n, d] = [model.get("n"), model.get("d")];
      // From the cheapest cost at this d to the dearest one: the line of (QKᵀ)V runs from corner to corner.
      const y = scaleLog().domain([2 * d, 2 * d * MOST * MOST]).range([HEIGHT - 24, 22]);
      behind.replaceChildren(axes(x, y, TICKS, marks(powersOf100(y), powerOfTen), "multiply-adds against N, at this d", 15));
      const [circle, name] = crossing(d, y);
      lines.replaceChildren(...costLines(d, y), circle);
      marker.replaceChildren(...markerParts(n, d, y));
      above.replaceChildren(name);
      marker.setAttribute("aria-valuenow", String(n));
      marker.setAttribute("aria-valuetext", `N = ${n}`);
    },
  };
}

type Scale = ReturnType<typeof scaleLog<number, number>>;
const cost = (n: number, d: number, order: (typeof ORDERS)[number]) => attentionCost(n, d, order).multiplyAdds;

function nearest(n: number): number {
  const distance = (stop: number) => Math.abs(Math.log(stop / n));
  return N_STOPS.reduce((a, b) => (distance(b) < distance(a) ? b : a));
}

function moved(n: number, by: number): number {
  const above = N_STOPS.findIndex((stop) => stop >= n);
  const from = by > 0 && N_STOPS[above] > n ? above - 1 : above;
  return N_STOPS[Math.min(Math.max(from + by, 0), N_STOPS.length - 1)];
}

const powersOf100 = (y: Scale) => Array.from({ length: 7 }, (_, i) => 100 ** i).filter((value) => value >= y.domain()[0] && value <= y.domain()[1]);

function costLines(d: number, y: Scale): SVGElement[] {
  return ORDERS.flatMap((order) => {
    const inside = order === "qk_first" ? 1800 : 16;
    return [
      svg("path", { class: `fe-line fe-${order}`, d: `M${x(1)} ${y(cost(1, d, order))}L${x(MOST)} ${y(cost(MOST, d, order))}` }),
      svg("text", {
        class: `fe-line-name fe-${order}`, x: x(inside), y: y(cost(inside, d, order)) - 8, "text-anchor": "end",
      }, FORMULA[order]),
    ];
  });
}

/** Where the two cost the same: exactly at N = d. */
function crossing(d: number, y: Scale): [SVGElement, SVGElement] {
  const at = { cx: x(d), cy: y(cost(d, d, "qk_first")) };
  return [
    svg("circle", { class: "fe-crossing", ...at, r: 4.5 }),
    svg("text", { class: "fe-crossing-name", x: at.cx + 8, y: at.cy + 15 }, `N = d = ${d}`),
  ];
}

function markerParts(n: number, d: number, y: Scale): SVGElement[] {
  const at = x(n);
  const [low, high] = y.domain();
  return [
    svg("rect", { class: "fe-hit", x: at - 22, y: y(high) - 6, width: 44, height: y(low) - y(high) + 12 }),
    upright(at, y),
    ...ORDERS.map((order) => svg("circle", { class: `fe-dot fe-${order}`, cx: at, cy: y(cost(n, d, order)), r: 5 })),
    svg("rect", { class: "fe-grip", x: at - 9, y: y(low) - 5, width: 18, height: 10, rx: 5 }),
  ];
}
