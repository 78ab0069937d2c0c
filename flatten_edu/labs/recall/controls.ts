// What is stored, how it is asked for, and what stands beside the attention.
import { change, choice, fixed, fraction, group, h, LEFT_BEHIND, ownPicture, range, slider, type Part } from "../frame";
import type { Results } from "./results";
import { PIXELS, type RecallModel, type Settings } from "./state";

export function controls(model: RecallModel, settings: Settings, results: Results, signal: AbortSignal, redraw: () => void): Part {
  const values = choice(model, signal, "values", { name: "stored values", options: [["photo", "photograph"], ["noise", "noise"], ["own", "your picture"]] });
  const { button, message } = ownPicture(signal, () => PIXELS, (pixels) => {
    settings.take(pixels);
    change(model, "values", "own");
    redraw(); // where the picture before was a file too, no trait has changed
  });
  const own: Part = {
    node: h("div", { class: "fe-own" }, button, h("p", { class: "fe-note" }, "It is read in your browser and sent nowhere. ", message)),
    update() {
      if (model.get("values") === "own" && !settings.photograph) message.textContent = LEFT_BEHIND;
    },
  };
  const asked = choice(model, signal, "asked", { name: "each place asks for", options: [["in place", "its own value"], ["in another order", "another's"]] });
  const random = [
    values, own,
    choice(model, signal, "side", { symbol: "N", name: "values", options: [[14, "14 × 14"], [10, "10 × 10"], [7, "7 × 7"]] }),
    slider(model, signal, "d", { symbol: "d", name: "numbers of a key", stops: [16, 24, 32, 48, 64, 96, 128] }),
    slider(model, signal, "noise", { name: "noise of a query", stops: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.5, 2], format: fixed(1) }),
  ];
  const all = group("fe-controls", [
    ...random,
    slider(model, signal, "length", { name: "length of the keys, times", stops: range(-6, 6).map((i) => 2 ** (i / 2)), format: fraction }),
    choice(model, signal, "kernel", {
      name: "convolution of the values", options: [["none", "none"], ["own place", "own place"], ["mean", "mean of 5 × 5"], ["random", "random"]],
    }),
    asked,
    slider(model, signal, "seed", { name: "seed of the random numbers", stops: range(0, 99) }),
  ]);
  return {
    node: all.node,
    update() {
      all.update();
      for (const { node } of random) node.hidden = results.now?.source === "given";
      values.node.querySelector<HTMLElement>("label:last-child")!.hidden = !settings.photograph;
      asked.node.hidden = model.get("kernel") === "none"; // the attention alone does not know its place
    },
  };
}
