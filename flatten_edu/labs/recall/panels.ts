// What was stored, and beside it what each kind of attention gives back, with the numbers under each picture.
import { extent } from "d3-array";
import { fixed, h, minus, paintNumbers, percent, Readout, type Part, type Rgb } from "../frame";
import { numberAt, recallBound, valuesOf } from "../frame/maths/recall";
import type { Results } from "./results";
import { panelsOf, type Panel, type RecallModel, type Setting } from "./state";

export const formatCorrelation = (value: number) => Number.isFinite(value) ? minus(value.toFixed(2)) : "–";
const FIGURES = [
  ["weight", "weight on target", fixed(3)],
  ["contrast", "contrast left", percent],
  ["correlation", "correlation", formatCorrelation],
  ["right", "nearest is right", percent],
] as const;
const UNITS = { photo: "patches", own: "patches", noise: "rows of noise", given: "values" };

/** The numbers that are black and white. */
type Range = readonly [least: number, most: number];

export function panels(model: RecallModel, results: Results): Part {
  const stored = h("canvas", { role: "img" });
  const count = h("b");
  const bound = new Readout("bound", fixed(3));
  const views = panelsOf(1).map(({ name }) => panelView(name));
  const node = h("div", { class: "fe-recalled" },
    h("figure", {}, stored, h("figcaption", {}, count, h("dl", {}, line("bound on it, d / N", bound)),
      h("p", { class: "fe-note" }, "in the mean, for all features that are not negative; softmax has none"))),
    ...views.map((view) => view.node));
  let drawn = "";
  let range: Range = [0, 1];
  return {
    node,
    update() {
      const { now } = results;
      if (!now) return;
      if (drawn !== now.key) {
        drawn = now.key;
        const values = valuesOf(now.store());
        range = now.source === "given" || now.source === "noise" ? rangeOf(values) : [0, 1];
        paint(stored, values, now, range);
        count.textContent = `stored: ${now.n} ${UNITS[now.source]}`;
        stored.setAttribute("aria-label", `What was stored: ${now.n} ${UNITS[now.source]}`);
        bound.set(recallBound(now.d, now.n));
      }
      const titles = panelsOf(model.get("p"));
      views.forEach((view, i) => view.show(results, titles[i], range));
    },
  };
}

const line = (name: string, readout: Readout) => h("div", {}, h("dt", {}, name), h("dd", {}, readout.node));

function panelView(name: Panel["name"]) {
  const canvas = h("canvas", { role: "img" });
  const heading = h("b");
  const readouts = FIGURES.map(([figure, , format]) => new Readout(`${figure}_${name}`, format));
  let drawn = "";
  return {
    node: h("figure", { "data-kind": name }, canvas, h("figcaption", {}, h("span", { class: "fe-swatch" }), heading,
      h("dl", {}, ...FIGURES.map(([, words], i) => line(words, readouts[i]))))),
    show({ shown }: Results, { title }: Panel, range: Range): void {
      const mine = shown[name];
      if (!mine || drawn === mine.id) return;
      drawn = mine.id;
      paint(canvas, mine.found.out, mine.setting, range);
      heading.textContent = title;
      FIGURES.forEach(([figure], i) => readouts[i].set(mine.found[figure]));
      canvas.setAttribute("aria-label", `What ${title} gives back: ` +
        FIGURES.map(([figure, words, format]) => `${words} ${format(mine.found[figure])}`).join(", "));
    },
  };
}

/** Each row of numbers as one patch, where its value lies: a photograph's in colour, others in grey. */
function paint(canvas: HTMLCanvasElement, rows: Float64Array, { grid, n, source }: Setting, [least, most]: Range): void {
  const e = rows.length / n;
  const channels = source === "photo" || source === "own" ? 3 : 1;
  const width = Math.ceil(Math.sqrt(e / channels));
  const byte = (number: number) => 255 * Math.min(1, Math.max(0, (number - least) / (most - least)));
  canvas.dataset.source = source;
  paintNumbers(canvas, grid[1] * width, grid[0] * width, (row, column): Rgb => {
    const at = numberAt(row, column, grid[1], width, e, channels);
    if (channels === 3) return [byte(rows[at]), byte(rows[at + 1]), byte(rows[at + 2])];
    const grey = (row % width) * width + (column % width) < e ? byte(rows[at]) : 0; // the rest of a square block stays black
    return [grey, grey, grey];
  });
}

function rangeOf(values: Float64Array): Range {
  const [least, most] = extent(values) as [number, number];
  return [least, least < most ? most : least + 1];
}
