// One model's map: where the query patch looks, the figures of its row, and what the model takes the picture for.
import { fixed, formatP, h, percent, PIXELS, Readout } from "../frame";
import { entropyBits, top1Share } from "../frame/maths/attention";
import { magnitudeShare } from "../frame/maths/attention_maps";
import { softmax } from "../frame/maths/layers";
import { drawMatrix, drawSigned, drawWeights } from "./draw";
import type { Sources } from "./sources";
import { previewRow } from "./preview";
import { paintedOf, type Painted } from "./painted";
import { focusing, follows, chosen, slug, whatIf, type Entry, type MapsModel, type Picture } from "./state";

/** What a model shows in this view; null while it has not arrived. */
export function paintedMap(model: MapsModel, sources: Sources, entry: Entry, index: number): Painted | null {
  const found = sources.paintedMap(entry);
  if (found || sources.needsModels() || model.get("display") === "matrix") return found;
  const row = previewRow(model, index);
  return row && paintedOf([row], 0, chosen(model).offset);
}

export class MapFigure {
  readonly canvas: HTMLCanvasElement;
  readonly node: HTMLElement;
  private readonly tag = h("span", { class: "fe-tag" });
  private readonly says = h("span", { class: "fe-says" });
  private readonly before = h("span", { class: "fe-before" });
  private readonly confidence: Readout;
  private readonly entropy: Readout;
  private readonly top: Readout;
  private readonly classToken: Readout;
  private readonly sum: Readout;
  private readonly tokenLine: HTMLElement;
  private readonly sumLine: HTMLElement;

  constructor(readonly entry: Entry) {
    const name = slug(entry);
    this.canvas = h("canvas", { width: PIXELS, height: PIXELS, role: "img", "data-kind": name, "aria-label": entry.title });
    this.confidence = new Readout(`confidence_${name}`, (share) => `${Math.round(100 * share)} %`);
    this.entropy = new Readout(`entropy_${name}`, fixed(2));
    this.top = new Readout(`top1_${name}`, percent);
    this.classToken = new Readout(`class_token_${name}`, percent);
    this.says.dataset.name = `says_${name}`;
    this.sum = new Readout(`sum_${name}`, (sum) => sum.toPrecision(2));
    const line = (term: string, value: Readout) => h("div", {}, h("dt", {}, term), h("dd", {}, value.node));
    this.tokenLine = line("class token", this.classToken);
    this.sumLine = line("row sums to", this.sum);
    const lines = [line("entropy, bits", this.entropy), line("top-1 share", this.top), this.tokenLine, this.sumLine];
    if (entry.accuracy !== null) {
      const accuracy = new Readout(`accuracy_${name}`, percent);
      accuracy.set(entry.accuracy);
      lines.push(line("test accuracy", accuracy));
    }
    const verdict = h("div", { class: "fe-verdict" }, this.says, " ", this.confidence.node, this.before);
    this.node = h("figure", {}, this.canvas,
      h("figcaption", {}, h("b", {}, entry.title), this.tag, h("dl", {}, ...lines), entry.file ? verdict : null));
  }

  show(model: MapsModel, sources: Sources, what: Painted | null, picture: Picture | null, common = what?.top ?? 0): void {
    const { offset, channel } = chosen(model);
    this.node.dataset.state = what ? "ready" : "waiting";
    this.tag.textContent = tag(model, this.entry);
    this.tag.classList.toggle("fe-what-if", whatIf(model, this.entry));
    this.tokenLine.hidden = offset === 0;
    this.verdict(model, sources);
    const share = what ? magnitudeShare(what.row) : null;
    const sum = what ? what.row.reduce((a, b) => a + b, 0) : NaN;
    // The module adds eps to a query's mean similarity: where hardly any key is like it, the row sums to less than 1.
    this.sumLine.hidden = !(sum < 0.995) || this.entry.dwc || model.get("by_value");
    this.sum.set(sum);
    this.entropy.set(share ? entropyBits(share) : NaN);
    this.top.set(share ? top1Share(share) : NaN);
    this.classToken.set(share && offset ? share[0] : NaN);
    const signed = this.entry.dwc && channel >= 0;
    if (what && picture) this.draw(model, what, picture, common, signed);
    this.canvas.setAttribute("aria-label", share
      ? `Attention by ${this.entry.title}: top-1 share ${percent(top1Share(share))}, entropy ${entropyBits(share).toFixed(2)} bits`
      : `Attention by ${this.entry.title}: not here yet`);
  }

  private draw(model: MapsModel, what: Painted, picture: Picture, top: number, signed: boolean): void {
    const { grid, patch } = chosen(model);
    if (what.painted.length > 1) drawMatrix(this.canvas, what.painted, top, signed, patch);
    else if (signed) drawSigned(this.canvas, picture, what.painted[0], top, grid, patch);
    else drawWeights(this.canvas, picture, what.painted[0], top, grid, patch);
  }

  private verdict(model: MapsModel, sources: Sources): void {
    const scores = sources.scores(this.entry);
    const now = scores.now && best(scores.now);
    const before = scores.trained && best(scores.trained);
    const classes = model.get("classes");
    this.says.textContent = now ? `says ${classes[now.index]},` : "says …";
    this.says.dataset.value = now ? classes[now.index] : "";
    this.confidence.set(now ? now.share : NaN);
    const moved = model.get("inside") && whatIf(model, this.entry) && before;
    this.before.textContent = moved ? `as trained: ${classes[before.index]}, ${Math.round(100 * before.share)} %` : "";
  }
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
