// The controls below the maps, what their colours mean, and where the numbers come from.
import { button, choice, fixed, group, h, nodesOf, range, Readout, rich, slider, toggle, type Part } from "../frame";
import { diverging, gradient, sequential } from "./colour";
import type { Sources } from "./sources";
import { isPreview } from "./preview";
import { canRun, chosen, whatIf, type Entry, type MapsModel } from "./state";

/** Controls of a lab whose numbers of blocks, heads and channels may change: built anew then. */
export function settings(model: MapsModel, signal: AbortSignal): Part {
  const node = h("div", { class: "fe-controls" });
  let views: Part[] = [];
  let built = "";
  return {
    node,
    update() {
      const key = [model.get("blocks"), model.get("heads"), model.get("channels"), canRun(model)].join();
      if (key !== built) {
        built = key;
        views = controls(model, signal);
        node.replaceChildren(...nodesOf(views));
      }
      views.forEach((view) => view.update());
    },
  };
}

function controls(model: MapsModel, signal: AbortSignal): Part[] {
  const [blocks, heads, channels] = [model.get("blocks"), model.get("heads"), model.get("channels")];
  const ofAll = (channel: number) => (channel < 0 ? "all" : `${channel + 1} of ${channels}`);
  return [
    ...(blocks > 1 ? [few(model, signal, "block", range(0, blocks - 1), (block) => `${block + 1} of ${blocks}`)] : []),
    ...(heads > 1 ? [few(model, signal, "head", range(-1, heads - 1), (head) => (head < 0 ? "mean" : String(head + 1)))] : []),
    ...(channels > 0 ? [slider(model, signal, "channel", {
      symbol: "c", name: "channel of the DWC", stops: range(-1, channels - 1), format: ofAll,
    })] : []),
    toggles(model, signal),
  ];
}

function few(model: MapsModel, signal: AbortSignal, trait: "block" | "head", values: number[], format: (value: number) => string): Part {
  if (values.length > 6) return slider(model, signal, trait, { name: trait, stops: values, format });
  return choice(model, signal, trait, { name: trait, options: values.map((value) => [value, format(value)] as const) });
}

function toggles(model: MapsModel, signal: AbortSignal): Part {
  const one = (trait: "inside" | "on_relu" | "by_value" | "common_scale", text: string) => toggle(model, signal, trait, ...rich(text));
  const running = canRun(model)
    ? [one("inside", "*p* inside the models: run them, see what they say"), one("on_relu", "*f*_{p} on the ReLU model too")] : [];
  const all = [...running, one("by_value", "weigh by the length of each value"), one("common_scale", "one scale for all maps")];
  return group("fe-toggles", all);
}

export function legend(model: MapsModel): Part {
  const bar = h("span", { class: "fe-scale", "aria-hidden": "true" });
  const text = h("span", {});
  const convolution = h("span", {});
  return {
    node: h("p", { class: "fe-legend" }, bar, text, convolution),
    update() {
      const matrix = model.get("display") === "matrix";
      const signed = chosen(model).channel >= 0 && model.get("channels") > 0;
      const scale = model.get("common_scale") ? "the brightest of all maps" : "the brightest of its map";
      bar.style.backgroundImage = matrix || signed ? gradient(signed ? diverging : sequential, signed ? -1 : 0) : "";
      bar.hidden = !(matrix || signed);
      text.textContent = matrix
        ? `Each row is a query, each column a key; the framed row is the query patch. Brightness: the root of a weight over ${scale}. `
        : `A patch is lit in proportion to its weight over ${scale}. `;
      convolution.textContent = !model.get("channels") ? "" : signed
        ? `With the convolution: one channel's A + M, signed: orange above zero, blue below. Its figures are of magnitudes.`
        : "With the convolution: the mean over all channels of |A + M|. Its figures are of those magnitudes.";
    },
  };
}

/** Where the numbers come from; said aloud when it changes. */
export function status(model: MapsModel, sources: Sources, signal: AbortSignal, redraw: () => void): Part {
  const { runs } = sources;
  const text = h("span", { role: "status" });
  const time = new Readout("pass_ms", fixed(0, " ms"));
  const took = h("span", {}, " Last pass: ", time.node);
  const again = button(signal, () => {
    runs.retry();
    redraw();
  }, {}, "Try again");
  return {
    node: h("p", { class: "fe-source" }, text, took, " ", again),
    update() {
      const live = sources.needsModels();
      const said = (live && runs.failed) || sentence(model, sources, live);
      if (text.textContent !== said) text.textContent = said;
      again.hidden = !(live && runs.failed);
      took.hidden = !live || Boolean(runs.failed) || !Number.isFinite(runs.milliseconds);
      time.set(runs.milliseconds);
    },
  };
}

function sentence(model: MapsModel, sources: Sources, live: boolean): string {
  if (!model.get("tokens")?.byteLength) return isPreview(model) ? "" : "The trained queries and keys have not arrived yet.";
  if (!canRun(model)) return model.get("source");
  const asked = model.get("models").find((entry) => whatIf(model, entry));
  const question = asked ? `What if: ${was(asked)}; here ${model.get("inside") ? "the models run" : "their queries and keys are seen"} with another p. ` : "";
  if (!live) return `${question}Queries and keys as four trained models form them, stored in half precision.`;
  if (!sources.complete) return sources.runs.arrived < model.get("models").length ? `Fetching the models, ${megabytes(model)} MB, once …` : "The models run in your browser …";
  return `${question}Computed in your browser by the models themselves; nothing was sent.`;
}

const was = (entry: Entry) => (entry.trained_p === null ? "the ReLU model was trained without f_p" : `the focused models were trained with p = ${entry.trained_p}`);

const megabytes = (model: MapsModel) => (model.get("models").reduce((sum, entry) => sum + (entry.file_bytes ?? 0), 0) / 1e6).toFixed(1);
