// What each order costs: counted, for the N and d that are set.
import { bytes, count, h, Readout, rich, small, times, type Part } from "../frame";
import { attentionCost, type Cost } from "../frame/maths/cost";
import { FORMULA, ITEM_SIZE, ORDERS, type ReorderModel } from "./state";

type Figure = (cost: Cost, itemSize: number) => number;

const ROWS: { name: string; title: string; below: string[]; figure: Figure; format: (value: number) => string; bar: boolean }[] = [
  { name: "first", title: "in brackets", below: ["*N* · *N* · *d*", "*d* · *N* · *d*"], figure: (cost) => cost.first, format: count, bar: false },
  { name: "second", title: "then", below: ["*N* · *N* · *d*", "*N* · *d* · *d*"], figure: (cost) => cost.second, format: count, bar: false },
  { name: "multiply_adds", title: "multiply-adds", below: ["2 *N*² *d*", "2 *N* *d*²"], figure: (cost) => cost.multiplyAdds, format: count, bar: true },
  { name: "intermediate", title: "numbers in between", below: ["*N*²", "*d*²"], figure: (cost) => cost.intermediate, format: count, bar: true },
  { name: "bytes", title: "that takes", below: ["", ""], figure: (cost, size) => cost.intermediate * size, format: bytes, bar: false },
];

export function counts(model: ReorderModel): Part {
  const heads = ORDERS.map((order) => h("th", { scope: "col" }, FORMULA[order]));
  const rows = ROWS.map((row) => ({ ...row, readouts: ORDERS.map((order) => new Readout(`${row.name}_${order}`, row.format)) }));
  const cells = rows.map(({ readouts, below, bar }) => readouts.map((readout, i) =>
    h("td", { class: bar ? "fe-bar" : "" }, readout.node, below[i] ? small(...rich(below[i])) : null)));
  const dtype = small();
  const ratios = ["multiply_adds", "intermediate"].map((name) => new Readout(`ratio_${name}`, ratio));
  const node = h("table", { class: "fe-table fe-counts" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "counted"), ...heads)),
    h("tbody", {}, ...rows.map(({ name, title }, i) => h("tr", { "data-row": name },
      h("th", { scope: "row" }, title, name === "bytes" ? dtype : null), ...cells[i]))),
    h("tfoot", {}, h("tr", {}, h("th", { scope: "row" }, "ratio"), h("td", { colspan: 2 },
      h("div", {}, ratios[0].node, " multiply-adds"), h("div", {}, ratios[1].node, " in between")))));
  return {
    node,
    update() {
      const costs = ORDERS.map((order) => attentionCost(model.get("n"), model.get("d"), order));
      const size = ITEM_SIZE[model.get("dtype")];
      rows.forEach(({ figure, readouts }, r) => {
        const values = costs.map((cost) => figure(cost, size));
        values.forEach((value, i) => {
          readouts[i].set(value);
          cells[r][i].style.setProperty("--w", String(value / Math.max(...values)));
        });
      });
      ratios[0].set(costs[0].multiplyAdds / costs[1].multiplyAdds);
      ratios[1].set(costs[0].intermediate / costs[1].intermediate);
      dtype.textContent = `in ${model.get("dtype")}`;
      ORDERS.forEach((order, i) => {
        const chosen = String(order === model.get("order"));
        heads[i].dataset.chosen = chosen;
        for (const row of cells) row[i].dataset.chosen = chosen;
      });
    },
  };
}

const ratio = (value: number) => (value >= 1 ? `${times(value)} : 1` : `1 : ${times(1 / value)}`);
