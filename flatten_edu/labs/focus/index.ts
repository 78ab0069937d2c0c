// The lab `focus`: what does the focusing factor p do to directions?
import {
  fixed, focusingFactorControl, formatP, h, lab, lowered, Readout, rich, summary, tabList, together, type Part,
} from "../frame";
import { LARGEST_P, norm } from "../frame/maths/attention";
import { curves } from "./curves";
import { photo } from "./photo";
import { plane } from "./plane";
import { pair, planeWeights, vectors, verdict, type FocusModel, type FocusTraits, type VectorState } from "./state";
import { table } from "./table";
import WORDS from "./words.json";

export * from "../frame/maths/attention";
export { position } from "../frame/controls";
export { stopsOfP } from "../frame/focusing_factor";

export default lab<FocusTraits>(WORDS, ({ model, body, signal, head }) => {
  const p = focusingFactorControl(model, signal);
  const views = { plane: planeView(model), photo: photo(model, signal) };
  const tabs = tabList(model, signal, { plane: "Vectors", photo: "Photograph" }, { plane: views.plane.node, photo: views.photo.node });
  head.append(tabs.node);
  body.append(p.node, views.plane.node, views.photo.node);
  return [p, tabs, views.plane, views.photo];
});

function planeView(model: FocusModel): Part {
  const parts = { plane: plane(model), table: table(model), curves: curves(model), lengths: lengthLine(model), sentence: summary(() => said(model)) };
  const legend = h("p", { class: "fe-legend" }, ...rich("dashed: before · solid: after *f*_{p} · drag a point, or Tab and arrow keys"));
  return together(h("div", {},
    h("div", { class: "fe-columns" }, h("div", {}, parts.plane.node, legend, parts.lengths.node), h("div", {}, parts.table.node, parts.curves.node)),
    parts.sentence.node), Object.values(parts));
}

/** The length of each vector before and after: f_p keeps it. */
function lengthLine(model: FocusModel): Part {
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
        pairs[i][0].set(norm(v.relu));
        pairs[i][1].set(norm(v.turned));
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
      `${one ? "moves" : "move"} away${p < LARGEST_P ? ": a larger p brings them back" : ""}.`);
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
