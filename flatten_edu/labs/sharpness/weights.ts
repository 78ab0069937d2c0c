// The query's weights by three kinds, side by side: a line a key where there are few, a falling profile where many.
import { formatP, h, small, svg, weightTable, type WeightTable } from "../frame";
import { TITLES, type Kind, type Rows } from "./state";

const FEW = 12;
const PROFILE = { width: 120, height: 96 };

interface Line { node: HTMLElement; set(rows: Rows): void }

export function rowTable() {
  const first = h("th", { scope: "col" });
  const table = weightTable<Kind>(TITLES, [h("b", {}, "Attention of one query")], [first]);
  let shown = 0;
  let lines: Line[] = [];
  return {
    node: table.node,
    show(rows: Rows, p: number, divide: boolean): void {
      const count = rows.focused.weights.length;
      if (count !== shown) {
        shown = count;
        lines = count <= FEW ? Array.from({ length: count }, (_, j) => keyLine(table, j)) : [profiles(table.kinds, count)];
        table.body.replaceChildren(...lines.map((line) => line.node));
        first.textContent = count <= FEW ? "key" : "";
      }
      for (const line of lines) line.set(rows);
      table.show({ softmax: rows.softmax.weights, relu: rows.relu.weights, focused: rows.focused.weights },
        { softmax: divide ? "s² q·k/√d" : "s² q·k", relu: "p = 1", focused: `p = ${formatP(p)}` });
    },
  };
}

function keyLine(table: WeightTable<Kind>, j: number): Line {
  const bars = table.bars(`k${j + 1}`);
  return {
    node: h("tr", {}, h("th", { scope: "row" }, "k", h("sub", {}, String(j + 1))), ...bars.cells),
    set: ({ softmax, relu, focused }) => bars.set({ softmax: softmax.weights[j], relu: relu.weights[j], focused: focused.weights[j] }),
  };
}

/** Each kind's weights from the largest to the smallest, all three to one scale. */
function profiles(kinds: readonly Kind[], count: number): Line {
  const { width, height } = PROFILE;
  const cells = kinds.map((kind) => {
    const area = svg("path");
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" }, svg("path", { class: "fe-axis", d: `M0 ${height}H${width}` }), area);
    return { kind, area, picture, node: h("td", { "data-kind": kind }, picture) };
  });
  return {
    node: h("tr", { class: "fe-profiles" }, h("th", { scope: "row" }, `${count} keys`, small("largest first")), ...cells.map(({ node }) => node)),
    set(rows) {
      const top = Math.max(...kinds.map((kind) => (Number.isFinite(rows[kind].top1) ? rows[kind].top1 : 0)), 1e-12);
      for (const { kind, area, picture } of cells) {
        const sorted = Float64Array.from(rows[kind].weights).sort().reverse();
        const step = width / count;
        const steps = Array.from(sorted, (weight, i) => `V${height - (weight / top) * (height - 4)}H${((i + 1) * step).toFixed(2)}`);
        area.setAttribute("d", `M0 ${height}${steps.join("")}V${height}Z`);
        picture.setAttribute("aria-label", `${TITLES[kind]}: weights of ${count} keys, largest ${sorted[0].toFixed(3)}`);
      }
    },
  };
}
