// The two vectors: a slider an entry, and under it what the power leaves of that entry beside the largest one.
import { adapted, change, fixed, h, lowered, range, rangeInput, Readout, rich, significant, slider, uniqueId, type Part } from "../frame";
import { figures, resized, type ProofModel } from "./state";

const MOST = 8; // entries of a vector
type Name = "x" | "y";

const written = (value: number) => significant(value, 3);

export function editor(model: ProofModel, signal: AbortSignal): Part {
  const dimension = dimensionControl(model, signal);
  const columns = { x: new Column("x", model, signal), y: new Column("y", model, signal) };
  return {
    node: h("div", { class: "fe-editor" },
      h("div", { class: "fe-vectors" }, columns.x.node, columns.y.node),
      h("p", { class: "fe-legend" }, h("span", { class: "fe-key" }),
        ...rich(" what the power leaves of an entry beside the largest: (*x*_{i} / *x*_{m})^{*p*}")),
      dimension.node),
    update() {
      dimension.update();
      const { powers, largest } = figures(model);
      const top = scaleTop(Math.max(columns.x.top, columns.y.top), Math.max(...model.get("x"), ...model.get("y")));
      columns.x.update(powers.x, largest.x, top);
      columns.y.update(powers.y, largest.y, top);
    },
  };
}

/** The sliders' upper end: 1, 2, 5, 10 and so on, above all entries. It never shrinks under a reader's thumb. */
function scaleTop(before: number, largest: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(largest, 1e-300)));
  return Math.max(before, largest > before ? [1, 2, 5, 10].find((step) => step * power >= largest)! * power : 0);
}

class Column {
  readonly node = h("div", { class: "fe-vector" });
  top = 0;
  private readonly head = h("p", { class: "fe-vector-head" });
  private readonly rows: ReturnType<Column["row"]>[];

  constructor(private readonly name: Name, private readonly model: ProofModel, signal: AbortSignal) {
    this.node.dataset.vector = name;
    this.rows = range(0, MOST - 1).map((i) => this.row(i, signal));
  }

  update(powers: number[], largest: number, top: number): void {
    const entries = this.model.get(this.name);
    this.top = top;
    if (this.node.children.length !== entries.length + 1) {
      this.node.replaceChildren(this.head, ...this.rows.slice(0, entries.length).map(({ node }) => node));
    }
    const index = this.name === "x" ? "m" : "n";
    this.head.replaceChildren(...rich(`{name}${largest < 0 ? ", no single largest" : `, largest at *${index}* = ${largest + 1}`}`,
      { name: h("b", {}, h("i", {}, this.name)) }));
    entries.forEach((entry, i) => {
      const { slider, value, power, node } = this.rows[i];
      slider.show((100 * entry) / top, 100, written(entry));
      value.set(entry);
      power.set(powers[i]);
      node.style.setProperty("--w", String(Number.isFinite(powers[i]) ? powers[i] : 0));
      node.dataset.largest = String(i === largest);
    });
  }

  private row(i: number, signal: AbortSignal) {
    const id = uniqueId(this.name);
    const slider = rangeInput(id, signal, (at) =>
      change(this.model, this.name, this.model.get(this.name).map((entry, j) => (j === i ? Number(((at * this.top) / 100).toPrecision(12)) : entry))));
    const value = new Readout(`${this.name}_${i + 1}`, written);
    const power = new Readout(`power_${this.name}_${i + 1}`, fixed(3));
    const node = h("div", { class: "fe-entry" },
      h("label", { for: id }, h("i", {}, this.name), lowered(i + 1)), slider.input, value.node,
      h("span", { class: "fe-power" }, h("span", {})), power.node);
    return { slider, value, power, node };
  }
}

/** How many entries both vectors have; a new one starts at 0, where it changes no angle. */
function dimensionControl(model: ProofModel, signal: AbortSignal): Part {
  const d = adapted<{ d: number }>(model, () => model.get("x").length,
    (wanted) => (["x", "y"] as const).forEach((name) => model.set(name, resized(model.get(name), wanted))));
  return slider(d, signal, "d", { symbol: "d", name: "entries a vector has", stops: range(2, MOST) });
}
