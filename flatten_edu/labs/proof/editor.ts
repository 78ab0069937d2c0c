// The two vectors: a slider an entry, and under it what the power leaves of that entry beside the largest one.
import { adapted, change, fixed, h, lowered, range, rangeInput, Readout, rich, significant, slider, type Part } from "../frame";
import { figures, resized, type ProofModel } from "./state";

const MOST = 8; // entries of a vector
type Name = "x" | "y";

const written = (value: number) => significant(value, 3);

export function editor(model: ProofModel, signal: AbortSignal): Part {
  const dimension = dimensionControl(model, signal);
  const columns = { x: column("x", model, signal), y: column("y", model, signal) };
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

function column(name: Name, model: ProofModel, signal: AbortSignal) {
  const head = h("p", { class: "fe-vector-head" });
  const node = h("div", { class: "fe-vector", "data-vector": name });
  const rows = range(0, MOST - 1).map((i) => {
    const slider = rangeInput(signal, (at) =>
      change(model, name, model.get(name).map((entry, j) => (j === i ? Number(((at * own.top) / 100).toPrecision(12)) : entry))));
    const value = new Readout(`${name}_${i + 1}`, written);
    const power = new Readout(`power_${name}_${i + 1}`, fixed(3));
    return { slider, value, power, node: h("div", { class: "fe-entry" },
      h("label", { for: slider.input.id }, h("i", {}, name), lowered(i + 1)), slider.input, value.node,
      h("span", { class: "fe-power" }, h("span", {})), power.node) };
  });
  const own = {
    node, top: 0,
    update(powers: number[], largest: number, top: number): void {
      const entries = model.get(name);
      own.top = top;
      if (node.children.length !== entries.length + 1) {
        node.replaceChildren(head, ...rows.slice(0, entries.length).map((row) => row.node));
      }
      const index = name === "x" ? "m" : "n";
      head.replaceChildren(...rich(`{name}${largest < 0 ? ", no single largest" : `, largest at *${index}* = ${largest + 1}`}`,
        { name: h("b", {}, h("i", {}, name)) }));
      entries.forEach((entry, i) => {
        const row = rows[i];
        row.slider.show((100 * entry) / top, 100, written(entry));
        row.value.set(entry);
        row.power.set(powers[i]);
        row.node.style.setProperty("--w", String(Number.isFinite(powers[i]) ? powers[i] : 0));
        row.node.dataset.largest = String(i === largest);
      });
    },
  };
  return own;
}

/** How many entries both vectors have; a new one starts at 0, where it changes no angle. */
function dimensionControl(model: ProofModel, signal: AbortSignal): Part {
  const d = adapted<{ d: number }>(model, () => model.get("x").length,
    (wanted) => (["x", "y"] as const).forEach((name) => model.set(name, resized(model.get(name), wanted))));
  return slider(d, signal, "d", { symbol: "d", name: "entries a vector has", stops: range(2, MOST) });
}
