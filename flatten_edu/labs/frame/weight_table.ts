// A query's weights over its keys by several kinds of attention, side by side: a bar a weight, and what each row comes to.
import { h, Readout, type Child } from "./dom";
import { entropyBits, top1Share, type Vector } from "./maths/attention";
import { fixed } from "./numbers";

export const small = (...text: Child[]) => h("span", { class: "fe-small" }, ...text);

export type WeightTable<Kind extends string> = ReturnType<typeof weightTable<Kind>>;

/** `before` are the heads of the columns in front of the weights. */
export function weightTable<Kind extends string>(titles: Record<Kind, string>, caption: Child[], before: readonly HTMLElement[]) {
  const kinds = Object.keys(titles) as Kind[];
  const heads = kinds.map((kind) =>
    ({ kind, note: small(), entropy: new Readout(`entropy_${kind}`, fixed(2)), share: new Readout(`top1_${kind}`, fixed(3)) }));
  const foot = (label: string, unit: string, of: "entropy" | "share") => h("tr", {},
    h("th", { scope: "row", colspan: before.length }, label, small(unit)),
    ...heads.map((head) => h("td", { "data-kind": head.kind }, h("b", {}, head[of].node))));
  const body = h("tbody");
  return {
    kinds, body,
    node: h("table", { class: "fe-table fe-weights" }, h("caption", {}, ...caption),
      h("thead", {}, h("tr", {}, ...before, ...heads.map(({ kind, note }) =>
        h("th", { scope: "col", "data-kind": kind }, h("span", { class: "fe-swatch" }), titles[kind], note)))),
      body, h("tfoot", {}, foot("entropy", "bits", "entropy"), foot("top-1", "share", "share"))),
    /** The cells of one key, and how they are set. */
    bars(key: string) {
      const all = kinds.map((kind) => {
        const readout = new Readout(`weight_${kind}_${key}`, fixed(3));
        return { kind, readout, cell: h("td", { class: "fe-bar", "data-kind": kind }, readout.node) };
      });
      return {
        cells: all.map(({ cell }) => cell),
        set(weights: Record<Kind, number>): void {
          for (const { kind, readout, cell } of all) {
            readout.set(weights[kind]);
            cell.style.setProperty("--w", String(Number.isFinite(weights[kind]) ? weights[kind] : 0));
          }
        },
      };
    },
    /** Below the weights their entropy and the largest; above them a note on each kind. */
    show(weights: Record<Kind, Vector>, notes: Record<Kind, string>): void {
      for (const { kind, note, entropy, share } of heads) {
        note.textContent = notes[kind];
        entropy.set(entropyBits(weights[kind]));
        share.set(top1Share(weights[kind]));
      }
    },
  };
}
