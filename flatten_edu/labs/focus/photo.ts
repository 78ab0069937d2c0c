// The second view: one patch of a photograph as the query, its attention over all patches by three kinds.
import { fixed, h, percent, Readout } from "../frame/dom";
import { change, type View } from "../frame/lab";
import { formatP } from "../frame/focusing_factor";
import { entropyBits, focusedMap, linearWeights, softmaxWeights, top1Share } from "../frame/maths";
import { queryPatch, type FocusModel } from "./state";

const PIXELS = 336; // of each canvas; the page scales it
const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0],
};
const TITLES = { softmax: "softmax", p1: "linear, p = 1", p: "focused" };
type Kind = keyof typeof TITLES;

/** A DataView of float32 numbers (n tokens x d, row after row) as n rows. */
export function tokenRows(view: DataView, n: number): Float32Array[] {
  const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  const flat = new Float32Array(bytes);
  const d = flat.length / n;
  return Array.from({ length: n }, (_, i) => flat.subarray(i * d, (i + 1) * d));
}

/** phi(K) for a set of tokens and a p, kept until either changes. */
class MappedTokens {
  private source: DataView | null = null;
  private p = NaN;
  private mapped: Float64Array[] = [];

  get(source: DataView, rows: Float32Array[], p: number): Float64Array[] {
    if (source !== this.source || p !== this.p) {
      this.mapped = rows.map((row) => focusedMap(row, p));
      [this.source, this.p] = [source, p];
    }
    return this.mapped;
  }
}

