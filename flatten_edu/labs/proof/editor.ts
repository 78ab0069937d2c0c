// The two vectors: a slider an entry, and under it what the power leaves of that entry beside the largest one.
import { range, slider } from "../frame/controls";
import { h, Readout, uniqueId } from "../frame/dom";
import { change, type View } from "../frame/model";
import { figures, resized, type ProofModel } from "./state";

const SUBSCRIPTS = "₁₂₃₄₅₆₇₈";
type Name = "x" | "y";

export const written = (value: number) => String(Number(value.toPrecision(3)));

export function editor(model: ProofModel, signal: AbortSignal): View & { node: HTMLElement } {
  const dimension = dimensionControl(model, signal);
  const columns = { x: new Column("x", model, signal), y: new Column("y", model, signal) };
  return {
    node: h("div", { class: "fe-editor" },
      h("div", { class: "fe-vectors" }, columns.x.node, columns.y.node),
      h("p", { class: "fe-legend" }, h("span", { class: "fe-key" }), " what the power leaves of an entry beside the largest: (",
        h("i", {}, "x"), h("sub", {}, "i"), " / ", h("i", {}, "x"), h("sub", {}, "m"), ")", h("sup", {}, h("i", {}, "p"))),
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
  if (largest <= before) return before;
  const power = 10 ** Math.floor(Math.log10(largest));
  return Math.max(before, ...[[10, 5], [5, 2], [2, 1], [1, 0]].filter(([, above]) => largest > above * power).slice(0, 1).map(([to]) => to * power));
}

class Column {
  readonly node = h("div", { class: "fe-vector" });
  top = 0;
  private rows: { input: HTMLInputElement; value: Readout; power: Readout; node: HTMLElement }[] = [];
  private said = NaN;
  private readonly head = h("p", { class: "fe-vector-head" });

  constructor(private readonly name: Name, private readonly model: ProofModel, signal: AbortSignal) {
    this.node.dataset.vector = name;
    // One listener for all entries, however often their number changes.
    this.node.addEventListener("input", (event) => this.moved(event.target as HTMLInputElement), { signal });
  }

  private moved(input: HTMLInputElement): void {
    const entries = [...this.model.get(this.name)];
    entries[this.rows.findIndex((row) => row.input === input)] = Number(((input.valueAsNumber * this.top) / 100).toPrecision(12));
    change(this.model, this.name, entries);
  }

  update(powers: number[], largest: number, top: number): void {
    const entries = this.model.get(this.name);
    this.top = top;
    if (this.rows.length !== entries.length) this.build(entries.length);
    if (largest !== this.said) this.head.replaceChildren(h("b", {}, h("i", {}, this.name)), ...said(this.name, largest));
    this.said = largest;
    entries.forEach((entry, i) => {
      const { input, value, power, node } = this.rows[i];
      const at = entry / top;
      input.value = String(Math.round(100 * at));
      input.style.setProperty("--at", String(at));
      input.setAttribute("aria-valuetext", written(entry));
      value.set(entry);
      power.set(powers[i]);
      node.style.setProperty("--w", String(Number.isFinite(powers[i]) ? powers[i] : 0));
      node.dataset.largest = String(i === largest);
    });
  }

  private build(d: number): void {
    this.rows = range(0, d - 1).map((i) => this.row(i));
    this.node.replaceChildren(this.head, ...this.rows.map(({ node }) => node));
  }

  private row(i: number) {
    const id = uniqueId(this.name);
    const input = h("input", { id, type: "range", min: 0, max: 100, step: 1, "data-lm-suppress-shortcuts": "true" });
    const value = new Readout(`${this.name}_${i + 1}`, written);
    const power = new Readout(`power_${this.name}_${i + 1}`, (left) => left.toFixed(3));
    const node = h("div", { class: "fe-entry" },
      h("label", { for: id }, h("i", {}, this.name), SUBSCRIPTS[i]), input, value.node,
      h("span", { class: "fe-power" }, h("span", {})), power.node);
    return { input, value, power, node };
  }
}

function said(name: Name, largest: number): (Node | string)[] {
  if (largest < 0) return [", no single largest"];
  return [", largest at ", h("i", {}, name === "x" ? "m" : "n"), ` = ${largest + 1}`];
}

/** How many entries both vectors have; a new one starts at 0, where it changes no angle. */
function dimensionControl(model: ProofModel, signal: AbortSignal): View & { node: HTMLElement } {
  const asTrait = {
    get: () => model.get("x").length,
    set: (_: "d", d: number) => (["x", "y"] as const).forEach((name) => model.set(name, resized(model.get(name), d))),
    save_changes: () => model.save_changes(),
    on: () => undefined,
    off: () => undefined,
  };
  return slider<{ d: number }>(asTrait, signal, "d", { symbol: "d", name: "entries a vector has", stops: range(2, 8) });
}
