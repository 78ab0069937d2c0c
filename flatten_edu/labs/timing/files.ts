// The record as a file: to keep, to compare with another machine's, to read in Python.
import { button, change, choice, h, type Part } from "../frame";
import { parseRecord, type TimingRecord } from "./record";
import type { TimingModel } from "./state";

const MOST_BYTES = 20e6;

export function files(model: TimingModel, signal: AbortSignal): Part {
  const save = button(signal, () => download(model.get("own")!), {}, "Save your record (JSON)");
  const input = h("input", { type: "file", accept: ".json,application/json" });
  const load = h("label", { class: "fe-file" }, input, h("span", {}, "Load a record …"));
  const message = h("span", { class: "fe-message", role: "status" });
  const which = choice(model, signal, "beside", {
    name: "beside your points", options: [["shipped", "the book's record"], ["other", "your other record"]],
  });
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    input.value = ""; // the same file may be chosen again
    if (file) void take(file);
  }, { signal });

  async function take(file: File): Promise<void> {
    try {
      if (file.size > MOST_BYTES) throw new Error("it is larger than 20 MB");
      const record = parseRecord(await file.text());
      if (signal.aborted) return;
      message.textContent = `${file.name} is drawn beside your points.`;
      model.set("other", record);
      change(model, "beside", "other");
    } catch (error) {
      message.textContent = `${file.name} was not loaded: ${(error as Error).message}. What was drawn before still is.`;
    }
  }

  return {
    node: h("div", { class: "fe-files" }, which.node, save, load, message),
    update() {
      which.update();
      which.node.hidden = !model.get("other");
      save.hidden = !model.get("own");
    },
  };
}

function download(record: TimingRecord): void {
  const address = URL.createObjectURL(new Blob([`${JSON.stringify(record, null, 1)}\n`], { type: "application/json" }));
  const { head_dim: d } = record.settings;
  h("a", { href: address, download: `timing_${record.device.kind}_d${d}_${record.date.slice(0, 10)}.json` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
