// The lab `precision`: why did fp16 give NaN, and which fix works?
import {
  choice, fraction, h, lab, Memo, newest, nodesOf, range, rich, slider, small, startWorker, together, toggle, type Part,
} from "../frame";
import code from "worker:./worker.ts";
import { Bench, type Question } from "./bench";
import { outcome } from "./outcome";
import { MOST_QUERIES, ownMatrices, settings, type PrecisionModel, type PrecisionTraits, type Result } from "./state";
import { rangeTable } from "./table";
import WORDS from "./words.json";

export * from "../frame/maths/focused_steps";
export * from "../frame/maths/noise";
export * from "../frame/maths/rounding";

const SIZES = range(-10, 6).map((power) => 2 ** power);

export default lab<PrecisionTraits>(WORDS, ({ model, body, signal }) => {
  const parts = [...controlViews(model, signal), resultView(model)];
  body.append(...nodesOf(parts));
  return parts;
});

function controlViews(model: PrecisionModel, signal: AbortSignal): Part[] {
  const drawn = [
    slider(model, signal, "n", { symbol: "N", name: "tokens", stops: [16, 49, 196, 784, 3136] }),
    slider(model, signal, "d", { symbol: "d", name: "channels", stops: [8, 16, 32, 64, 128] }),
    slider(model, signal, "seed", { name: "seed", stops: range(0, 9) }),
  ];
  const always = [
    choice(model, signal, "dtype", { name: "number format", options: [["fp16", "fp16"], ["bf16", "bf16"], ["fp32", "fp32"]] }),
    slider(model, signal, "size", { name: "size of the entries", stops: SIZES, format: (size) => fraction(size, 3) }),
    slider(model, signal, "p", { symbol: "p", name: "focusing factor", stops: [1, 2, 3, 4, 6, 8, 12, 16] }),
  ];
  const own = h("p", { class: "fe-own" });
  const fixes = [
    toggle(model, signal, "row_max", "row maximum", small("each row divided by it before the power")),
    toggle(model, signal, "over_sqrt_n", ...rich("*k*/√*N* and *v*/√*N*"),
      small("and the mean key: the authors', May 2024")),
    toggle(model, signal, "wide_sums", "sums in float32", small("as PyTorch's own kernels form them")),
    toggle(model, signal, "whole", "whole module in float32", small("what this library does")),
  ];
  for (const { node } of drawn.slice(0, 2)) node.classList.add("fe-half");
  const all = [...always, ...drawn];
  return [
    together(h("div", { class: "fe-controls" }, ...nodesOf(all), own), all),
    together(h("fieldset", { class: "fe-fixes" }, h("legend", {}, "Fixes"), ...nodesOf(fixes)), fixes),
    ownLine(model, own, nodesOf(drawn)),
  ];
}

/** Of the reader's own tensors their shapes are said, in the place of what draws random ones. */
function ownLine(model: PrecisionModel, node: HTMLElement, drawn: HTMLElement[]): Part {
  return {
    node,
    update() {
      const own = model.get("source") === "own";
      for (const control of drawn) control.hidden = own;
      node.hidden = !own;
      if (!own) return;
      const shapes = ownMatrices(model)?.map(({ rows, columns }, i) => `${"qkv"[i]} ${rows} × ${columns}`);
      node.textContent = shapes ? `Your tensors: ${shapes.join(", ")}.` : "The tensors have not arrived yet, or do not fit together.";
    },
  };
}

/** The verdict and the table; they show the last finished run until the next one is done. */
function resultView(model: PrecisionModel): Part {
  const parts = { outcome: outcome(), table: rangeTable() };
  const note = h("p", { class: "fe-legend" });
  const node = h("div", { class: "fe-precision", "aria-busy": "true" }, parts.outcome.node, parts.table.node, legend(), note);
  const memo = new Memo();
  const bench = new Bench();
  const worker = startWorker<Question, Result>(code, (question) => bench.run(question));
  let asked: Question;
  const ask = newest<Question, Result>(worker.ask, (result, question) => {
    const { whole, dtype, n, p } = question.settings;
    const format = whole ? "fp32" : dtype;
    parts.outcome.show(result, format);
    parts.table.show(result, format, p);
    note.hidden = question.own !== null || n <= MOST_QUERIES;
    note.textContent = `The sums run over all ${n} tokens; of the queries the first ${MOST_QUERIES} are followed.`;
    node.setAttribute("aria-busy", String(question !== asked));
  });
  return {
    node,
    update() {
      const own = model.get("source") === "own";
      memo.keep("asked", [...Object.values(settings(model)), own, model.get("q"), model.get("k"), model.get("v")], () => {
        const given = own ? ownMatrices(model) : null;
        if (own && !given) return;
        node.setAttribute("aria-busy", "true");
        asked = { settings: settings(model), own: given };
        void ask(asked);
      });
    },
    remove() {
      worker.stop();
      parts.outcome.remove();
    },
  };
}

function legend(): HTMLElement {
  const key = (kind: string, text: string) => h("span", {}, h("span", { class: `fe-key fe-${kind}` }), text);
  return h("p", { class: "fe-legend fe-keys", "aria-hidden": "true" },
    key("stored", "stored"), key("wanted", "what float64 has"), key("band", "the format holds it"),
    key("subnormal", "with fewer digits"), key("over", "▲ too large: Inf"), key("under", "▽ too small: 0"), h("span", {}, "✕ NaN"));
}
