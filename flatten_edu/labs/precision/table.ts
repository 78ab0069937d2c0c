// One line a tensor: where its values ought to lie, what the format stored of them, and what it lost.
import { h, raised, Readout, rich, scientific, share, small } from "../frame";
import { LIMITS, type Format } from "../frame/maths/rounding";
import type { Result } from "./state";
import { rows as ROWS } from "./words.json";

/** A step of the module, in the official code's order: its title, the label and the name of each tensor that it forms, and
 * whether only a fix makes it. */
interface StepRow { title: string; tensors: string[][]; fix?: boolean }

const LOW = -20; // the axis: powers of ten
const HIGH = 12;
const TICKS = [-16, -8, 0, 8];

/** Where a size stands on the axis, 0 to 1; beyond its ends it stands at them. */
const at = (size: number) => Math.min(1, Math.max(0, (Math.log10(size) - LOW) / (HIGH - LOW)));

const LOSSES = [
  { key: "nan", mark: "✕", word: "NaN" },
  { key: "overflowed", mark: "▲", word: "too large, Inf" },
  { key: "flushed", mark: "▽", word: "too small, 0" },
] as const;

function tensorLine(name: string, head: HTMLElement | null, label: string) {
  const [smallest, largest] = ["smallest", "largest"].map((which) => new Readout(`${which}_${name}`, scientific));
  const values = h("span", {}, smallest.node, " to ", largest.node);
  const bars = ["wanted", "under", "over", "stored"].map((kind) => h("span", { class: `fe-${kind}` }));
  const fine = h("span", { class: "fe-fine" }, "✓");
  const losses = LOSSES.map(({ key, mark, word }) => {
    const readout = new Readout(`${key}_${name}`, share);
    const node = h("span", { class: `fe-loss fe-${key}` },
      h("span", { class: "fe-spoken" }, word), h("b", { "aria-hidden": "true" }, mark), " ", readout.node);
    return { key, readout, node };
  });
  return {
    node: h("tr", { class: head ? "fe-first-line" : "", "data-tensor": name }, head,
      h("td", { class: "fe-which" }, h("i", {}, label)),
      h("td", { class: "fe-range" }, h("div", { "aria-hidden": "true" }, ...bars)),
      h("td", { class: "fe-values" }, values),
      h("td", { class: "fe-verdict" }, fine, ...losses.map(({ node }) => node))),
    set({ tensors }: Result, format: Format): void {
      const tensor = tensors[name];
      const limits = LIMITS[format];
      smallest.set(tensor.smallest);
      largest.set(tensor.largest);
      values.hidden = Number.isNaN(tensor.largest);
      for (const { key, readout, node } of losses) {
        readout.set(tensor[key]);
        node.hidden = tensor[key] === 0;
      }
      fine.hidden = losses.some(({ key }) => tensor[key] > 0);
      const spans: [number, number][] = [
        [tensor.from, tensor.to], [tensor.from, Math.min(tensor.to, limits.subnormal)],
        [Math.max(tensor.from, limits.largest), tensor.to], [tensor.smallest, tensor.largest],
      ];
      spans.forEach(([from, to], i) => {
        bars[i].hidden = !(from <= to);
        bars[i].style.setProperty("--from", String(at(from)));
        bars[i].style.setProperty("--to", String(at(to)));
      });
    },
  };
}

export function rangeTable() {
  const blocks = ROWS.map(stepBlock);
  const caption = h("caption");
  const table = h("table", { class: "fe-table fe-ranges" }, caption, heading(), ...blocks.map((block) => block.node));
  return {
    node: table,
    show(result: Result, format: Format, p: number): void {
      for (const block of blocks) block.set(result, format, p);
      const { largest, normal, subnormal } = LIMITS[format];
      table.style.setProperty("--low", String(at(subnormal)));
      table.style.setProperty("--normal", String(at(normal)));
      table.style.setProperty("--high", String(at(largest)));
      caption.replaceChildren(h("b", {}, `Every tensor against what ${format} can hold`),
        small(`smallest ${scientific(subnormal)}, full precision from ${scientific(normal)}, largest ${scientific(largest)}`));
    },
  };
}

/** A step: its title beside the lines of its tensors. */
function stepBlock({ title, tensors, fix }: StepRow) {
  const head = h("th", { scope: "rowgroup", rowspan: tensors.length }, ...rich(title));
  const lines = tensors.map(([label, name], i) => tensorLine(name, i === 0 ? head : null, label));
  const node = h("tbody", {}, ...lines.map((line) => line.node));
  node.hidden = fix === true; // until a result has it: or the lab would shrink when the first one comes
  return {
    node,
    set(result: Result, format: Format, p: number): void {
      node.hidden = !(tensors[0][1] in result.tensors);
      head.dataset.p = String(p);
      if (!node.hidden) for (const line of lines) line.set(result, format);
    },
  };
}

function heading(): HTMLElement {
  const ticks = TICKS.map((power) => h("span", { style: `--at:${(power - LOW) / (HIGH - LOW)}` }, `10${raised(power)}`));
  return h("thead", {}, h("tr", {},
    h("th", { scope: "col" }, "step"), h("td", {}),
    h("th", { scope: "col", class: "fe-scale" }, h("span", { class: "fe-spoken" }, "range"), h("div", { "aria-hidden": "true" }, ...ticks)),
    h("th", { scope: "col", class: "fe-values" }, "stored sizes"), h("th", { scope: "col" }, "lost")));
}
