// Small helpers to build a lab's elements.

export type Child = Node | string | null;
type Attributes = Record<string, string | number | boolean | null>;

function fill<E extends Element>(node: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false) continue;
    node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K, attributes: Attributes = {}, ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K, attributes: Attributes = {}, ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

export function button(signal: AbortSignal, act: () => unknown, attributes: Attributes, ...children: Child[]): HTMLButtonElement {
  const node = h("button", { type: "button", ...attributes }, ...children);
  node.addEventListener("click", act, { signal });
  return node;
}

/** What a key means, by the key; others, and those with Ctrl, Alt or Meta, are left to the page. */
export function meaning<T>(event: KeyboardEvent, keys: Record<string, T>): T | undefined {
  const found = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
  if (found === undefined) return undefined;
  event.preventDefault();
  event.stopPropagation(); // JupyterLab would move to another cell
  return found;
}

export const tableHead = (...titles: Child[]) =>
  h("thead", {}, h("tr", {}, ...titles.map((title) => h("th", { scope: "col" }, title))));

/** A figure that a reader can read off, and a test too: the text is rounded, `data-value` is not. */
export class Readout {
  readonly node: HTMLOutputElement;

  constructor(name: string, private readonly format: (value: number) => string) {
    // An <output> is a live region by default; a lab has dozens of them, so only its one summary line speaks.
    this.node = h("output", { "data-name": name, "aria-live": "off" });
  }

  set(value: number): void {
    this.node.dataset.value = String(value);
    this.node.textContent = Number.isFinite(value) ? this.format(value) : "–";
  }
}

const MARK = /(\*[^*]*\*|[_^]\{[^{}]*\}|\{\w+\})/;

/** Text in which *p* is set in italics, as a symbol is, _{m} as a subscript and ^{*p*} as a superscript.
 *
 * In the place of {name} stands the part of that name, often a Readout's node.
 */
export function rich(text: string, parts: Record<string, Node> = {}): (Node | string)[] {
  return text.split(MARK).filter(Boolean).map((piece) => {
    if (!MARK.test(piece)) return piece;
    if (piece[0] === "{") return parts[piece.slice(1, -1)];
    if (piece[0] === "*") return h("i", {}, ...rich(piece.slice(1, -1), parts));
    return h(piece[0] === "_" ? "sub" : "sup", {}, ...rich(piece.slice(2, -1), parts));
  });
}

/** The same without its marks, for where only text can stand. */
export const plain = (text: string) => text.replaceAll("*", "").replace(/[_^]\{([^}]*)\}/g, "$1");

// Each lab is a bundle with a counter of its own: the letters keep those of two labs on one page apart.
const bundle = Math.random().toString(36).slice(2, 8);
let count = 0;
/** An id that no other lab on the page has. */
export const uniqueId = (stem: string) => `fe-${stem}-${bundle}-${(count += 1)}`;
