// The slider of p, on a logarithmic scale from 1 to its largest: 20 stops an octave, so that whole numbers up to 8 are stops.
import { position, rangeInput } from "./controls";
import { button, h, Readout } from "./dom";
import { change, rulesOf, type LabModel, type Part } from "./model";
import { formatP } from "./numbers";

const STOPS_PER_OCTAVE = 20;
const PRESETS = [1, 2, 3, 4, 8];

/** 1, 1.05, 1.1, ..., 2, 2.1, ..., and the largest. */
export function stopsOfP(largest: number): number[] {
  const last = STOPS_PER_OCTAVE * Math.log2(largest);
  return Array.from({ length: last + 1 }, (_, stop) => {
    const octave = Math.floor(stop / STOPS_PER_OCTAVE);
    return 2 ** octave * (1 + (stop % STOPS_PER_OCTAVE) / STOPS_PER_OCTAVE);
  });
}

export function focusingFactorControl<Traits extends { p: number }>(lab: LabModel<Traits>, signal: AbortSignal): Part {
  const model = lab as unknown as LabModel<{ p: number }>;
  const stops = stopsOfP((rulesOf(model).p as { most: number }).most);
  const last = stops.length - 1;
  const slider = rangeInput(signal, (at) => change(model, "p", stops[at]));
  const value = new Readout("p", formatP);
  const buttons = PRESETS.map((p) => button(signal, () => change(model, "p", p), { "aria-label": `p = ${p}` }, String(p)));
  const ticks = stops.flatMap((p, at) => (at % STOPS_PER_OCTAVE ? [] : [h("span", { style: `--at:${at / last}` }, String(p))]));
  return {
    node: h("div", { class: "fe-p fe-stays" },
      h("div", { class: "fe-p-head" },
        h("label", { for: slider.input.id }, h("i", {}, "p"), h("span", { class: "fe-p-name" }, ", focusing factor")),
        h("span", { class: "fe-p-value" }, h("span", { "aria-hidden": "true" }, "= "), value.node),
        h("div", { class: "fe-p-presets", role: "group", "aria-label": "p, values to try" }, ...buttons)),
      h("div", { class: "fe-p-track" }, slider.input, h("div", { class: "fe-p-ticks", "aria-hidden": "true" }, ...ticks))),
    update() {
      const p = model.get("p");
      slider.show(position(stops, p), last, `p = ${formatP(p)}`);
      value.set(p);
      buttons.forEach((one, i) => one.setAttribute("aria-pressed", String(PRESETS[i] === p)));
    },
  };
}
