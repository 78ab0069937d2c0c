// One row a key: its angle to q before and after, and the attention that q pays it by each of the three kinds.
import { fixed, formatP, h, Readout, small, weightTable, type Part, type WeightTable } from "../frame";
import { pair, planeWeights, TITLES, vectors, verdict, type FocusModel, type Kind, type PairState, type VectorState } from "./state";

const GROUPS = { same: "same axis", different: "other axis", none: "no one axis" };
const VERDICTS = { closer: "▼ closer", apart: "▲ apart", unchanged: "as before", undefined: "no angle" };

function keyRow({ name, colour }: VectorState, table: WeightTable<Kind>) {
  const before = new Readout(`angle_q_${name}_before`, fixed(1, "°"));
  const after = new Readout(`angle_q_${name}`, fixed(1, "°"));
  const says = h("span", { "data-name": `verdict_${name}` });
  const group = h("span", { "data-name": `group_${name}` });
  const bars = table.bars(name);
  return {
    node: h("tr", { style: `--c:var(--fe-c${colour})` },
      h("th", { scope: "row" }, h("span", { class: "fe-swatch" }), name[0], h("sub", {}, name.slice(1))),
      h("td", { class: "fe-angles" }, before.node, " → ", h("b", {}, after.node), small(says, h("span", { class: "fe-dot" }, " · "), group)),
      ...bars.cells),
    set(state: PairState, weights: Record<Kind, number>): void {
      const said = verdict(state);
      before.set(state.before);
      after.set(state.after);
      [says.textContent, says.dataset.value] = [VERDICTS[said], said];
      [group.textContent, group.dataset.value] = [GROUPS[state.group], state.group];
      bars.set(weights);
    },
  };
}

export function table(model: FocusModel): Part {
  const head = (title: string, below: Node | null) => h("th", { scope: "col" }, title, below);
  const table = weightTable<Kind>(TITLES,
    [h("b", {}, "Attention of q"), small("same axis: q and the key have their largest entry in the same place")],
    [head("key", null), head("angle to q", small("p = 1 → now"))]);
  let rows: ReturnType<typeof keyRow>[] = [];
  return {
    node: table.node,
    update() {
      const [q, ...keys] = vectors(model);
      if (rows.length !== keys.length) {
        rows = keys.map((key) => keyRow(key, table));
        table.body.replaceChildren(...rows.map((row) => row.node));
      }
      const weights = planeWeights([q, ...keys]);
      const of = (i: number) => ({ relu: weights.relu[i], focused: weights.focused[i], softmax: weights.softmax[i] });
      rows.forEach((row, i) => row.set(pair(q, keys[i]), of(i)));
      table.show(weights, { relu: "p = 1", focused: `p = ${formatP(model.get("p"))}`, softmax: "q·k/√2" });
    },
  };
}
