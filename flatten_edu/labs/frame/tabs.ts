// Two views of one lab, as tabs.
import { button, h, meaning, uniqueId } from "./dom";
import { change, type LabModel, type Part } from "./model";

/** Tabs for the trait `view`: a name and a panel each. */
export function tabList<Kind extends string>(
  model: LabModel<{ view: Kind }>, signal: AbortSignal, names: Record<Kind, string>, panels: Record<Kind, HTMLElement>,
): Part {
  const kinds = Object.keys(names) as Kind[];
  const tabs = kinds.map((kind) => {
    const id = uniqueId("tab");
    panels[kind].id = uniqueId("panel");
    panels[kind].setAttribute("role", "tabpanel");
    panels[kind].setAttribute("aria-labelledby", id);
    const attributes = { id, role: "tab", "aria-controls": panels[kind].id };
    return button(signal, () => change(model, "view", kind), attributes, names[kind]);
  });
  const node = h("div", { class: "fe-tabs", role: "tablist", "aria-label": "view" }, ...tabs);
  node.addEventListener("keydown", (event) => {
    if (!meaning(event, { ArrowLeft: true, ArrowRight: true })) return;
    const other = (tabs.indexOf(event.target as HTMLButtonElement) + 1) % tabs.length; // two tabs: either way
    change(model, "view", kinds[other]);
    tabs[other].focus();
  }, { signal });
  return {
    node,
    update() {
      kinds.forEach((kind, i) => {
        const selected = model.get("view") === kind;
        tabs[i].setAttribute("aria-selected", String(selected));
        tabs[i].tabIndex = selected ? 0 : -1;
        panels[kind].hidden = !selected;
      });
    },
  };
}
