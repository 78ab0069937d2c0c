// The query's weights by three kinds, side by side: a line a key where there are few, a falling profile where many.
import { fixed, h, Readout, svg } from "../frame/dom";
import { KINDS, title, type Kind, type Rows } from "./state";

const FEW = 12;
const PROFILE = { width: 120, height: 96 };

export function weightTable(): { node: HTMLElement; show(rows: Rows, p: number, divide: boolean): void } {
  const heads = KINDS.map((kind) => ({ kind, name: h("span"), note: h("span", { class: "fe-small" }) }));
  const body = h("tbody");
  const entropies = KINDS.map((kind) => new Readout(`entropy_${kind}`, fixed(2)));
  const shares = KINDS.map((kind) => new Readout(`top1_${kind}`, fixed(3)));
  const foot = (label: string, unit: string, readouts: Readout[]) =>
    h("tr", {}, h("th", { scope: "row" }, label, h("span", { class: "fe-small" }, unit)),
      ...readouts.map((readout, i) => h("td", { "data-kind": KINDS[i] }, h("b", {}, readout.node))));
  const first = h("th", { scope: "col" });
  const node = h("table", { class: "fe-table fe-weights" },
    h("caption", {}, h("b", {}, "Attention of one query")),
    h("thead", {}, h("tr", {}, first, ...heads.map(({ name, note, kind }) =>
      h("th", { scope: "col", "data-kind": kind }, h("span", { class: "fe-swatch" }), name, note)))),
    body, h("tfoot", {}, foot("entropy", "bits", entropies), foot("top-1", "share", shares)));
  let shown: { count: number; view: { node: HTMLElement; set(rows: Rows): void } } | null = null;
  return {
    node,
    show(rows, p, divide) {
      const count = rows.focused.weights.length;
      if (shown?.count !== count) {
        const lines = count <= FEW ? Array.from({ length: count }, (_, j) => keyLine(j)) : [profiles(count)];
        body.replaceChildren(...lines.map((line) => line.node));
        shown = { count, view: { node: body, set: (now) => lines.forEach((line) => line.set(now)) } };
        first.textContent = count <= FEW ? "key" : "";
      }
      shown.view.set(rows);
      const notes: Record<Kind, string> = { softmax: divide ? "s² q·k/√d" : "s² q·k", relu: "p = 1", focused: title("focused", p).slice(9) };
      heads.forEach(({ kind, name, note }) => {
        name.textContent = { softmax: "softmax", relu: "ReLU", focused: "focused" }[kind];
        note.textContent = notes[kind];
      });
      KINDS.forEach((kind, i) => {
        entropies[i].set(rows[kind].entropy);
        shares[i].set(rows[kind].top1);
      });
    },
  };
}

interface Line { node: HTMLElement; set(rows: Rows): void }

function keyLine(j: number): Line {
  const cells = KINDS.map((kind) => {
    const readout = new Readout(`weight_${kind}_k${j + 1}`, fixed(3));
    return { kind, readout, node: h("td", { class: "fe-bar", "data-kind": kind }, readout.node) };
  });
  return {
    node: h("tr", {}, h("th", { scope: "row" }, "k", h("sub", {}, String(j + 1))), ...cells.map(({ node }) => node)),
    set(rows) {
      for (const { kind, readout, node } of cells) {
        readout.set(rows[kind].weights[j]);
        node.style.setProperty("--w", String(rows[kind].weights[j]));
      }
    },
  };
}

/** Each kind's weights from the largest to the smallest, all three to one scale. */
function profiles(count: number): Line {
  const { width, height } = PROFILE;
  const cells = KINDS.map((kind) => {
    const area = svg("path");
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" }, svg("path", { class: "fe-axis", d: `M0 ${height}H${width}` }), area);
    return { kind, area, picture, node: h("td", { "data-kind": kind }, picture) };
  });
  const label = h("th", { scope: "row" }, `${count} keys`, h("span", { class: "fe-small" }, "largest first"));
  return {
    node: h("tr", { class: "fe-profiles" }, label, ...cells.map(({ node }) => node)),
    set(rows) {
      const top = Math.max(...KINDS.map((kind) => (Number.isFinite(rows[kind].top1) ? rows[kind].top1 : 0)), 1e-12);
      for (const { kind, area, picture } of cells) {
        const sorted = Float64Array.from(rows[kind].weights).sort().reverse();
        const step = width / count;
        const steps = Array.from(sorted, (weight, i) => `V${height - (weight / top) * (height - 4)}H${((i + 1) * step).toFixed(2)}`);
        area.setAttribute("d", `M0 ${height}${steps.join("")}V${height}Z`);
        picture.setAttribute("aria-label", `${title(kind, 3).split(",")[0]}: weights of ${count} keys, largest ${sorted[0].toFixed(3)}`);
      }
    },
  };
}
