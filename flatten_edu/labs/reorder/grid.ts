// The small example as a scheme: each entry stands where its row, from the left, and its column, from above, cross.
import { short, svg } from "../frame";
import { transposed, type Matrix } from "../frame/maths/cost";
import { MIDDLE, example, type Example, type Kind, type ReorderModel } from "./state";

const CELL = 30;
const MARGIN = 0.9; // above, for the names; in cells

/** A matrix: where its top left corner is, in cells, how many entries are computed, row by row, and where its name stands. */
interface Block { kind: Kind; name: string; values: Matrix; x: number; y: number; known: number; label: "above" | "right" }

export function grid(model: ReorderModel) {
  const node = svg("svg", { class: "fe-grid", role: "img" });
  return {
    node,
    update() {
      if (model.get("view") !== "steps") return;
      const now = example(model);
      const blocks = layout(now);
      const [columns, rows] = size(now);
      node.setAttribute("viewBox", `0 ${-MARGIN * CELL} ${columns * CELL} ${(rows + MARGIN) * CELL}`);
      node.style.setProperty("--columns", String(columns));
      node.style.setProperty("--font", `${fontSize(blocks)}px`);
      node.replaceChildren(...bands(now, blocks), ...blocks.flatMap((block) => drawBlock(block, now)));
      node.setAttribute("aria-label", `Q, K and V of ${now.q.length} rows, their products entry by entry: ` +
        `${now.at} of ${now.total} entries are computed.`);
    },
  };
}

/** Columns and rows of cells that both orders need, so that a change of order moves nothing else. */
function size({ q, v }: Example): [number, number] {
  const [n, d, e] = [q.length, q[0].length, v[0].length];
  return [d + n + e + 2, 2 * n + d + 2];
}

function layout({ order, q, k, v, middle, out, at, normalised }: Example): Block[] {
  const [n, d] = [q.length, q[0].length];
  const first = middle.length * middle[0].length;
  const given = { known: Infinity, label: "above" } as const;
  const [ofV, ofO] = normalised ? ["V, ones", "O, sums"] : ["V", "O"];
  const computed = [Math.min(at, first), Math.max(at - first, 0)];
  const part = (kind: Kind, name: string, values: Matrix, x: number, y: number, rest: Partial<Block> = {}): Block =>
    ({ kind, name, values, x, y, ...given, ...rest });
  if (order === "qk_first") {
    const low = Math.max(n, d) + 1;
    return [
      part("k", "Kᵀ", transposed(k), d + 1, low - 1 - d), part("v", ofV, v, d + n + 2, low - 1 - n),
      part("q", "Q", q, 0, low), part("middle", MIDDLE[order], middle, d + 1, low, { known: computed[0] }),
      part("out", ofO, out, d + n + 2, low, { known: computed[1] }),
    ];
  }
  const left = Math.max(n, d);
  return [
    part("v", ofV, v, left + 1, 0), part("k", "Kᵀ", transposed(k), left - n, n + 1),
    part("middle", MIDDLE[order], middle, left + 1, n + 1, { known: computed[0], label: "right" }),
    part("q", "Q", q, left - d, n + d + 2), part("out", ofO, out, left + 1, n + d + 2, { known: computed[1] }),
  ];
}

/** The row and the column that meet in the latest entry, each as a band that runs on to it. */
function bands({ latest }: Example, blocks: Block[]): SVGElement[] {
  if (!latest) return [];
  const [target, fromLeft, fromAbove] = [latest.product, latest.left, latest.above].map((kind) => blocks.find((block) => block.kind === kind)!);
  const [x, y] = [target.x + latest.j, target.y + latest.i];
  const band = (left: number, top: number, width: number, height: number) =>
    svg("rect", { class: "fe-band", x: left * CELL, y: top * CELL, width: width * CELL, height: height * CELL, rx: 5 });
  return [band(fromLeft.x, y, x + 1 - fromLeft.x, 1), band(x, fromAbove.y, 1, y + 1 - fromAbove.y)];
}

function drawBlock(block: Block, { latest }: Example): SVGElement[] {
  const { kind, name, values, x, y, known, label } = block;
  const columns = values[0].length;
  const isNew = (i: number, j: number) => kind === latest?.product && i === latest.i && j === latest.j;
  const cells = values.flatMap((row, i) => row.map((value, j) => {
    const shown = i * columns + j < known;
    const at = { x: (x + j) * CELL + 1.5, y: (y + i) * CELL + 1.5 };
    return svg("g", { class: `fe-cell${isNew(i, j) ? " fe-new" : shown ? "" : " fe-empty"}` },
      svg("rect", { ...at, width: CELL - 3, height: CELL - 3, rx: 3 }),
      shown ? svg("text", { x: (x + j + 0.5) * CELL, y: (y + i + 0.5) * CELL, dy: "0.35em", "text-anchor": "middle" }, short(value)) : null);
  }));
  const title = label === "above"
    ? svg("text", { class: "fe-name", x: x * CELL + 2, y: y * CELL - 7 }, name)
    : svg("text", { class: "fe-name", x: (x + columns) * CELL + 6, y: (y + 0.5) * CELL, dy: "0.35em" }, name);
  return [svg("g", { class: `fe-block fe-${kind}` }, title, ...cells)];
}

/** Small enough for the longest number that stands in a cell. */
function fontSize(blocks: Block[]): number {
  const longest = Math.max(...blocks.flatMap(({ values }) => values.flat().map((value) => short(value).length)));
  return Math.min(16, (CELL - 4) / (0.58 * longest));
}
