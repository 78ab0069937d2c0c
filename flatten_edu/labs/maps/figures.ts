// The query's picture, and beside it one map a model: where the query patch looks, and the figures of its row.
import { cell, change, h, patchPicker, type Part } from "../frame";
import { drawPicture } from "./draw";
import type { Sources } from "./sources";
import { mapFigure, paintedMap } from "./map_figure";
import { chosen, type Entry, type MapsModel } from "./state";

export function figures(model: MapsModel, sources: Sources, signal: AbortSignal): Part {
  const picker = patchPicker("picture", signal, () => chosen(model), (patch) => change(model, "patch", patch));
  const { canvas } = picker;
  const about = h("span", {}), node = h("div", { class: "fe-maps" });
  let entries: Entry[] | null = null;
  let maps: ReturnType<typeof mapFigure>[] = [];

  function patchAt(x: number, y: number): number {
    const { grid: [rows, columns] } = chosen(model);
    return model.get("display") === "matrix" ? cell(y, rows * columns) : cell(y, rows) * columns + cell(x, columns);
  }

  function rebuild(): void {
    if (entries === model.get("models")) return;
    entries = model.get("models");
    maps = entries.map(mapFigure);
    maps.forEach((map) => picker.also(map.canvas, patchAt));
    node.replaceChildren(
      h("figure", {}, canvas, h("figcaption", {}, h("b", {}, "query patch"), about)), ...maps.map((map) => map.node));
    node.style.setProperty("--maps", String(maps.length));
  }

  return {
    node,
    update() {
      rebuild();
      const { grid, patch, picture: index } = chosen(model);
      const picture = sources.picture();
      node.setAttribute("aria-busy", String(sources.needsModels() && !sources.complete && !sources.runs.failed));
      const painted = maps.map(({ entry }, i) => paintedMap(model, sources, entry, i));
      const common = Math.max(0, ...painted.map((one) => one?.top ?? 0));
      if (picture) drawPicture(canvas, picture, grid, patch);
      maps.forEach((map, i) => map.show(model, sources, painted[i], picture, model.get("common_scale") ? common : undefined));
      about.textContent = index < 0 && sources.own ? "your file, as the models see it; they know ten classes, and no other" : model.get("pictures")[Math.max(index, 0)]?.about ?? "";
      picker.update();
    },
  };
}
