// The lab `focus`: what does the focusing factor p do to directions?
import { fixed, h, Readout } from "../frame/dom";
import { focusingFactorControl } from "../frame/focusing_factor";
import { formatP, lowered } from "../frame/numbers";
import { summary } from "../frame/summary";
import { mountLab, type About } from "../frame/lab";
import type { RenderContext, View } from "../frame/model";
import { tabList } from "../frame/tabs";
import { curves } from "./curves";
import { photo } from "./photo";
import { plane } from "./plane";
import {
  lengths, pair, planeWeights, vectors, verdict, type FocusModel, type FocusTraits, type Point, type VectorState,
} from "./state";
import { table } from "./table";

export * from "../frame/maths/attention";
export { pToStop, stopToP } from "../frame/focusing_factor";
const FIGURE_4: { q: Point; k: Point[] } = {
  q: [0.39, 0.94], k: [[0.43, 0.86], [0.55, 0.3], [0.97, 0.32], [0.85, 0.14]],
};
const MOVES_APART: { q: Point; k: Point[] } = {
  q: [1, 0.99], k: [[1, 0.5], [0.8, 0.1], [0.35, 0.95]],
};
const ABOUT: About<FocusTraits> = {
  name: "focus",
  question: "What does *p* do to directions?",
  open: "Some pairs with the same largest entry move apart first. Does that contradict the paper's proposition, or does it say something else?",
  next: "proof",
  first: (model) => model.get("view") === "plane" ? "slide *p* from 1 to 8 and watch the solid arrows."
    : "slide *p* from 1 to 8 and watch the focused map darken; then choose another patch.",
  steps: [
    {
      label: "Figure 4",
      set: { ...FIGURE_4, p: 3, view: "plane" },
      look: "The paper's example. k₁ has its largest entry where q has it, and gets 0.75 of the attention; at *p* = 1 it got 0.37. Move *p* to 1 and back.",
    },
    {
      label: "A pair moves apart",
      set: { ...MOVES_APART, p: 3, view: "plane" },
      look: "q and k₁ share their largest entry, and still the angle between them grows from 18° to 37°. Raise *p*: only past 100 are they as close as at the start.",
    },
    {
      label: "On a photograph",
      set: { p: 8, view: "photo" },
      look: "Each map is the attention of one patch. A larger *p* darkens most of the focused map; choose another patch, by a click or the arrow keys, and see where it stays light.",
    },
  ],
};

export function render(context: RenderContext<FocusTraits>): () => void {
  const { model } = context;
  return mountLab(context, ABOUT, (body, signal, head) => {
    const p = focusingFactorControl(model, signal);
    const views = { plane: planeView(model), photo: photo(model, signal) };
    const tabs = tabList(model, signal, { plane: "Vectors", photo: "Photograph" }, { plane: views.plane.node, photo: views.photo.node });
    head.append(tabs.node);
    body.append(p.node, views.plane.node, views.photo.node);
    return [p, tabs, views.plane, views.photo];
  });
}

export default { render };

function planeView(model: FocusModel): View & { node: HTMLElement } {
  const parts = { plane: plane(model), table: table(model), curves: curves(model), lengths: lengthLine(model) };
  const sentence = summary(() => said(model));
  const node = h("div", {},
    h("div", { class: "fe-columns" },
      h("div", {}, parts.plane.node, legend(), parts.lengths.node),
      h("div", {}, parts.table.node, parts.curves.node)),
    sentence.node);
  const all = [...Object.values(parts), sentence];
  return {
    node,
    update: () => all.forEach((part) => part.update()),
    remove: () => all.forEach((part) => part.remove?.()),
  };
}

function legend(): HTMLElement {
  return h("p", { class: "fe-legend" }, "dashed: before · solid: after ", h("i", {}, "f"), h("sub", {}, "p"),
    " · drag a point, or Tab and arrow keys");
}

/** The length of each vector before and after: f_p keeps it. */
function lengthLine(model: FocusModel): View & { node: HTMLElement } {
  const node = h("p", { class: "fe-lengths" });
  let pairs: [Readout, Readout][] = [];
  return {
    node,
    update() {
      const all = vectors(model);
      if (pairs.length !== all.length) {
        pairs = all.map(({ name }) => [new Readout(`norm_${name}_before`, fixed(3)), new Readout(`norm_${name}`, fixed(3))]);
        node.replaceChildren("length kept: ", ...all.flatMap(({ name }, i) => [h("span", {},
          `${name[0]}`, h("sub", {}, name.slice(1)), " ", pairs[i][0].node, "→", pairs[i][1].node), " "]));
      }
      all.forEach((v, i) => {
        const { before, after } = lengths(v);
        pairs[i][0].set(before);
        pairs[i][1].set(after);
      });
    },
  };
}

function said(model: FocusModel): string {
  const [q, ...keys] = vectors(model);
  const p = model.get("p");
  const written = (name: string) => name.replace(/\d/, (digit) => lowered(Number(digit)));
  const states = keys.map((key) => ({ name: written(key.name), state: pair(q, key) }));
  const list = (wanted: string) => states.filter(({ state }) => verdict(state) === wanted).map(({ name }) => name).join(", ");
  const parts = [`At p = ${formatP(p)}:`];
  if (p === 1) parts.push("nothing is turned yet, f₁ is plain ReLU.");
  else {
    const moved = [["closer", "closer to q"], ["apart", "further from q"]].map(([kind, words]) => list(kind) && `${words}: ${list(kind)}`);
    parts.push((moved.filter(Boolean).join("; ") || "no angle changes") + ".");
  }
  const odd = states.filter(({ state }) => state.group === "same" && verdict(state) === "apart").map(({ name }) => name);
  if (odd.length) {
    const one = odd.length === 1;
    parts.push(`${odd.join(", ")} ${one ? "has its" : "have their"} largest entry where q has it, and still ` +
      `${one ? "moves" : "move"} away${p < 256 ? ": a larger p brings them back" : ""}.`);
  }
  parts.push(mostAttention(q, keys, written));
  return parts.join(" ");
}

function mostAttention(q: VectorState, keys: VectorState[], written: (name: string) => string): string {
  const weights = planeWeights([q, ...keys]).focused;
  const top = weights.indexOf(Math.max(...weights));
  if (weights[top] > 0) return `Most attention: ${written(keys[top].name)}, ${(100 * weights[top]).toFixed(0)} %.`;
  const gone = (v: VectorState) => v.relu.every((entry) => entry === 0);
  if (gone(q)) return "q has no positive entry: ReLU leaves nothing of it, and no attention is paid.";
  if (keys.every(gone)) return "No key has a positive entry: ReLU leaves nothing of them, and no attention is paid.";
  return "q is at right angles to every key, to the last digit: no attention is paid.";
}
