// One line a tensor: where its values ought to lie, what the format stored of them, and what it lost.
import { h, raised, Readout, rich, scientific, share, small } from "../frame";
import { LIMITS, type Format } from "../frame/maths/rounding";
import type { Result } from "./state";
import { rows as ROWS } from "./words.json";

/** A step of the module, in the official code's order: its title, and the label and the name of each tensor that it forms. */
interface StepRow {
  title: string;
  tensors: string[][];
  /** A step that only a fix makes. */
  fix?: boolean;
}

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

class Line {
  readonly node: HTMLTableRowElement;
  private readonly smallest: Readout;
  private readonly largest: Readout;
  private readonly values: HTMLElement;
  private readonly bars = ["wanted", "under", "over", "stored"].map((kind) => h("span", { class: `fe-${kind}` }));
  private readonly losses: { readout: Readout; node: HTMLElement; key: (typeof LOSSES)[number]["key"] }[];
  private readonly fine = h("span", { class: "fe-fine" }, "✓");

  constructor(private readonly name: string, head: HTMLElement | null, label: string) {
    this.smallest = new Readout(`smallest_${name}`, scientific);
    this.largest = new Readout(`largest_${name}`, scientific);
    this.values = h("span", {}, this.smallest.node, " to ", this.largest.node);
    this.losses = LOSSES.map(({ key, mark, word }) => {
      const readout = new Readout(`${key}_${name}`, share);
      return { key, readout, node: h("span", { class: `fe-loss fe-${key}` }, h("span", { class: "fe-spoken" }, word), h("b", { "aria-hidden": "true" }, mark), " ", readout.node) };
    });
    this.node = h("tr", { class: head ? "fe-first-line" : "", "data-tensor": name }, head,
      h("td", { class: "fe-which" }, h("i", {}, label)),
      h("td", { class: "fe-range" }, h("div", { "aria-hidden": "true" }, ...this.bars)),
      h("td", { class: "fe-values" }, this.values),
      h("td", { class: "fe-verdict" }, this.fine, ...this.losses.map(({ node }) => node)));
  }

  set({ tensors }: Result, format: Format): void {
    const tensor = tensors[this.name];
    const { largest, subnormal } = LIMITS[format];
    this.smallest.set(tensor.smallest);
    this.largest.set(tensor.largest);
    this.values.hidden = Number.isNaN(tensor.largest);
    for (const { key, readout, node } of this.losses) {
      readout.set(tensor[key]);
      node.hidden = tensor[key] === 0;
    }
    this.fine.hidden = this.losses.some(({ key }) => tensor[key] > 0);
    const spans: [number, number][] = [
      [tensor.from, tensor.to], [tensor.from, Math.min(tensor.to, subnormal)],
      [Math.max(tensor.from, largest), tensor.to], [tensor.smallest, tensor.largest],
    ];
    spans.forEach(([from, to], i) => {
      this.bars[i].hidden = !(from <= to);
      this.bars[i].style.setProperty("--from", String(at(from)));
      this.bars[i].style.setProperty("--to", String(at(to)));
    });
  }
}

export function rangeTable(): { node: HTMLElement; show(result: Result, format: Format, p: number): void } {
  const blocks = ROWS.map((row) => new Block(row));
  const caption = h("caption");
  const table = h("table", { class: "fe-table fe-ranges" }, caption, heading(), ...blocks.map((block) => block.node));
  return {
    node: table,
    show(result, format, p) {
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
class Block {
  readonly node = h("tbody");
  private readonly lines: Line[];
  private readonly head = h("th", { scope: "rowgroup" });

  constructor(private readonly row: StepRow) {
    this.head.rowSpan = row.tensors.length;
    this.head.append(...rich(row.title));
    this.lines = row.tensors.map(([label, name], i) => new Line(name, i === 0 ? this.head : null, label));
    this.node.hidden = row.fix === true; // until a result has it: or the lab would shrink when the first one comes
    this.node.append(...this.lines.map((line) => line.node));
  }

  set(result: Result, format: Format, p: number): void {
    this.node.hidden = !(this.row.tensors[0][1] in result.tensors);
    this.head.dataset.p = String(p);
    if (!this.node.hidden) for (const line of this.lines) line.set(result, format);
  }
}

function heading(): HTMLElement {
  const ticks = TICKS.map((power) => h("span", { style: `--at:${(power - LOW) / (HIGH - LOW)}` }, `10${raised(power)}`));
  return h("thead", {}, h("tr", {},
    h("th", { scope: "col" }, "step"), h("td", {}),
    h("th", { scope: "col", class: "fe-scale" }, h("span", { class: "fe-spoken" }, "range"), h("div", { "aria-hidden": "true" }, ...ticks)),
    h("th", { scope: "col", class: "fe-values" }, "stored sizes"), h("th", { scope: "col" }, "lost")));
}
