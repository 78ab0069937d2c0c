// The lab `sharpness`: is focused attention really sharper than softmax?
import {
  choice, focusingFactorControl, formatP, fraction, group, h, lab, Memo, nodesOf, range, Readout, slider, summary,
  toggle, type Part,
} from "../frame";
import { curve } from "./curve";
import { readExample, rowsAt, type Rows, type SharpnessModel, type SharpnessTraits } from "./state";
import { rowTable } from "./weights";
import WORDS from "./words.json";

export * from "../frame/maths/sharpness";
export { rowsAt } from "./state";

const SCALES = range(-24, 24).map((eighth) => 2 ** (eighth / 8));

export default lab<SharpnessTraits>(WORDS, ({ model, body, signal }) => {
  const scale = slider(model, signal, "scale", { symbol: "s", name: "scale of q and k", stops: SCALES, format: fraction });
  const parts = [
    controlView(model, signal), focusingFactorControl(model, signal), group("fe-controls fe-stays", [scale]), resultView(model),
  ];
  body.append(...nodesOf(parts));
  return parts;
});

function controlView(model: SharpnessModel, signal: AbortSignal): Part {
  const sets = model.get("sets");
  const example = choice(model, signal, "example", {
    name: "example", options: [["issue", "the issue's"], ["figure", "figure 4's"], ["trained", "trained rows"], ["own", "yours"]],
  });
  const [, , trained, own] = example.node.querySelectorAll("label");
  const row = slider(model, signal, "row", {
    name: "trained row", stops: range(0, Math.max(sets.length - 1, 1)), format: (i) => sets[Math.min(i, sets.length - 1)]?.name ?? "none",
  });
  row.node.classList.add("fe-row");
  const all = group("fe-controls", [example, toggle(model, signal, "divide", "softmax divides by √", h("i", {}, "d")), row]);
  return {
    node: all.node,
    update() {
      all.update();
      trained.hidden = !sets.length;
      own.hidden = !model.get("q");
      row.node.hidden = model.get("example") !== "trained" || !sets.length;
    },
  };
}

function resultView(model: SharpnessModel): Part {
  const memo = new Memo();
  const [table, chart] = [rowTable(), curve()];
  const crossings = { focused: crossingWords("focused"), relu: crossingWords("relu") };
  const waiting = h("p", {}, "The rows have not arrived yet, or do not fit together.");
  let now: { rows: Rows; scale: number; p: number } | null = null;
  const sentence = summary(() => now && said(now.rows, now.scale, now.p));
  const columns = h("div", { class: "fe-columns" }, h("div", {}, table.node), h("div", {}, chart.node));
  const line = h("p", { class: "fe-crossings" }, "Softmax is sharper than the focused row ", crossings.focused.node,
    ", and than the one of ReLU ", crossings.relu.node, ".");
  return {
    node: h("div", {}, waiting, columns, sentence.node, line),
    update() {
      const input = readExample(model, memo);
      const [scale, p, divide] = [model.get("scale"), model.get("p"), model.get("divide")];
      waiting.hidden = Boolean(input);
      columns.hidden = line.hidden = !input;
      if (!input) return;
      const rows = rowsAt(input, scale, p, divide);
      table.show(rows, p, divide);
      chart.show(input, rows, scale, divide);
      crossings.focused.set(rows.focused.crossing);
      crossings.relu.set(rows.relu.crossing);
      now = { rows, scale, p };
      sentence.update();
    },
    remove: sentence.remove,
  };
}

/** "where s is above 0.21", or that there is no such scale. */
function crossingWords(kind: "focused" | "relu"): { node: HTMLElement; set(at: number): void } {
  const readout = new Readout(`crossing_${kind}`, fraction);
  const [words, value] = [h("span"), h("span", {}, "where s is above ", readout.node)];
  return {
    node: h("span", {}, words, value),
    set(at) {
      readout.set(at);
      value.hidden = !(at > 0 && at < Infinity);
      words.textContent = at === 0 ? "at every scale" : at === Infinity ? "at no scale" : Number.isNaN(at) ? "by no measure: that row is empty" : "";
    },
  };
}

function said({ softmax, focused }: Rows, scale: number, p: number): string {
  if (!Number.isFinite(focused.entropy)) return "ReLU leaves nothing of the query or of the keys: the focused row pays no attention.";
  const [a, b] = [softmax.entropy.toFixed(2), focused.entropy.toFixed(2)];
  const who = a === b ? "both are as sharp" : softmax.entropy < focused.entropy ? "softmax is sharper" : "the focused row is sharper";
  return `At s = ${fraction(scale)} and p = ${formatP(p)}, ${who}: softmax ${a} bits, focused ${b}.`;
}
