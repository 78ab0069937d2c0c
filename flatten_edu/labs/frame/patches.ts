// Choosing a patch of a picture: by mouse, by a tap, or by the arrow keys. A finger that swipes scrolls the page.
import { h, meaning } from "./dom";

export type Grid = readonly [rows: number, columns: number];
export const PIXELS = 336; // of each canvas; the page scales it

const ARROWS: Record<string, Grid> = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** `at` gives the grid and the query patch as they are, `choose` is told of another.
 *
 * The picker's canvas takes the focus and the arrow keys. `also` lets another be pointed at: on the same grid, or as
 * `patchAt` reads a point, given as shares of its sides.
 */
export function patchPicker(what: string, signal: AbortSignal, at: () => { grid: Grid; patch: number }, choose: (patch: number) => void) {
  const canvas = h("canvas", {
    width: PIXELS, height: PIXELS, role: "slider", tabindex: 0, "data-lm-suppress-shortcuts": "true",
    "aria-label": "query patch: arrow keys choose another", "aria-roledescription": `patch of the ${what}`,
    "aria-valuemin": 0, "aria-valuenow": 0,
  });
  const onGrid = (x: number, y: number) => {
    const { grid: [rows, columns] } = at();
    return cell(y, rows) * columns + cell(x, columns);
  };

  function also(other: HTMLCanvasElement, patchAt = onGrid): void {
    const pick = (event: MouseEvent) => {
      const box = other.getBoundingClientRect();
      choose(patchAt((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height));
      canvas.focus({ preventScroll: true });
    };
    const mouse = (event: PointerEvent) => { if (event.pointerType !== "touch" && event.buttons === 1) pick(event); };
    other.addEventListener("mousedown", (event) => event.preventDefault(), { signal }); // or the focus would leave the picker
    other.addEventListener("pointerdown", mouse, { signal });
    other.addEventListener("pointermove", mouse, { signal });
    other.addEventListener("click", pick, { signal }); // a tap: after a swipe there is none
  }

  canvas.addEventListener("keydown", (event) => {
    const step = meaning(event, ARROWS);
    if (!step) return;
    const { patch, grid: [rows, columns] } = at();
    const [row, column] = [Math.floor(patch / columns) + step[0], (patch % columns) + step[1]];
    if (row >= 0 && row < rows && column >= 0 && column < columns) choose(row * columns + column);
  }, { signal });
  also(canvas);

  return {
    canvas, also,
    update() {
      const { patch, grid: [rows, columns] } = at();
      canvas.setAttribute("aria-valuemax", String(rows * columns - 1));
      canvas.setAttribute("aria-valuenow", String(patch));
      canvas.setAttribute("aria-valuetext", `row ${Math.floor(patch / columns) + 1}, column ${(patch % columns) + 1}`);
    },
  };
}

export const cell = (share: number, count: number) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
