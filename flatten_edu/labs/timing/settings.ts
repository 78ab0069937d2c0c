// What is timed: where, at which d and p, and for how long; and where the reader expects the crossover.
import { change, choice, h, slider, toggle, type Part } from "../frame";
import { DEVICES, DIMENSIONS, GUESSES, isCovered, type TimingModel, type TimingTraits } from "./state";

const P_STOPS = [1, 1.5, 2, 2.5, 3, 4, 8];
const BUDGETS = [[10, "10 s"], [60, "1 min"], [300, "5 min"]] as const;

/** In the place of the book's record, until the reader has said what to expect. */
export function cover(model: TimingModel, signal: AbortSignal): Part {
  const button = h("button", { type: "button" }, "Show the book's record");
  button.addEventListener("click", () => change(model, "uncovered", true), { signal });
  const node = h("p", { class: "fe-cover" }, "Guess first, with the slider above, or time it here. What another machine took is covered until then. ", button);
  return { node, update: () => { node.hidden = !isCovered(model); } };
}

export function settings(model: TimingModel, signal: AbortSignal): Part {
  const device = choice<TimingTraits, "device">(model, signal, "device", { name: "computed by", options: DEVICES });
  const parts = [
    device,
    choice<TimingTraits, "d">(model, signal, "d", { symbol: "d", name: "head dimension", options: DIMENSIONS.map((d) => [d, String(d)] as const) }),
    choice<TimingTraits, "budget">(model, signal, "budget", { name: "time for it, about", options: BUDGETS }),
    slider<TimingTraits>(model, signal, "p", { symbol: "p", name: "focusing factor", stops: P_STOPS }),
    toggle<TimingTraits>(model, signal, "dwc", "focused with the 5 × 5 convolution"),
    slider<TimingTraits>(model, signal, "guess", {
      symbol: "N", name: "your guess", stops: GUESSES, format: (n) => (n ? String(n) : "none yet"),
    }),
  ];
  const gpu = device.node.querySelector<HTMLInputElement>('input[value="webgpu"]')!;
  gpu.disabled = !("gpu" in navigator);
  const none = h("p", { class: "fe-note" }, "This browser gives this page no WebGPU.");
  none.hidden = !gpu.disabled;
  device.node.append(none);
  return {
    node: h("div", { class: "fe-controls" }, ...parts.map(({ node }) => node)),
    update: () => parts.forEach((part) => part.update()),
  };
}