export function photo(model: FocusModel, signal: AbortSignal): View & { node: HTMLElement } {
  const picker = h("canvas", {
    width: PIXELS, height: PIXELS, role: "slider", tabindex: 0, "data-lm-suppress-shortcuts": "true",
    "aria-label": "query patch: arrow keys choose another", "aria-roledescription": "patch of the photograph",
    "aria-valuemin": 0, "aria-valuenow": 0,
  });
  const maps = (Object.keys(TITLES) as Kind[]).map((kind) => new WeightMap(kind));
  const shared = h("input", { type: "checkbox" });
  const waiting = h("p", {}, "The photograph has not arrived yet.");
  const source = h("p", { class: "fe-source" });
  const node = h("div", {},
    waiting,
    h("div", { class: "fe-maps" },
      h("figure", {}, picker, h("figcaption", {}, h("b", {}, "query patch"), h("span", {}, "click another, or use the arrow keys"))),
      ...maps.map((map) => map.node)),
    h("label", { class: "fe-check" }, shared, "one brightness scale for all three maps"),
    source);
  const plain = new MappedTokens();
  const focused = new MappedTokens();
  let picture: ImageBitmap | null = null;
  let pictureOf: DataView | null = null;

  async function decode(bytes: DataView): Promise<void> {
    pictureOf = bytes;
    let bitmap: ImageBitmap;
    try {
      bitmap = await createImageBitmap(new Blob([bytes as DataView<ArrayBuffer>], { type: "image/jpeg" }));
    } catch {
      waiting.textContent = "This photograph cannot be read by the browser.";
      waiting.hidden = false;
      return;
    }
    if (signal.aborted || bytes !== pictureOf) return bitmap.close();
    picture?.close();
    picture = bitmap;
    update();
  }

  function pick(event: PointerEvent): void {
    if (event.type === "pointerdown" && event.button !== 0) return;
    if (event.type === "pointermove" && event.buttons !== 1) return;
    const [rows, columns] = model.get("grid");
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const cell = (along: number, size: number, cells: number) =>
      Math.min(cells - 1, Math.max(0, Math.floor((along / size) * cells)));
    const row = cell(event.clientY - box.top, box.height, rows);
    change(model, "patch", row * columns + cell(event.clientX - box.left, box.width, columns));
    picker.focus({ preventScroll: true });
  }

  for (const canvas of [picker, ...maps.map((map) => map.canvas)]) {
    canvas.addEventListener("pointerdown", pick, { signal });
    canvas.addEventListener("pointermove", pick, { signal });
  }
  shared.addEventListener("change", () => update(), { signal });
  picker.addEventListener("keydown", (event) => {
    const step = ARROWS[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const [rows, columns] = model.get("grid");
    const row = Math.floor(queryPatch(model) / columns) + step[0];
    const column = (queryPatch(model) % columns) + step[1];
    if (row >= 0 && row < rows && column >= 0 && column < columns) change(model, "patch", row * columns + column);
  }, { signal });

  function update(): void {
    if (model.get("view") !== "photo") return;
    const [bytes, q, k] = [model.get("photo"), model.get("tokens_q"), model.get("tokens_k")];
    waiting.hidden = Boolean(bytes && q && k);
    source.textContent = model.get("features");
    if (!bytes || !q || !k) return;
    if (bytes !== pictureOf) void decode(bytes);
    if (!picture) return;
    const grid = model.get("grid");
    const patch = queryPatch(model);
    const p = model.get("p");
    const n = grid[0] * grid[1];
    const query = tokenRows(q, n)[patch];
    const keys = tokenRows(k, n);
    const weights: Record<Kind, number[]> = {
      softmax: softmaxWeights(query, keys),
      p1: linearWeights(focusedMap(query, 1), plain.get(k, keys, 1)),
      p: linearWeights(focusedMap(query, p), focused.get(k, keys, p)),
    };
    const brightest = Math.max(...Object.values(weights).flat());
    paint(picker, picture, grid, patch);
    for (const map of maps) map.show(weights[map.kind], picture, grid, patch, shared.checked ? brightest : null, p);
    picker.setAttribute("aria-valuemax", String(n - 1));
    picker.setAttribute("aria-valuenow", String(patch));
    picker.setAttribute("aria-valuetext", `row ${Math.floor(patch / grid[1]) + 1}, column ${(patch % grid[1]) + 1}`);
  }

  return { node, update, remove: () => picture?.close() };
}

class WeightMap {
  readonly canvas: HTMLCanvasElement;
  readonly node: HTMLElement;
  private readonly title = h("b", {});
  private readonly entropy: Readout;
  private readonly top: Readout;

  constructor(readonly kind: Kind) {
    this.canvas = h("canvas", { width: PIXELS, height: PIXELS, role: "img", "data-kind": kind, "aria-label": TITLES[kind] });
    this.entropy = new Readout(`photo_entropy_${kind}`, fixed(2, " bits"));
    this.top = new Readout(`photo_top1_${kind}`, percent);
    this.node = h("figure", {}, this.canvas, h("figcaption", {}, this.title,
      h("span", {}, "brightest ", this.top.node), h("span", {}, "entropy ", this.entropy.node)));
  }

  show(weights: number[], picture: ImageBitmap, grid: [number, number], patch: number, top: number | null, p: number): void {
    const share = top1Share(weights);
    const title = this.kind === "p" ? `focused, p = ${formatP(p)}` : TITLES[this.kind];
    this.title.textContent = title;
    this.entropy.set(entropyBits(weights));
    this.top.set(share);
    const scale = top ?? share;
    paint(this.canvas, picture, grid, patch, (i) => (scale > 0 ? weights[i] / scale : 0));
    this.canvas.setAttribute("aria-label", Number.isFinite(share)
      ? `Attention by ${title}: brightest patch ${percent(share)}, entropy ${entropyBits(weights).toFixed(2)} bits`
      : `Attention by ${title}: this query has no positive feature, so there is none`);
  }
}

/**
 * The photograph with each patch lit in proportion to its weight, and the query patch outlined.
 * A screen's light grows with about the square of the value that is painted: hence the root.
 */
function paint(
  canvas: HTMLCanvasElement, picture: ImageBitmap, [rows, columns]: [number, number], patch: number,
  brightness: (i: number) => number = () => 1,
): void {
  const context = canvas.getContext("2d")!;
  const [width, height] = [PIXELS / columns, PIXELS / rows];
  const box = (i: number): [number, number, number, number] =>
    [(i % columns) * width, Math.floor(i / columns) * height, width, height];
  context.drawImage(picture, 0, 0, PIXELS, PIXELS);
  for (let i = 0; i < rows * columns; i++) {
    context.fillStyle = `rgb(8 10 20 / ${0.92 * (1 - Math.sqrt(brightness(i)))})`;
    context.fillRect(...box(i));
  }
  for (const [colour, lineWidth] of [["#000", 5], ["#ffb000", 3]] as const) {
    context.strokeStyle = colour;
    context.lineWidth = lineWidth;
    context.strokeRect(...box(patch));
  }
}
