// What leads a reader through a lab: what to try first, three steps that set the lab, and a way back.
import { button, h, plain, rich } from "./dom";
import { rulesOf, type LabModel, type Part } from "./model";

/** What leads a reader, of a lab's words.json; in its texts *p* is set in italics. */
export interface Lead {
  /** What to try before any step; a lab of two views has one for each. */
  first: string | Record<string, string>;
  /** A few words on the step's button, the traits that it sets, and what to look for then. */
  steps: readonly { label: string; set: object; look: string }[];
}

export function guide(model: LabModel<Record<string, unknown>>, signal: AbortSignal, { first, steps }: Lead): Part {
  // What Reset returns to: the page's own values, not those of a link; under a kernel, those at the start.
  const back = Object.fromEntries(Object.keys(rulesOf(model)).map((name) => [name, model.initial ? model.initial(name) : model.get(name)]));
  const set = (traits: object, step: number) => {
    for (const [name, value] of Object.entries({ ...traits, step })) model.set(name, value);
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
    name !== "step" && JSON.stringify(model.get(name)) !== JSON.stringify(value));
  return {
    node: h("div", { class: "fe-guide" },
      h("div", { class: "fe-steps", role: "group", "aria-label": "guided steps" }, ...buttons, reset),
      h("div", { class: "fe-looks" }, start, ...looks), said),
    update() {
      const chosen = (model.get("step") as number) - 1;
      start.dataset.shown = String(!(chosen in steps));
      const now = typeof first === "string" ? first : first[model.get("view") as string];
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
