// The slider of p, on a logarithmic scale from 1 to its largest: 20 stops an octave, so that whole numbers up to 8 are stops.
import { fixed, h, Readout, uniqueId } from "./dom";
import { change, limitsOf, type LabModel, type View } from "./model";
import { formatP } from "./numbers";

const STOPS_PER_OCTAVE = 20;
const PRESETS = [1, 2, 3, 4, 8];

/** The value of p at a stop: 1, 1.05, 1.1, ..., 2, 2.1, ... */
export function stopToP(stop: number): number {
  const octave = Math.floor(stop / STOPS_PER_OCTAVE);
  return 2 ** octave * (1 + (stop - octave * STOPS_PER_OCTAVE) / STOPS_PER_OCTAVE);
}

/** The stop of a value of p; not a whole number for a p between two stops. */
export function pToStop(p: number): number {
  const octave = Math.max(Math.floor(Math.log2(p)), 0);
  return STOPS_PER_OCTAVE * (octave + p / 2 ** octave - 1);
}

export function focusingFactorControl(
  model: LabModel<{ p: number }>, signal: AbortSignal,
): View & { node: HTMLElement } {
  const id = uniqueId("p");
  const octaves = Math.log2(limitsOf(model, "p")[1]);
  const slider = h("input", {
    id, type: "range", min: 0, max: STOPS_PER_OCTAVE * octaves, step: 1, "data-lm-suppress-shortcuts": "true",
  });
  slider.addEventListener("input", () => change(model, "p", stopToP(slider.valueAsNumber)), { signal });
  const value = new Readout("p", formatP);
  const buttons = PRESETS.map((p) => {
    const button = h("button", { type: "button", "aria-label": `p = ${p}` }, String(p));
    button.addEventListener("click", () => change(model, "p", p), { signal });
    return button;
  });
  const ticks = Array.from({ length: octaves + 1 }, (_, octave) =>
    h("span", { style: `--at:${octave / octaves}` }, fixed(0)(2 ** octave)));
  const node = h("div", { class: "fe-p fe-stays" },
    h("div", { class: "fe-p-head" },
      h("label", { for: id }, h("i", {}, "p"), h("span", { class: "fe-p-name" }, ", focusing factor")),
      h("span", { class: "fe-p-value" }, h("span", { "aria-hidden": "true" }, "= "), value.node),
      h("div", { class: "fe-p-presets", role: "group", "aria-label": "p, values to try" }, ...buttons)),
    h("div", { class: "fe-p-track" }, slider, h("div", { class: "fe-p-ticks", "aria-hidden": "true" }, ...ticks)));
  return {
    node,
    update() {
      const p = model.get("p");
      slider.value = String(pToStop(p));
      slider.setAttribute("aria-valuetext", `p = ${formatP(p)}`);
      slider.style.setProperty("--at", String(pToStop(p) / (STOPS_PER_OCTAVE * octaves)));
      value.set(p);
      buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(PRESETS[i] === p)));
    },
  };
}
