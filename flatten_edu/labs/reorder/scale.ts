// The matrices of both products, drawn to one scale, with the brackets round the product that comes first.
import { svg } from "../frame";
import type { Order } from "../frame/maths/cost";
import { MIDDLE, type Kind, type ReorderModel } from "./state";

const WIDTH = 340;
const ROOM = WIDTH - 62; // without brackets, the equals sign and gaps
const TALLEST = 166;
const NARROWEST = 55; // of a matrix with its label
const GAP = 7;
const LABEL = 34;
const HEIGHT = 2 * (TALLEST + LABEL) + 18;

interface Piece { name: string; kind: Kind; rows: number; columns: number }
type Sign = "(" | ")" | "=";

/** Units of the picture for each number of a side, the same in both orders. */
export const unitsPerNumber = (n: number, d: number) => Math.min(TALLEST / Math.max(n, d), ROOM / Math.max(n + 2 * d, 3 * d));

export function scale(model: ReorderModel) {
  const drawing = svg("g");
  const node = svg("svg", { class: "fe-scale", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" }, drawing);
  return {
    node,
    update() {
      const [n, d, order] = [model.get("n"), model.get("d"), model.get("order")];
      const units = unitsPerNumber(n, d);
      const [first, second] = lines(n, d, order);
      drawing.replaceChildren(...line(first, 0, units), ...line(second, TALLEST + LABEL + 18, units));
      const [rows, columns] = order === "qk_first" ? [n, n] : [d, d];
      node.setAttribute("aria-label", `The matrices drawn to scale. ${MIDDLE[order]} comes first and is ${rows} by ` +
        `${columns}; Q, K and V are ${n} by ${d}.`);
    },
  };
}

/** What stands in each of the two lines: the three matrices, then what the brackets become. */
function lines(n: number, d: number, order: Order): [(Piece | Sign)[], (Piece | Sign)[]] {
  const q: Piece = { name: "Q", kind: "q", rows: n, columns: d };
  const k: Piece = { name: "Kᵀ", kind: "k", rows: d, columns: n };
  const v: Piece = { name: "V", kind: "v", rows: n, columns: d };
  const side = order === "qk_first" ? n : d;
  const middle: Piece = { name: MIDDLE[order], kind: "middle", rows: side, columns: side };
  const out: Piece = { name: "O", kind: "out", rows: n, columns: d };
  return order === "qk_first"
    ? [["(", q, k, ")", v], ["=", middle, v, "=", out]]
    : [[q, "(", k, v, ")"], ["=", q, middle, "=", out]];
}

const widthOf = (part: Piece | Sign, units: number) =>
  typeof part === "string" ? (part === "=" ? 12 : 7) : Math.max(part.columns * units, NARROWEST);

function line(parts: (Piece | Sign)[], top: number, units: number): SVGElement[] {
  const total = parts.reduce((sum, part) => sum + widthOf(part, units), GAP * (parts.length - 1));
  let x = (WIDTH - total) / 2;
  return parts.flatMap((part) => {
    const width = widthOf(part, units);
    const middle = x + width / 2;
    x += width + GAP;
    return typeof part === "string" ? [sign(part, middle, top)] : matrix(part, middle, top, units);
  });
}

function sign(kind: Sign, x: number, top: number): SVGElement {
  const middle = top + TALLEST / 2;
  if (kind === "=") return svg("text", { class: "fe-equals", x, y: middle, dy: "0.35em", "text-anchor": "middle" }, "=");
  const bow = kind === "(" ? -7 : 7;
  return svg("path", { class: "fe-bracket", d: `M${x - bow / 2} ${top - 3}q${bow} ${TALLEST / 2 + 3} 0 ${TALLEST + 6}` });
}

function matrix({ name, kind, rows, columns }: Piece, x: number, top: number, units: number): SVGElement[] {
  const [width, height] = [Math.max(columns * units, 1), Math.max(rows * units, 1)];
  const below = top + TALLEST + 14;
  return [
    svg("rect", { class: `fe-${kind}`, x: x - width / 2, y: top + (TALLEST - height) / 2, width, height }),
    svg("text", { class: "fe-name", x, y: below, "text-anchor": "middle" }, name),
    svg("text", { x, y: below + 13, "text-anchor": "middle" }, `${rows} × ${columns}`),
  ];
}
