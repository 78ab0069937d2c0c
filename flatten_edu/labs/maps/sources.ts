// Where a view's queries and keys come from: the shipped tokens, or the models themselves, run beside the page.
import { AttentionMap, equivalentRow, part, valueWeighted, type Layer } from "../frame/maths/attention_maps";
import { standardise } from "../frame/maths/deit";
import type { Tensors } from "../frame/maths/safetensors";
import { Memo, tensorsOf } from "../frame";
import { paintedOf, previewPicture, type Painted } from "./preview";
import { Runs, type Job } from "./runs";
import { canRun, focusing, chosen, trained, type Entry, type MapsModel, type Picture } from "./state";
import type { Answer } from "./worker";

export class Sources {
  /** A reader's own file, as the models see it. It stays here: it is no trait, so no kernel gets it either. */
  own: Picture | null = null;
  readonly runs: Runs;
  private readonly memo = new Memo();
  private owns = 0;

  constructor(private readonly model: MapsModel, signal: AbortSignal, changed: () => void) {
    this.runs = new Runs(model, signal, changed);
  }

  private arrived = () => tensorsOf(this.model.get("tokens"));

  take(picture: Picture): void {
    this.own = picture;
    this.owns += 1;
  }

  /** A picture's pixels; before the tokens are here, those of the first view. */
  picture(index = this.index(), alone = false): Picture | null {
    if (index < 0) return this.own;
    const found = this.arrived().get(`pictures/${index}`);
    if (found) return { size: [found.shape[0], found.shape[1]], pixels: found.data };
    return !alone || index === this.model.get("preview").state?.picture ? previewPicture(this.model) : null;
  }

  /** The picture whose tokens are meant: the first where a reader's own is asked for and there is none. */
  private index(): number {
    const { picture } = chosen(this.model);
    return picture < 0 && !this.own ? 0 : picture;
  }

  /** Whether this view is out of the shipped tokens' reach. */
  needsModels(): boolean {
    if (!canRun(this.model) || !this.arrived().size) return false;
    const { block } = chosen(this.model);
    const cached = this.arrived().has(`${this.model.get("models")[0].name}/${block}/${this.index()}/q`);
    return !cached || this.model.get("inside") || this.model.get("by_value");
  }

  /** The run that this view needs of a model; p counts only where it acts within the model. */
  private key(entry: Entry, inside = this.model.get("inside")): string {
    const picture = this.index() < 0 ? `own ${this.owns}` : this.index();
    return `${entry.name} of ${picture} at ${inside ? focusing(this.model, entry) : trained(entry)}`;
  }

  run(entry: Entry): Answer | null {
    return this.needsModels() ? this.runs.get(this.key(entry)) : null;
  }

  /** A model's queries and keys in this view's block, if they are here. */
  layer(entry: Entry): Layer | null {
    const { block } = chosen(this.model);
    if (this.needsModels()) return this.run(entry)?.blocks[block] ?? null;
    const tensors = this.arrived();
    const prefix = `${entry.name}/${block}`;
    const key = `${prefix}/${this.index()}`;
    if (!tensors.has(`${key}/q`)) return null;
    return this.memo.keep(key, [tensors], () => readLayer(tensors, prefix, key, entry));
  }

  /** What is shown of a model in this view: the query's row, or with it the whole map. Null where it is not here. */
  paintedMap(entry: Entry): Painted | null {
    const { patch, offset, grid, head: wanted } = chosen(this.model);
    const layer = this.layer(entry);
    if (!layer) return null;
    const head = Math.min(wanted, layer.heads - 1);
    const feature = { kind: entry.kind, p: focusing(this.model, entry), perHead: entry.per_head };
    // The last map is kept, so that another query patch costs one row.
    const map = this.memo.keep(`map ${entry.title}`, [layer, feature.p], () => new AttentionMap(layer, feature));
    const finish = (row: Float64Array, i: number) => this.finish(entry, layer, row, i, head);
    if (this.model.get("display") !== "matrix") return paintedOf([finish(map.row(offset + patch, head), offset + patch)], 0, offset);
    const settings = (["head", "channel", "by_value"] as const).map((trait) => this.model.get(trait));
    const whole = this.memo.keep(`whole ${entry.title}`, [map, ...settings], () => {
      const all = map.rows(head);
      return paintedOf(Array.from({ length: grid[0] * grid[1] }, (_, i) => finish(part(all, layer.n, offset + i), offset + i)), patch, offset);
    });
    return { ...whole, row: whole.rows[patch] };
  }

  /** Row i as shown: with the convolution's share, and times the values' lengths, where asked for. */
  private finish(entry: Entry, layer: Layer, weights: Float64Array, i: number, head: number): Float64Array {
    const { grid, offset, channel } = chosen(this.model);
    const row = entry.dwc && layer.kernel ? equivalentRow(weights, i, layer.kernel, grid, offset, channel) : weights;
    return this.model.get("by_value") && layer.v ? valueWeighted(row, layer.v, layer.heads, head) : row;
  }

  /** Class scores of a model for this picture: as trained, and as it runs in this view. */
  scores(entry: Entry): { trained: ArrayLike<number> | null; now: ArrayLike<number> | null } {
    const known = entry.logits[this.index()] ?? this.runs.get(this.key(entry, false))?.logits ?? null;
    return { trained: known, now: this.needsModels() ? this.run(entry)?.logits ?? null : known };
  }

  /** Start what this view still needs; late answers are kept for when they are wanted again, and shown only then. */
  work(): void {
    if (!this.needsModels()) return;
    this.runs.start(() => {
      const entry = this.model.get("models").find((one) => !this.run(one));
      return entry ? this.job(entry) : null;
    });
  }

  private job(entry: Entry): Job {
    const { mean, deviation } = this.model.get("standard");
    const p = this.model.get("inside") ? focusing(this.model, entry) : trained(entry);
    const settings = { variant: entry.variant!, heads: entry.heads, p, perHead: entry.per_head };
    return { key: this.key(entry), file: entry.file!, image: standardise(this.picture()!.pixels, mean!, deviation!), settings };
  }

  get complete(): boolean {
    return this.model.get("models").every((entry) => this.run(entry));
  }
}

function readLayer(tensors: Tensors, prefix: string, key: string, entry: Entry): Layer {
  const get = (name: string) => tensors.get(name)?.data ?? null;
  const kernel = tensors.get(`${prefix}/kernel`);
  return {
    n: tensors.get(`${key}/q`)!.shape[0], heads: entry.heads,
    q: get(`${key}/q`)!, k: get(`${key}/k`)!, v: get(`${key}/v`), scale: get(`${prefix}/scale`),
    kernel: kernel ? { sides: [kernel.shape[1], kernel.shape[2]], data: kernel.data } : null,
  };
}
