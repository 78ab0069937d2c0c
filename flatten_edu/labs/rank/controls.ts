// The lab's controls: those of the argument above the maps, those that choose the case below them.
import { max } from "d3-array";
import {
  adapted, change, choice, focusingFactorControl, group, h, labelled, Memo, range, rangeInput, Readout, slider, type Part,
} from "../frame";
import type { Kernel } from "../frame/maths/rank_maps";
import { isDark, paint, scaleFor } from "./colours";
import type { Results } from "./results";
import { setting, type RankModel, type RankTraits } from "./state";

const GRIDS = ["4x4", "7x7", "7x14", "10x10", "14x14"] as const;
const DIMENSIONS = [1, 2, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256];
export const TOLERANCES = [0, ...Array.from({ length: 12 }, (_, i) => 10 ** (i - 12))];

export function mainControls(model: RankModel, results: Results, signal: AbortSignal): Part {
  const kernel = kernelChoice(model, results, signal);
  const d = slider(model, signal, "d", { symbol: "d", name: "features of a head", stops: DIMENSIONS });
  const features = group("fe-controls fe-d fe-stays", [d]);
  const all = group("fe-rank-controls", [kernel, features, focusingFactorControl(model, signal)]);
  return {
    node: all.node,
    update() {
      all.update();
      features.node.hidden = setting(model).source === "given";
    },
  };
}

export function caseControls(model: RankModel, signal: AbortSignal): Part {
  const source = choice(model, signal, "source", { name: "queries and keys", options: [["random", "random"], ["given", "given"]] });
  const layer = bounded(model, signal, "layer", "block", () => model.get("index").layers.length, (i) => model.get("index").layers[i] ?? "");
  const head = bounded(model, signal, "head", "head", (s) => s.heads);
  const channel = bounded(model, signal, "channel", "channel of the kernel", (s) => s.channels);
  const grid = choice(asText(model), signal, "grid", { name: "grid, rows × columns", options: GRIDS.map((g) => [g, g.replace("x", " × ")]) });
  const seed = slider(model, signal, "seed", { name: "seed of the random numbers", stops: range(0, 99) });
  const about = h("p", { class: "fe-note" });
  const all = group("fe-controls", [source, layer, head, grid, channel, seed]);
  return {
    node: h("div", {}, all.node, about),
    update() {
      all.update();
      const s = setting(model);
      const index = model.get("index");
      source.node.hidden = index.heads === 0;
      nameGiven(source.node, index.name);
      grid.node.hidden = s.source === "given";
      seed.node.hidden = s.source === "given" && s.convolution !== "random";
      const origin = s.source === "given" || s.convolution === "given" ? index.about
        : "Random queries and keys: independent numbers of mean 0 and variance 1.";
      about.textContent = `${origin} Patch tokens only: a class token takes no part in the convolution, and none here.`;
    },
  };
}

function kernelChoice(model: RankModel, results: Results, signal: AbortSignal): Part {
  const options = choice(model, signal, "convolution", {
    name: "kernel of the convolution",
    options: [
      ["random", "random"], ["given", "given"], ["zero", "zero"], ["minus_impulse", "minus the unit impulse"],
      ["right_neighbour", "right neighbour, singular"],
    ],
  });
  const picture = h("canvas", { class: "fe-kernel", role: "img" });
  const memo = new Memo();
  const draw = ({ values, sides }: Kernel, dark: boolean) => {
    const largest = max(Array.from(values), Math.abs)!;
    paint(picture, values, sides[1], largest, scaleFor(dark));
    picture.setAttribute("aria-label", `The kernel: ${sides[0]} by ${sides[1]} numbers, the largest ${largest.toPrecision(2)} in size`);
  };
  return {
    node: h("div", { class: "fe-controls fe-kernel-choice" }, options.node, picture),
    update() {
      options.update();
      const index = model.get("index");
      const given = options.node.querySelector<HTMLInputElement>('input[value="given"]')!;
      given.parentElement!.hidden = index.channels === 0;
      nameGiven(options.node, index.name);
      const kernel = results.now?.kernel;
      const dark = isDark(picture);
      if (kernel) memo.keep("drawn", [kernel, dark], () => draw(kernel, dark));
    },
  };
}

function nameGiven(fieldset: HTMLElement, name: string): void {
  fieldset.querySelector('input[value="given"]')!.nextElementSibling!.textContent = name;
}

const asText = (model: RankModel) => adapted<{ grid: string }>(model, () => model.get("grid").join("x"),
  (value) => model.set("grid", value.split("x").map(Number) as [number, number]));

/** A slider over 0 to one less than a count that other traits decide; hidden where there is nothing to choose. */
function bounded(
  model: RankModel, signal: AbortSignal, trait: "layer" | "head" | "channel", name: string,
  count: (s: ReturnType<typeof setting>) => number, words: (value: number) => string = (value) => String(value + 1),
): Part {
  const range = rangeInput(signal, (at) => change(model, trait, at as RankTraits[typeof trait]));
  const value = new Readout(trait, words);
  const of = h("span", { class: "fe-of" });
  const node = labelled([name], h("span", {}, value.node, of), range.input);
  return {
    node,
    update() {
      const s = setting(model);
      const last = count(s) - 1;
      node.hidden = last < 1;
      range.show(s[trait], Math.max(last, 1), `${name.split(",")[0]} ${words(s[trait])}`);
      value.set(s[trait]);
      of.textContent = trait === "layer" ? "" : ` of ${last + 1}`;
    },
  };
}
