// Where the points come from: this machine, and the one of the record beside.
import { h, Memo, type Part } from "../frame";
import { findingsOf } from "./findings";
import { browserName, clockOf, cores, describe } from "./machine";
import type { TimingRecord } from "./record";
import { besideOf, type TimingModel } from "./state";

export function origins(model: TimingModel): Part {
  const [own, beside] = [h("p", {}), h("p", {})];
  const memo = new Memo();
  const show = (mine: TimingRecord | null, other: TimingRecord | null, which: string) => {
    fill(own, "filled", mine ? `Yours: ${describe(mine)}. ${clockOf(mine)}${omitted(mine)}`
      : `Yours: none yet. This page runs in ${browserName()}, ${cores()}; how finely its clock ticks is measured when a run starts.`);
    const from = which === "shipped" || other !== model.get("other") ? "Measured elsewhere, on" : "Your other record:";
    fill(beside, "hollow", other ? `${from} ${describe(other)}.${omitted(other)}` : "");
  };
  return {
    node: h("div", { class: "fe-origins" }, own, beside),
    update() {
      const now = [model.get("own"), besideOf(model), model.get("beside")] as const;
      memo.keep("shown", now, () => show(...now));
    },
  };
}

function fill(node: HTMLElement, mark: "filled" | "hollow", text: string): void {
  node.hidden = !text;
  node.replaceChildren(h("span", { class: `fe-dot fe-${mark}`, "aria-hidden": "true" }), text);
}

function omitted(record: TimingRecord): string {
  const { part, others } = findingsOf(record);
  const shown = part === "core, forward" ? "" : ` Drawn: ${part}.`;
  return `${shown}${others.length ? ` Not drawn: ${others.join(", ")}.` : ""}`;
}
