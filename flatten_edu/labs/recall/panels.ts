// What was stored, and beside it what each kind of attention gives back, with the numbers under each picture.
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
  const views = panelsOf(1).map(({ name }) => new PanelView(name));
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

class PanelView {
  readonly node: HTMLElement;
  private readonly canvas = h("canvas", { role: "img" });
  private readonly title = h("b");
  private readonly readouts: Record<string, Readout>;
  private drawn = "";

  constructor(private readonly name: Panel["name"]) {
    this.readouts = Object.fromEntries(FIGURES.map(([figure, , format]) => [figure, new Readout(`${figure}_${name}`, format)]));
    this.node = h("figure", { "data-kind": name }, this.canvas, h("figcaption", {}, h("span", { class: "fe-swatch" }), this.title,
      h("dl", {}, ...FIGURES.map(([figure, words]) => line(words, this.readouts[figure])))));
  }

  show({ shown }: Results, { title }: Panel, range: Range): void {
    const mine = shown[this.name];
    if (!mine || this.drawn === mine.id) return;
    this.drawn = mine.id;
    paint(this.canvas, mine.found.out, mine.setting, range);
    this.title.textContent = title;
    for (const [figure] of FIGURES) this.readouts[figure].set(mine.found[figure]);
    this.canvas.setAttribute("aria-label", `What ${title} gives back: ` +
      FIGURES.map(([figure, words, format]) => `${words} ${format(mine.found[figure])}`).join(", "));
  }
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
    const within = channels === 3 || (row % width) * width + (column % width) < e; // the rest of a square block stays black
    return channels === 3 ? [byte(rows[at]), byte(rows[at + 1]), byte(rows[at + 2])] : within ? [byte(rows[at]), byte(rows[at]), byte(rows[at])] : [0, 0, 0];
  });
}

function rangeOf(values: Float64Array): Range {
  const range = values.reduce(([least, most], x) => [Math.min(least, x), Math.max(most, x)], [Infinity, -Infinity]);
  return range[0] < range[1] ? [range[0], range[1]] : [range[0], range[0] + 1];
}
