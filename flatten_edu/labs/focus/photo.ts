// The second view: one patch of a photograph as the query, its attention over all patches by three kinds.
import {
  asMatrix, boxOf, change, drawLit, fixed, formatP, h, Memo, outline, patchPicker, percent, PIXELS, Readout, rowsOf, start,
  tensorsOf, type Part,
} from "../frame";
import { entropyBits, focusedMap, linearWeights, softmaxWeights, top1Share } from "../frame/maths/attention";
import { queryPatch, type FocusModel } from "./state";

const TITLES = { softmax: "softmax", relu: "ReLU, p = 1", focused: "focused" };
type Kind = keyof typeof TITLES;

export function photo(model: FocusModel, signal: AbortSignal): Part {
  const picker = patchPicker("photograph", signal, () => ({ grid: model.get("grid"), patch: queryPatch(model) }),
    (patch) => change(model, "patch", patch));
  const maps = (Object.keys(TITLES) as Kind[]).map(weightMap);
  const shared = h("input", { type: "checkbox" });
  const waiting = h("p", {}, "The photograph has not arrived yet.");
  const source = h("p", { class: "fe-source" });
  const node = h("div", {},
    waiting,
    h("div", { class: "fe-maps" },
      h("figure", {}, picker.canvas, h("figcaption", {}, h("b", {}, "query patch"), h("span", {}, "click another, or use the arrow keys"))),
      ...maps.map((map) => map.node)),
    h("label", { class: "fe-check" }, shared, "one brightness scale for all three maps"),
    source);
  const memo = new Memo();
  let picture: ImageBitmap | null = null;
  let pictureOf: DataView | null = null;

  async function decode(bytes: DataView): Promise<void> {
    pictureOf = bytes;
    const bitmap = await createImageBitmap(new Blob([bytes as DataView<ArrayBuffer>], { type: "image/jpeg" })).catch(() => null);
    if (signal.aborted || bytes !== pictureOf) return bitmap?.close();
    waiting.hidden = bitmap !== null;
    if (!bitmap) return void (waiting.textContent = "This photograph cannot be read by the browser.");
    picture?.close();
    picture = bitmap;
    update();
  }

  for (const map of maps) picker.also(map.canvas);
  shared.addEventListener("change", () => update(), { signal });

  function update(): void {
    if (model.get("view") !== "photo") return;
    const [bytes, tokens] = [model.get("photo"), model.get("tokens")];
    waiting.hidden = Boolean(bytes && tokens);
    source.textContent = model.get("features");
    if (!bytes || !tokens) return;
    if (bytes !== pictureOf) void decode(bytes);
    if (!picture) return;
    const grid = model.get("grid");
    const patch = queryPatch(model);
    const p = model.get("p");
    const tensors = tensorsOf(tokens); // without keys the queries are keys too
    const [q, keys] = memo.keep("rows", [tokens], () =>
      ["q", "k"].map((name) => rowsOf(asMatrix(tensors.get(name) ?? tensors.get("q")!))));
    const query = q[patch];
    const mapped = (power: number) => keys.map((row) => focusedMap(row, power));
    const weights: Record<Kind, number[]> = {
      softmax: softmaxWeights(query, keys),
      relu: linearWeights(focusedMap(query, 1), memo.keep("plain", [keys], () => mapped(1))),
      focused: linearWeights(focusedMap(query, p), memo.keep("focused", [keys, p], () => mapped(p))),
    };
    const brightest = Math.max(...Object.values(weights).flat());
    const context = start(picker.canvas);
    context.drawImage(picture, 0, 0, PIXELS, PIXELS);
    outline(context, boxOf(patch, grid));
    for (const map of maps) map.show(weights[map.kind], picture, grid, patch, shared.checked ? brightest : null, p);
    picker.update();
  }

  return { node, update, remove: () => picture?.close() };
}

function weightMap(kind: Kind) {
  const canvas = h("canvas", { width: PIXELS, height: PIXELS, role: "img", "data-kind": kind, "aria-label": TITLES[kind] });
  const heading = h("b", {});
  const entropy = new Readout(`photo_entropy_${kind}`, fixed(2, " bits"));
  const brightest = new Readout(`photo_top1_${kind}`, percent);
  return {
    kind, canvas,
    node: h("figure", {}, canvas, h("figcaption", {}, heading,
      h("span", {}, "brightest ", brightest.node), h("span", {}, "entropy ", entropy.node))),
    show(weights: number[], picture: ImageBitmap, grid: [number, number], patch: number, top: number | null, p: number): void {
      const share = top1Share(weights);
      const title = kind === "focused" ? `focused, p = ${formatP(p)}` : TITLES[kind];
      heading.textContent = title;
      entropy.set(entropyBits(weights));
      brightest.set(share);
      drawLit(canvas, picture, weights, top ?? share, grid, patch);
      canvas.setAttribute("aria-label", Number.isFinite(share)
        ? `Attention by ${title}: brightest patch ${percent(share)}, entropy ${entropyBits(weights).toFixed(2)} bits`
        : `Attention by ${title}: this query has no positive feature, so there is none`);
    },
  };
}
