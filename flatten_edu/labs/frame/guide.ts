// What leads a reader through a lab: what to try first, three steps that set the lab, and a way back.
import { button, h, plain, rich } from "./dom";
import { rulesOf, type LabModel, type Part } from "./model";

/** The trait that every lab has: which step is shown, from 1; 0 for none. */
export interface Guided { step: number }

/** What leads a reader, of a lab's words.json; in its texts *p* is set in italics. */
export interface Lead {
  /** What to try before any step; a lab of two views has one for each. */
  first: string | Record<string, string>;
  /** A few words on the step's button, the traits that it sets, and what to look for then. */
  steps: readonly { label: string; set: object; look: string }[];
}

export function guide<Traits extends Guided>(
  model: LabModel<Traits>, signal: AbortSignal, { first, steps }: Lead,
): Part {
  const back = startingSettings(model);
  const set = (traits: object, step: number) => {
    for (const [name, value] of Object.entries({ ...traits, step })) {
      model.set(name as keyof Traits & string, value as Traits[keyof Traits & string]);
    }
    model.save_changes();
  };
  const buttons = steps.map((step, i) => button(signal, () => set({ ...back, ...step.set }, i + 1), { class: "fe-step" },
    h("span", { class: "fe-step-number" }, String(i + 1)), step.label));
  const reset = button(signal, () => set(back, 0), { class: "fe-reset" }, "Reset");
  // All sentences lie over one another, so that a press of a button moves nothing below.
  const looks = steps.map(({ look }) => h("p", { class: "fe-look" }, h("span", { class: "fe-moved-on" }, "As the step set it: "), ...rich(look)));
  const start = h("p", { class: "fe-first" });
  let tried = "";
  const said = h("p", { class: "fe-spoken", role: "status" });
  const differs = (i: number) => Object.entries({ ...back, ...steps[i].set }).some(([name, value]) =>
    name !== "step" && JSON.stringify(model.get(name as keyof Traits & string)) !== JSON.stringify(value));
  return {
    node: h("div", { class: "fe-guide" },
      h("div", { class: "fe-steps", role: "group", "aria-label": "guided steps" }, ...buttons, reset),
      h("div", { class: "fe-looks" }, start, ...looks), said),
    update() {
      const chosen = model.get("step") - 1;
      start.dataset.shown = String(!(chosen in steps));
      const now = typeof first === "string" ? first : first[(model as unknown as LabModel<{ view: string }>).get("view")];
      if (now !== tried) start.replaceChildren(h("b", {}, "Try first: "), ...rich(now));
      tried = now;
      looks.forEach((look, i) => {
        look.dataset.shown = String(i === chosen);
        look.dataset.past = String(i === chosen && differs(i));
      });
      buttons.forEach((one, i) => one.setAttribute("aria-pressed", String(i === chosen)));
      const text = chosen in steps ? plain(steps[chosen].look) : "";
      if (said.textContent !== text) said.textContent = text;
    },
  };
}

/** The values to which Reset returns: the page's own, not those of a link; under a kernel, those at the start. */
function startingSettings<Traits>(model: LabModel<Traits>): Partial<Traits> {
  const names = Object.keys(rulesOf(model)) as (keyof Traits & string)[];
  return Object.fromEntries(names.map((name) => [name, model.initial ? model.initial(name) : model.get(name)])) as Partial<Traits>;
}
