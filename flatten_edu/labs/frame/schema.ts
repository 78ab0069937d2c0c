// What a reader may set: rules that Python declares (settings.py) and that come with the lab's state.

export type Rule =
  | { kind: "number"; least: number; most: number; besides: number | null }
  | { kind: "whole"; least: number; most: number }
  | { kind: "choice"; of: readonly unknown[] }
  | { kind: "flag" }
  | { kind: "vector"; length: [number, number]; least: number; most: number }
  | { kind: "rows"; rows: [number, number]; columns: [number, number]; least: number; most: number }
  | { kind: "grid"; most: number };

export type Rules = Record<string, Rule>;

const isNumber = (value: unknown): value is number => typeof value === "number";
const within = (value: unknown, { least, most }: { least: number; most: number }) => isNumber(value) && value >= least && value <= most;
const spans = (count: number, [fewest, most]: [number, number]) => count >= fewest && count <= most;

/** Whether a value keeps a rule: twin of `allows`. */
export function allows(rule: Rule, value: unknown): boolean {
  switch (rule.kind) {
    case "number": return within(value, rule) || (rule.besides !== null && value === rule.besides);
    case "whole": return Number.isInteger(value) && within(value, rule);
    case "choice": return rule.of.includes(value);
    case "flag": return typeof value === "boolean";
    case "vector": return isRow(value, rule, rule.length);
    case "rows":
      return Array.isArray(value) && spans(value.length, rule.rows) &&
        value.every((row) => isRow(row, rule, rule.columns) && row.length === value[0].length);
    case "grid": {
      const sides = Array.isArray(value) && value.length === 2 && value.every((side) => Number.isInteger(side) && side >= 1) ? value : [0, 0];
      return within(sides[0] * sides[1], { least: 2, most: rule.most });
    }
  }
}

const isRow = (value: unknown, rule: { least: number; most: number }, length: [number, number]): value is number[] =>
  Array.isArray(value) && spans(value.length, length) && value.every((entry) => within(entry, rule));
