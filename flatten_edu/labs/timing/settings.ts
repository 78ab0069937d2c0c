// What is timed: where, at which d and p, and for how long; and where the reader expects the crossover.
import { button, change, choice, group, h, slider, toggle, type Part } from "../frame";
import { GUESSES, isCovered, type TimingModel } from "./state";

const P_STOPS = [1, 1.5, 2, 2.5, 3, 4, 8];
const BUDGETS = [[10, "10 s"], [60, "1 min"], [300, "5 min"]] as const;

/** In the place of the book's record, until the reader has said what to expect. */
export function cover(model: TimingModel, signal: AbortSignal): Part {
  const show = button(signal, () => change(model, "uncovered", true), {}, "Show the book's record");
  const node = h("p", { class: "fe-cover" }, "Guess first, with the slider above, or time it here. What another machine took is covered until then. ", show);
  return { node, update: () => { node.hidden = !isCovered(model); } };
}

export function settings(model: TimingModel, signal: AbortSignal): Part {
  const device = choice(model, signal, "device", { name: "computed by", options: [["js", "typed arrays"], ["webgpu", "WebGPU"]] });
  const gpu = device.node.querySelector<HTMLInputElement>('input[value="webgpu"]')!;
  gpu.disabled = !("gpu" in navigator);
  const none = h("p", { class: "fe-note" }, "This browser gives this page no WebGPU.");
  none.hidden = !gpu.disabled;
  device.node.append(none);
  return group("fe-controls", [
    device,
    choice(model, signal, "d", { symbol: "d", name: "head dimension", options: [[32, "32"], [64, "64"]] }),
    choice(model, signal, "budget", { name: "time for it, about", options: BUDGETS }),
    slider(model, signal, "p", { symbol: "p", name: "focusing factor", stops: P_STOPS }),
    toggle(model, signal, "dwc", "focused with the 5 × 5 convolution"),
    slider(model, signal, "guess", { symbol: "N", name: "your guess", stops: GUESSES, format: (n) => (n ? String(n) : "none yet") }),
  ]);
}
