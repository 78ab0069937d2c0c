// The controls that labs share. Each is native, so that keyboard and touch work as a reader expects, and each has an
// accessible name that begins with its symbol.
import { h, Readout, uniqueId, type Child } from "./dom";
import { change, rulesOf, type LabModel, type Part } from "./model";
import { allows } from "./schema";

type Numeric<Traits> = { [K in keyof Traits & string]: Traits[K] extends number ? K : never }[keyof Traits & string];
type Flag<Traits> = { [K in keyof Traits & string]: Traits[K] extends boolean ? K : never }[keyof Traits & string];

/** A setting's symbol, in italics in front, and its name in words: N, tokens. */
interface Named { symbol?: string; name: string }

const label = ({ symbol, name }: Named): Child[] => symbol ? [h("i", {}, symbol), `, ${name}`] : [name];

/** A native slider over 0, 1, ..., last, for keyboard and touch, and how far along it is painted. */
export function rangeInput(signal: AbortSignal, moved: (at: number) => void) {
  const input = h("input", { id: uniqueId("range"), type: "range", min: 0, step: 1, "data-lm-suppress-shortcuts": "true" });
  input.addEventListener("input", () => moved(input.valueAsNumber), { signal });
  return {
    input,
    show(at: number, last: number, text: string): void {
      input.max = String(last);
      // An input whose step is 1 rounds what it is given; only a key or a pointer moves it on from there.
      input.value = String(Math.round(at));
      input.style.setProperty("--at", String(at / last));
      input.setAttribute("aria-valuetext", text);
    },
  };
}

export const labelled = (label: Child[], value: Node, input: HTMLElement) => h("div", { class: "fe-slider" },
  h("div", { class: "fe-slider-head" }, h("label", { for: input.id }, ...label), value), input);

/** A slider over a rising list of values, within what the setting may be. A value between two stops, which Python may
 * set, stands between them. */
export function slider<Traits>(
  model: LabModel<Traits>, signal: AbortSignal, trait: Numeric<Traits>,
  { stops: wanted, format = String, ...named }: Named & { stops: readonly number[]; format?: (value: number) => string },
): Part {
  const rule = rulesOf(model)[trait];
  const stops = rule && "least" in rule ? wanted.filter((stop) => allows(rule, stop)) : wanted;
  const range = rangeInput(signal, (at) => change(model, trait, stops[at] as Traits[typeof trait]));
  const value = new Readout(trait, format);
  return {
    node: labelled(label(named), value.node, range.input),
    update() {
      const current = model.get(trait) as number;
      range.show(position(stops, current), stops.length - 1, `${named.symbol ?? named.name} = ${format(current)}`);
      value.set(current);
    },
  };
}

/** Where a value stands among the stops: not a whole number between two of them. */
export function position(stops: readonly number[], value: number): number {
  const above = stops.findIndex((stop) => stop >= value);
  if (above <= 0) return above < 0 ? stops.length - 1 : 0;
  return above - (stops[above] - value) / (stops[above] - stops[above - 1]);
}

/** One of a few: native radio buttons that look like a row of segments. */
export function choice<Traits, K extends keyof Traits & string>(
  model: LabModel<Traits>, signal: AbortSignal, trait: K,
  { options, ...named }: Named & { options: readonly (readonly [value: Traits[K] & (string | number), text: string])[] },
): Part {
  const group = uniqueId(trait);
  const inputs = options.map(([value]) => {
    const input = h("input", { type: "radio", name: group, value: String(value), "data-lm-suppress-shortcuts": "true" });
    input.addEventListener("change", () => change(model, trait, value), { signal });
    return input;
  });
  return {
    node: h("fieldset", { class: "fe-choice" }, h("legend", {}, ...label(named)),
      h("div", { class: "fe-segments" }, ...options.map(([, text], i) => h("label", {}, inputs[i], h("span", {}, text))))),
    update() {
      const chosen = model.get(trait);
      inputs.forEach((input, i) => { input.checked = options[i][0] === chosen; });
    },
  };
}

export function toggle<Traits>(model: LabModel<Traits>, signal: AbortSignal, trait: Flag<Traits>, ...text: Child[]): Part {
  const input = h("input", { type: "checkbox" });
  input.addEventListener("change", () => change(model, trait, input.checked as Traits[typeof trait]), { signal });
  return {
    node: h("label", { class: "fe-check" }, input, h("span", {}, ...text)),
    update: () => { input.checked = Boolean(model.get(trait)); },
  };
}

/** Whole numbers from one to another, as stops of a slider. */
export const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
