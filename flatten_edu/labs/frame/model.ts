// The model that a lab is a view of, and what its views are.
import { h } from "./dom";
import type { Rules } from "./schema";

/** The part of an anywidget model that labs use. On a static page mount.ts provides it; there it also has a link. */
export interface LabModel<Traits> {
  get<K extends keyof Traits & string>(name: K): Traits[K];
  set<K extends keyof Traits & string>(name: K, value: Traits[K]): void;
  save_changes(): void;
  on(event: string, handler: () => void): void;
  off(event: string, handler: () => void): void;
  /** On a static page: one of the lab's files; under a kernel it is asked for by a message. */
  file?(name: string): Promise<DataView>;
  link?(): string;
  /** On a published page: the address of another lab's page. */
  lab?(name: string): string | undefined;
  /** On a static page: a trait as the page has it, whatever a link set. */
  initial?<K extends keyof Traits & string>(name: K): Traits[K];
}

export interface View {
  update(): void;
  /** Undo what the removal of the lab's own elements does not undo. */
  remove?(): void;
}

export type Part = View & { node: HTMLElement };

/** Several views as one, in an element that holds them. */
export function together(node: HTMLElement, parts: readonly View[]): Part {
  return {
    node,
    update: () => parts.forEach((part) => part.update()),
    remove: () => parts.forEach((part) => part.remove?.()),
  };
}

/** The same, one after the other in an element of a class. */
export const group = (name: string, parts: readonly Part[]) => together(h("div", { class: name }, ...nodesOf(parts)), parts);

export const nodesOf = (parts: readonly Part[]) => parts.map(({ node }) => node);

/** A model of one trait that is another view of a lab's own: a matrix's size, a grid as text. */
export function adapted<Trait>(
  model: Pick<LabModel<never>, "save_changes">, get: () => Trait[keyof Trait], set: (value: Trait[keyof Trait & string]) => void,
): LabModel<Trait> {
  return { get: get as LabModel<Trait>["get"], set: (_, value) => set(value), save_changes: () => model.save_changes(), on() {}, off() {} };
}

export interface RenderContext<Traits> { model: LabModel<Traits>; el: HTMLElement }

/** Set a trait from a control: the page and, under a kernel, Python see it. */
export function change<Traits, K extends keyof Traits & string>(model: LabModel<Traits>, name: K, value: Traits[K]): void {
  model.set(name, value);
  model.save_changes();
}

/** The rules of all settings: what a link carries and Reset brings back. */
export const rulesOf = <Traits>(model: LabModel<Traits>): Rules =>
  (model as unknown as LabModel<{ _rules: Rules }>).get("_rules") ?? {};
