// One row a key: its angle to q before and after, and the attention that q pays it by each of the three kinds.
import { fixed, h, Readout } from "../frame/dom";
import type { View } from "../frame/model";
import { entropyBits, top1Share } from "../frame/maths/attention";
import { formatP } from "../frame/numbers";
import { KINDS, pair, planeWeights, vectors, verdict, type FocusModel, type PairState } from "./state";

const GROUPS = { same: "same axis", different: "other axis", none: "no one axis" };
const VERDICTS = { closer: "▼ closer", apart: "▲ apart", unchanged: "as before", undefined: "no angle" };

class Bar {
  readonly readout: Readout;
  readonly node: HTMLTableCellElement;

  constructor(name: string) {
    this.readout = new Readout(name, fixed(3));
    this.node = h("td", { class: "fe-bar" }, this.readout.node);
  }

  set(weight: number): void {
    this.readout.set(weight);
    this.node.style.setProperty("--w", String(Number.isFinite(weight) ? weight : 0));
  }
}

class KeyRow {
  private readonly before: Readout;
  private readonly after: Readout;
  private readonly says = h("span", {});
  private readonly group = h("span", {});
  private readonly bars: Bar[];
  readonly node: HTMLTableRowElement;

  constructor(name: string, colour: number) {
    this.before = new Readout(`angle_q_${name}_before`, fixed(1, "°"));
    this.after = new Readout(`angle_q_${name}`, fixed(1, "°"));
    this.bars = KINDS.map((kind) => new Bar(`weight_${kind}_${name}`));
    this.says.dataset.name = `verdict_${name}`;
    this.group.dataset.name = `group_${name}`;
    this.node = h("tr", { style: `--c:var(--fe-c${colour})` },
      h("th", { scope: "row" }, h("span", { class: "fe-swatch" }), name[0], h("sub", {}, name.slice(1))),
      h("td", { class: "fe-angles" },
        this.before.node, " → ", h("b", {}, this.after.node),
        h("span", { class: "fe-small" }, this.says, h("span", { class: "fe-dot" }, " · "), this.group)),
      ...this.bars.map((bar) => bar.node));
  }

  set(state: PairState, weights: number[]): void {
    const said = verdict(state);
    this.before.set(state.before);
    this.after.set(state.after);
    this.says.textContent = VERDICTS[said];
    this.says.dataset.value = said;
    this.group.textContent = GROUPS[state.group];
    this.group.dataset.value = state.group;
    this.bars.forEach((bar, i) => bar.set(weights[i]));
  }
}

export function table(model: FocusModel): View & { node: HTMLElement } {
  const focused = h("span", { class: "fe-small" });
  const body = h("tbody");
  const entropies = KINDS.map((kind) => new Readout(`entropy_${kind}`, fixed(2)));
  const shares = KINDS.map((kind) => new Readout(`top1_${kind}`, fixed(3)));
  const foot = (label: string, unit: string, readouts: Readout[]) =>
    h("tr", {}, h("th", { scope: "row", colspan: 2 }, label, h("span", { class: "fe-small" }, unit)),
      ...readouts.map((r) => h("td", {}, r.node)));
  const small = (text: string) => h("span", { class: "fe-small" }, text);
  const head = (title: string, below: Node | null) => h("th", { scope: "col" }, title, below);
  const node = h("table", { class: "fe-table" },
    h("caption", {}, h("b", {}, "Attention of q"),
      h("span", { class: "fe-small" }, "same axis: q and the key have their largest entry in the same place")),
    h("thead", {}, h("tr", {},
      head("key", null), head("angle to q", small("p = 1 → now")),
      head("ReLU", small("p = 1")), head("focused", focused), head("softmax", small("q·k/√2")))),
    body,
    h("tfoot", {}, foot("entropy", "bits", entropies), foot("top-1 share", "", shares)));
  let rows: KeyRow[] = [];

  return {
    node,
    update() {
      const [q, ...keys] = vectors(model);
      if (rows.length !== keys.length) {
        rows = keys.map((key) => new KeyRow(key.name, key.colour));
        body.replaceChildren(...rows.map((row) => row.node));
      }
      const weights = planeWeights([q, ...keys]);
      rows.forEach((row, i) => row.set(pair(q, keys[i]), KINDS.map((kind) => weights[kind][i])));
      KINDS.forEach((kind, i) => {
        entropies[i].set(entropyBits(weights[kind]));
        shares[i].set(top1Share(weights[kind]));
      });
      focused.textContent = `p = ${formatP(model.get("p"))}`;
    },
  };
}
