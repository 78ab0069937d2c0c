// What leads a reader through a lab: what to try first, three steps that set the lab, and a way back.
import { h, rich } from "./dom";
import { rulesOf, type LabModel, type View } from "./model";

export interface Step<Traits> {
  /** A few words on the step's button. */
  label: string;
  /** The traits that it sets. */
  set: Partial<Traits>;
  /** What to look for, once it is set; *p* is set in italics. */
  look: string;
}

/** The trait that every lab has: which step is shown, from 1; 0 for none. */
export interface Guided {
  step: number;
}

export interface Lead<Traits> {
  first: string;
  steps: readonly Step<Traits>[];
}

export function guide<Traits extends Guided>(
  model: LabModel<Traits>, signal: AbortSignal, { first, steps }: Lead<Traits>,
): View & { node: HTMLElement } {
  const back = startingSettings(model);
  const set = (traits: Partial<Traits>, step: number) => {
    for (const [name, value] of Object.entries({ ...traits, step })) {
      model.set(name as keyof Traits & string, value as Traits[keyof Traits & string]);
    }
    model.save_changes();
  };
  const buttons = steps.map(({ label }, i) =>
    h("button", { type: "button", class: "fe-step" }, h("span", { class: "fe-step-number" }, String(i + 1)), label));
  buttons.forEach((button, i) => button.addEventListener("click", () => set({ ...back, ...steps[i].set }, i + 1), { signal }));
  const reset = h("button", { type: "button", class: "fe-reset" }, "Reset");
  reset.addEventListener("click", () => set(back, 0), { signal });
  const look = h("p", { class: "fe-look", role: "status" });
  let shown = "";
  return {
    node: h("div", { class: "fe-guide" },
      h("p", { class: "fe-first" }, h("b", {}, "Try first: "), ...rich(first)),
      h("div", { class: "fe-steps", role: "group", "aria-label": "guided steps" }, ...buttons, reset), look),
    update() {
      const chosen = model.get("step");
      buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i + 1 === chosen)));
      const text = steps[chosen - 1]?.look ?? "";
      if (shown !== text) look.replaceChildren(...rich(text));
      shown = text;
      look.hidden = !text;
    },
  };
}

/** The values to which Reset returns: the page's own, not those of a link; under a kernel, those at the start. */
function startingSettings<Traits>(model: LabModel<Traits>): Partial<Traits> {
  const names = Object.keys(rulesOf(model)) as (keyof Traits & string)[];
  return Object.fromEntries(names.map((name) => [name, model.initial ? model.initial(name) : model.get(name)])) as Partial<Traits>;
}
