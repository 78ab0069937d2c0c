// The four spectra on a logarithmic axis, each as a share of its largest value, with the line of the tolerance.
import { scaleLinear, scaleLog } from "d3-scale";
import { axes, marks, Memo, path, powerOfTen, scientific, svg } from "../frame";
import { numericalRank } from "../frame/maths/rank_spectrum";
import { MAP_NAMES, type MapName } from "../frame/maths/rank_study";
import type { Results } from "./results";

const [WIDTH, HEIGHT] = [380, 236];
const FLOOR = 1e-18;
const y = scaleLog().domain([FLOOR, 1]).range([HEIGHT - 30, 24]).clamp(true);
const across = scaleLinear().range([38, WIDTH - 10]);
const POWERS = marks([1, 1e-4, 1e-8, 1e-12, 1e-16], (value) => (value === 1 ? "1" : powerOfTen(value)));
const NAMES: Record<MapName, string> = { linear: "A", dwc: "M DWC", equivalent: "M eq", softmax: "softmax" };
// The sum last, so that it lies on top of the convolution's curve, which it nearly covers.
const ORDER: MapName[] = ["softmax", "dwc", "linear", "equivalent"];

export function spectrumView(results: Results) {
  const below = svg("rect", { class: "fe-below", x: 38, width: WIDTH - 48 });
  const tolerance = svg("path", { class: "fe-tolerance" });
  const label = svg("text", { class: "fe-tolerance-label", x: WIDTH - 14, "text-anchor": "end" });
  const places = svg("g", { class: "fe-axes" });
  const curves = Object.fromEntries(ORDER.map((name) => [name, svg("path", { class: `fe-curve fe-${name}` })]));
  const node = svg("svg", { class: "fe-spectrum", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" },
    below, axes(across, y, [], POWERS, "singular values, largest first, each ÷ the largest"), places, tolerance, ...ORDER.map((name) => curves[name]), label);
  const memo = new Memo();
  const draw = () => {
    if (!results.found) return node.setAttribute("aria-label", "Singular values: they are being computed");
    const { of, findings } = results.found;
    const x = scaleLinear().domain([1, of.n]).range([44, WIDTH - 14]);
    const share = results.tolerance(of.n);
    const at = y(share);
    below.setAttribute("y", String(at));
    below.setAttribute("height", String(y(FLOOR) - at));
    tolerance.setAttribute("d", `M38 ${at}H${WIDTH - 10}`);
    label.setAttribute("y", String(at + 13));
    label.textContent = `below ${share < 1e-12 ? scientific(share) : powerOfTen(share)}: counted as zero`;
    for (const name of ORDER) curves[name].setAttribute("d", curve(findings.spectra[name], x));
    places.replaceChildren(...indices(of.n, of.setting.d, x));
    node.setAttribute("aria-label", "Singular values, largest first, each divided by the largest. Above the tolerance: " +
      MAP_NAMES.map((name) => `${NAMES[name]} ${numericalRank(findings.spectra[name], share)}`).join(", ") + ` of ${of.n}`);
  };
  return { node, update: () => memo.keep("drawn", results.shown, draw) };
}

const curve = (values: Float64Array, x: (i: number) => number) => values[0] > 0
  ? path(Array.from(values, (value, i) => [x(i + 1), y(Math.max(value / values[0], FLOOR))])) : "";

function indices(n: number, d: number, x: (i: number) => number): SVGElement[] {
  const text = (i: number, words: string) => svg("text", { x: x(i), y: HEIGHT - 15, "text-anchor": i === n ? "end" : "middle" }, words);
  const between = d > 1 && d < n - 1;
  return [
    text(1, "1"), text(n, `N = ${n}`),
    ...(between ? [svg("path", { class: "fe-at-d", d: `M${x(d)} ${y(1)}V${y(FLOOR)}` })] : []),
    ...(between && x(n) - x(d) > 66 && x(d) - x(1) > 24 ? [text(d, `d = ${d}`)] : []),
  ];
}
