// A query's weights over its keys by several kinds of attention, side by side: a bar a weight, and what each row comes to.
import { h, Readout, type Child } from "./dom";
import { entropyBits, top1Share, type Vector } from "./maths/attention";
import { fixed } from "./numbers";

export const small = (...text: Child[]) => h("span", { class: "fe-small" }, ...text);

/** The cells of one key, and how they are set. */
export interface Bars<Kind extends string> {
  cells: HTMLElement[];
  set(weights: Record<Kind, number>): void;
}

export class WeightTable<Kind extends string> {
  readonly body = h("tbody");
  readonly node: HTMLElement;
  private readonly heads: { kind: Kind; note: HTMLElement; entropy: Readout; share: Readout }[];

  /** `before` are the heads of the columns in front of the weights. */
  constructor(private readonly titles: Record<Kind, string>, caption: Child[], before: readonly HTMLElement[]) {
    this.heads = this.kinds.map((kind) =>
      ({ kind, note: small(), entropy: new Readout(`entropy_${kind}`, fixed(2)), share: new Readout(`top1_${kind}`, fixed(3)) }));
    const foot = (label: string, unit: string, of: "entropy" | "share") => h("tr", {},
      h("th", { scope: "row", colspan: before.length }, label, small(unit)),
      ...this.heads.map((head) => h("td", { "data-kind": head.kind }, h("b", {}, head[of].node))));
    this.node = h("table", { class: "fe-table fe-weights" }, h("caption", {}, ...caption),
      h("thead", {}, h("tr", {}, ...before, ...this.heads.map(({ kind, note }) =>
        h("th", { scope: "col", "data-kind": kind }, h("span", { class: "fe-swatch" }), titles[kind], note)))),
      this.body, h("tfoot", {}, foot("entropy", "bits", "entropy"), foot("top-1", "share", "share")));
  }

  get kinds(): Kind[] {
    return Object.keys(this.titles) as Kind[];
  }

  bars(key: string): Bars<Kind> {
    const all = this.kinds.map((kind) => {
      const readout = new Readout(`weight_${kind}_${key}`, fixed(3));
      return { kind, readout, cell: h("td", { class: "fe-bar", "data-kind": kind }, readout.node) };
    });
    return {
      cells: all.map(({ cell }) => cell),
      set(weights) {
        for (const { kind, readout, cell } of all) {
          readout.set(weights[kind]);
          cell.style.setProperty("--w", String(Number.isFinite(weights[kind]) ? weights[kind] : 0));
        }
      },
    };
  }

  /** Below the weights their entropy and the largest; above them a note on each kind. */
  show(weights: Record<Kind, Vector>, notes: Record<Kind, string>): void {
    for (const { kind, note, entropy, share } of this.heads) {
      note.textContent = notes[kind];
      entropy.set(entropyBits(weights[kind]));
      share.set(top1Share(weights[kind]));
    }
  }
}
