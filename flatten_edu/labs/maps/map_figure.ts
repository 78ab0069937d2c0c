// One model's map: where the query patch looks, the figures of its row, and what the model takes the picture for.
import { fixed, formatP, h, percent, PIXELS, Readout } from "../frame";
import { entropyBits, top1Share } from "../frame/maths/attention";
import { magnitudeShare } from "../frame/maths/attention_maps";
import { softmax } from "../frame/maths/layers";
import { drawMatrix, drawSigned, drawWeights } from "./draw";
import type { Sources } from "./sources";
import { paintedOf, previewRow, type Painted } from "./preview";
import { focusing, follows, chosen, slug, whatIf, type Entry, type MapsModel, type Picture } from "./state";

/** What a model shows in this view; null while it has not arrived. */
export function paintedMap(model: MapsModel, sources: Sources, entry: Entry, index: number): Painted | null {
  const found = sources.paintedMap(entry);
  if (found || sources.needsModels() || model.get("display") === "matrix") return found;
  const row = previewRow(model, index);
  return row && paintedOf([row], 0, chosen(model).offset);
}

export function mapFigure(entry: Entry) {
  const name = slug(entry);
  const canvas = h("canvas", { width: PIXELS, height: PIXELS, role: "img", "data-kind": name, "aria-label": entry.title });
  const [note, says, before] = ["tag", "says", "before"].map((kind) => h("span", { class: `fe-${kind}` }));
  says.dataset.name = `says_${name}`;
  const confidence = new Readout(`confidence_${name}`, (share) => `${Math.round(100 * share)} %`);
  const readouts = {
    entropy: new Readout(`entropy_${name}`, fixed(2)), top: new Readout(`top1_${name}`, percent),
    classToken: new Readout(`class_token_${name}`, percent), sum: new Readout(`sum_${name}`, (sum) => sum.toPrecision(2)),
    accuracy: new Readout(`accuracy_${name}`, percent),
  };
  const line = (term: string, value: Readout) => h("div", {}, h("dt", {}, term), h("dd", {}, value.node));
  const lines = [
    line("entropy, bits", readouts.entropy), line("top-1 share", readouts.top), line("class token", readouts.classToken),
    line("row sums to", readouts.sum), ...(entry.accuracy === null ? [] : [line("test accuracy", readouts.accuracy)]),
  ];
  if (entry.accuracy !== null) readouts.accuracy.set(entry.accuracy);
  const verdict = h("div", { class: "fe-verdict" }, says, " ", confidence.node, before);
  const node = h("figure", {}, canvas,
    h("figcaption", {}, h("b", {}, entry.title), note, h("dl", {}, ...lines), entry.file ? verdict : null));

  function show(model: MapsModel, sources: Sources, what: Painted | null, picture: Picture | null, common = what?.top ?? 0): void {
    const { offset, channel } = chosen(model);
    node.dataset.state = what ? "ready" : "waiting";
    note.textContent = tag(model, entry);
    note.classList.toggle("fe-what-if", whatIf(model, entry));
    lines[2].hidden = offset === 0;
    judge(model, sources);
    const share = what ? magnitudeShare(what.row) : null;
    const sum = what ? what.row.reduce((a, b) => a + b, 0) : NaN;
    // The module adds eps to a query's mean similarity: where hardly any key is like it, the row sums to less than 1.
    lines[3].hidden = !(sum < 0.995) || entry.dwc || model.get("by_value");
    readouts.sum.set(sum);
    readouts.entropy.set(share ? entropyBits(share) : NaN);
    readouts.top.set(share ? top1Share(share) : NaN);
    readouts.classToken.set(share && offset ? share[0] : NaN);
    if (what && picture) draw(model, what, picture, common, entry.dwc && channel >= 0);
    canvas.setAttribute("aria-label", share
      ? `Attention by ${entry.title}: top-1 share ${percent(top1Share(share))}, entropy ${entropyBits(share).toFixed(2)} bits`
      : `Attention by ${entry.title}: not here yet`);
  }

  function draw(model: MapsModel, { painted }: Painted, picture: Picture, top: number, signed: boolean): void {
    const { grid, patch } = chosen(model);
    if (painted.length > 1) drawMatrix(canvas, painted, top, signed, patch);
    else (signed ? drawSigned : drawWeights)(canvas, picture, painted[0], top, grid, patch);
  }

  function judge(model: MapsModel, sources: Sources): void {
    const scores = sources.scores(entry);
    const [now, trained] = [scores.now && best(scores.now), scores.trained && best(scores.trained)];
    const classes = model.get("classes");
    says.textContent = now ? `says ${classes[now.index]},` : "says …";
    says.dataset.value = now ? classes[now.index] : "";
    confidence.set(now ? now.share : NaN);
    const moved = model.get("inside") && whatIf(model, entry) && trained;
    before.textContent = moved ? `as trained: ${classes[trained.index]}, ${Math.round(100 * trained.share)} %` : "";
  }

  return { entry, canvas, node, show };
}

function best(logits: ArrayLike<number>): { index: number; share: number } {
  const shares = softmax(logits);
  const share = Math.max(...shares);
  return { index: shares.indexOf(share), share };
}

/** Under a map's name: its p, and whether that is the p of its training. */
function tag(model: MapsModel, entry: Entry): string {
  if (entry.kind === "softmax") return "no p";
  const p = `p = ${formatP(focusing(model, entry))}`;
  if (!entry.file) return follows(model, entry) ? p : "p = 1, plain ReLU";
  if (whatIf(model, entry)) return `what if ${p}?`;
  return entry.trained_p === null ? "plain ReLU, as trained" : `${p}, as trained`;
}
