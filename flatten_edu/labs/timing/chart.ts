// Seconds against N, both logarithmic: the reader's points as they come, a record beside them, crossovers and the guess.
import { extent, max, min } from "d3-array";
import { scaleLog } from "d3-scale";
import { axes, duration, marks, Memo, svg } from "../frame";
import { fitPowerLaw, median, middle, quantile, type Series } from "../frame/maths/power_law";
import { DRAWN, findingsOf, FIT_FROM, SHORT, type Drawn, type Findings } from "./findings";
import type { TimingRecord } from "./record";
import { besideOf, type TimingModel } from "./state";
import { crossingText } from "./table";

const [WIDTH, HEIGHT] = [400, 330];
const BOX = { left: 50, right: WIDTH - 86, top: 52, bottom: HEIGHT - 36 };
const LABEL_GAP = 28;

type Scale = ReturnType<typeof scaleLog<number, number>>;
interface Scales { x: Scale; y: Scale }

export function chart(model: TimingModel) {
  const node = svg("svg", { class: "fe-chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  const memo = new Memo();
  const draw = (mine: TimingRecord | null, other: TimingRecord | null, guess: number) => {
    const [own, beside] = [mine, other].map((record) => record && findingsOf(record));
    const scales = scalesFor([own, beside]);
    node.replaceChildren(...axesOf(scales), ...drawn(beside, scales, "beside"), ...drawn(own, scales, "own"),
      ...names(own && own.laws.softmax_written_out ? own : beside ?? own, scales), ...crossings(own, beside, guess, scales));
    node.setAttribute("aria-label", `Seconds against N, both logarithmic: ${own ? "your points, and " : ""}a record beside. ` +
      "The table of figures says what is read off; all points stand in a table below.");
  };
  return {
    node,
    update() {
      const now = [model.get("own"), besideOf(model), model.get("guess")] as const;
      memo.keep("drawn", now, () => draw(...now));
    },
  };
}

/** From the smallest to the largest N and time that are drawn, rounded outwards to powers of ten for the times. */
function scalesFor(all: readonly (Findings | null)[]): Scales {
  const series = all.flatMap((one) => (one ? Object.values(one.series) : []));
  const n = series.flatMap((one) => [...one.n]);
  const seconds = series.flatMap((one) => one.seconds.flat());
  const [low = 1e-5, high = 1] = extent(seconds);
  const ends = [Math.min(16, min(n) ?? 16) * 0.85, Math.max(12544, max(n) ?? 0) * 1.15];
  return {
    x: scaleLog().domain(ends).range([BOX.left, BOX.right]),
    y: scaleLog().domain([10 ** Math.floor(Math.log10(low) - 0.1), 10 ** Math.ceil(Math.log10(high) + 0.05)]).range([BOX.bottom, BOX.top]),
  };
}

const TICKS = [16, 49, 196, 784, 3136, 12544, 50176, 200704];

function axesOf({ x, y }: Scales): SVGElement[] {
  const [low, high] = y.domain().map((value) => Math.round(Math.log10(value)));
  const powers = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
  const tokens = TICKS.filter((n) => n >= x.domain()[0] && n <= x.domain()[1]);
  return [
    axes(x, y, marks(tokens), marks(powers, duration), "", 16),
    svg("text", { class: "fe-axis", x: (BOX.left + BOX.right) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, "N, tokens"),
  ];
}

/** One record: a line through the medians, and at each N the median with its quartiles. */
function drawn(found: Findings | null, scales: Scales, who: "own" | "beside"): SVGElement[] {
  return DRAWN.flatMap((variant) => {
    const series = found?.series[variant];
    return series ? [svg("g", { class: `fe-series fe-${variant} fe-${who}` }, line(series, scales), ...points(variant, series, scales))] : [];
  });
}

function line(series: Series, { x, y }: Scales): SVGElement {
  const { n, seconds } = middle(series);
  return svg("path", { class: "fe-line", d: n.map((value, i) => `${i ? "L" : "M"}${x(value).toFixed(1)} ${y(seconds[i]).toFixed(1)}`).join("") });
}

const SHAPES: Record<Drawn, string> = {
  softmax_written_out: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", softmax: "M0 -5L5 0L0 5L-5 0z",
  relu: "M-3.6 -3.6H3.6V3.6H-3.6z", focused: "M0 -4.8L4.6 3.4H-4.6z",
};

function points(variant: Drawn, { n, seconds }: Series, { x, y }: Scales): SVGElement[] {
  return n.flatMap((value, i) => {
    const quartiles = [0.25, 0.75].map((share) => y(quantile(seconds[i], share)).toFixed(1));
    const at = `translate(${x(value).toFixed(1)} ${y(median(seconds[i])).toFixed(1)})`;
    return [
      svg("path", { class: "fe-bar", d: `M${x(value).toFixed(1)} ${quartiles[0]}V${quartiles[1]}` }),
      svg("path", { class: "fe-point", d: SHAPES[variant], transform: at },
        svg("title", {}, `${SHORT[variant]}, N = ${value}: ${duration(median(seconds[i]))}`)),
    ];
  });
}

/** At the right edge: the fitted lines' ends, with their names and exponents. Dotted where nothing was measured. */
function names(found: Findings | null, { x, y }: Scales): SVGElement[] {
  if (!found) return [];
  const end = x.domain()[1];
  const labels = DRAWN.flatMap((variant) => {
    const series = found.series[variant];
    if (!series) return [];
    const { n, seconds } = middle(series);
    const { exponent, factor } = fitPowerLaw(n, seconds, FIT_FROM);
    const last = n[n.length - 1];
    const fitted = Number.isNaN(exponent) ? () => seconds[n.length - 1] : (value: number) => factor * value ** exponent;
    const to = Number.isNaN(exponent) ? last : end;
    return [{ variant, exponent, last, to, from: fitted(last), height: Math.max(BOX.top, y(fitted(to))), seconds: fitted(to) }];
  }).sort((a, b) => a.height - b.height);
  let free = -Infinity;
  const places = labels.map(({ height }) => (free = Math.max(height, free + LABEL_GAP)));
  const over = Math.max(0, (places.at(-1) ?? 0) - BOX.bottom);
  return labels.flatMap(({ variant, exponent, last, to, from, seconds }, i) => {
    const top = places[i] - over;
    const label = svg("text", { class: `fe-name fe-${variant}`, x: BOX.right + 5, y: top, dy: "0.1em" }, SHORT[variant],
      svg("tspan", { class: "fe-exponent", x: BOX.right + 5, dy: "1.15em" },
        ...(Number.isNaN(exponent) ? [] : ["∝ N", svg("tspan", { dy: "-0.45em", class: "fe-power" }, exponent.toFixed(2))])));
    return to > last * 1.2
      ? [svg("path", { class: `fe-fit fe-${variant}`, d: `M${x(last)} ${y(from)}L${x(to)} ${Math.max(BOX.top, y(seconds))}` }), label] : [label];
  });
}

/** Crossovers as bands of their intervals, and the reader's guess. */
function crossings(own: Findings | null, beside: Findings | null, guess: number, { x }: Scales): SVGElement[] {
  const of = own?.crossings["relu softmax_written_out"] ? own : beside;
  const lines = (["relu", "focused"] as const).flatMap((fast, i) => {
    const found = of?.crossings[`${fast} softmax_written_out`];
    if (!of || !found || found.n === 0 || found.n === Infinity) return [];
    const [low, high] = [found.low, found.high].map((value) => x(Math.min(Math.max(value, x.domain()[0]), x.domain()[1])));
    const top = 14 + 14 * i;
    return [
      svg("rect", { class: `fe-interval fe-${fast}`, x: low, y: top + 4, width: Math.max(high - low, 1), height: BOX.bottom - top - 4 }),
      svg("path", { class: `fe-crossing fe-${fast}`, d: `M${x(found.n)} ${top + 3}V${BOX.bottom}` }),
      mark(fast, x(found.n), top, `${SHORT[fast]} is faster from N = ${crossingText(found.n, of, "softmax_written_out", fast)}`),
    ];
  });
  if (guess > 0) {
    lines.push(svg("path", { class: "fe-guessed", d: `M${x(guess)} ${BOX.top - 8}V${BOX.bottom}` }),
      mark("guessed", x(guess), BOX.top - 10, `your guess, ${guess}`));
  }
  return lines;
}

/** Words beside an upright line, on the side where there is more room. */
function mark(name: string, at: number, y: number, words: string): SVGElement {
  const end = at > (BOX.left + BOX.right) / 2;
  return svg("text", { class: `fe-mark fe-${name}`, x: at + (end ? -4 : 4), y, "text-anchor": end ? "end" : "start" }, words);
}
