// The query's picture, and beside it one map a model: where the query patch looks, and the figures of its row.
import { h } from "../frame/dom";
import { change, type View } from "../frame/lab";
import { drawPicture, PIXELS } from "./draw";
import type { Engine } from "./engine";
import { MapFigure, see } from "./map_figure";
import { shown, type Entry, type MapsModel } from "./state";

const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0],
};

export function figures(model: MapsModel, engine: Engine, signal: AbortSignal): View & { node: HTMLElement } {
  const picker = h("canvas", {
    width: PIXELS, height: PIXELS, role: "slider", tabindex: 0, "data-lm-suppress-shortcuts": "true",
    "aria-label": "query patch: arrow keys choose another", "aria-roledescription": "patch of the picture",
    "aria-valuemin": 0, "aria-valuenow": 0,
  });
  const about = h("span", {});
  const node = h("div", { class: "fe-maps" });
  let entries: Entry[] | null = null;
  let maps: MapFigure[] = [];

  function pick(event: PointerEvent): void {
    if (event.type === "pointerdown" && event.button !== 0) return;
    if (event.type === "pointermove" && event.buttons !== 1) return;
    const { grid: [rows, columns] } = shown(model);
    const canvas = event.currentTarget as HTMLElement;
    const box = canvas.getBoundingClientRect();
    const at = (along: number, size: number, count: number) => Math.min(count - 1, Math.max(0, Math.floor((along / size) * count)));
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const inMatrix = canvas !== picker && model.get("display") === "matrix";
    change(model, "patch", inMatrix ? at(y, box.height, rows * columns) : at(y, box.height, rows) * columns + at(x, box.width, columns));
    picker.focus({ preventScroll: true });
  }

  const pickable = (canvas: HTMLElement) => {
    canvas.addEventListener("mousedown", (event) => event.preventDefault(), { signal }); // or the focus would leave the picker
    canvas.addEventListener("pointerdown", pick, { signal });
    canvas.addEventListener("pointermove", pick, { signal });
  };
  pickable(picker);
  picker.addEventListener("keydown", (event) => {
    const step = ARROWS[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation(); // JupyterLab would move to another cell
    const { patch, grid: [rows, columns] } = shown(model);
    const [row, column] = [Math.floor(patch / columns) + step[0], (patch % columns) + step[1]];
    if (row >= 0 && row < rows && column >= 0 && column < columns) change(model, "patch", row * columns + column);
  }, { signal });

  function rebuild(): void {
    if (entries === model.get("models")) return;
    entries = model.get("models");
    maps = entries.map((entry) => new MapFigure(entry));
    maps.forEach((map) => pickable(map.canvas));
    node.replaceChildren(
      h("figure", {}, picker, h("figcaption", {}, h("b", {}, "query patch"), about)), ...maps.map((map) => map.node));
    node.style.setProperty("--maps", String(maps.length));
  }

  return {
    node,
    update() {
      rebuild();
      const { grid, patch, picture: index } = shown(model);
      const picture = engine.picture();
      const seen = maps.map(({ entry }, i) => see(model, engine, entry, i));
      const common = Math.max(0, ...seen.map((one) => one?.top ?? 0));
      if (picture) drawPicture(picker, picture, grid, patch);
      maps.forEach((map, i) => map.show(model, engine, seen[i], picture, model.get("common_scale") ? common : undefined));
      about.textContent = index < 0 && engine.own ? "your file, as the models see it; they know ten classes, and no other" : model.get("pictures")[Math.max(index, 0)]?.about ?? "";
      picker.setAttribute("aria-valuemax", String(grid[0] * grid[1] - 1));
      picker.setAttribute("aria-valuenow", String(patch));
      picker.setAttribute("aria-valuetext", `row ${Math.floor(patch / grid[1]) + 1}, column ${(patch % grid[1]) + 1}`);
    },
  };
}
