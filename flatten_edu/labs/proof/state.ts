// The traits of the lab `proof` (Python: ProofLab), and what its views compute from them.
import { Memo, significant, type LabModel } from "../frame";
import { angleDegrees, dot, focusedMap, largestCoordinate, norm } from "../frame/maths/attention";
import { byLargest, direction, focusedCosine, proposition, type Verdict } from "../frame/maths/proposition";

export interface ProofTraits {
  x: number[];
  y: number[];
  p: number;
  stage: number;
}

export type ProofModel = LabModel<ProofTraits>;

export type Figures = ReturnType<typeof figures>;

/** All figures of a pair at a p; NaN where a vector is zero, or has no single largest entry where one is needed. */
export function figures(model: ProofModel) {
  const [x, y, p] = [model.get("x"), model.get("y"), model.get("p")];
  const [fx, fy] = [focusedMap(x, p), focusedMap(y, p)];
  const largest = { x: largestCoordinate(x), y: largestCoordinate(y) }; // indices, -1 where there is none
  const powers = (v: number[]) => byLargest(v).map((entry) => entry ** p);
  return {
    norms: { x: norm(x), y: norm(y), fx: norm(fx), fy: norm(fy) },
    // Of the vectors themselves, at p = 1, and now.
    cosine: { first: focusedCosine(x, y, 1), now: focusedCosine(x, y, p) },
    angle: { first: angleDegrees(x, y), now: angleDegrees(fx, fy) },
    inner: { first: dot(x, y), now: dot(fx, fy) },
    powers: { x: powers(x), y: powers(y) },
    largest,
    // How far each unit vector is from the basis vector of its largest entry.
    toAxis: { x: distanceToAxis(x, p, largest.x), y: distanceToAxis(y, p, largest.y) },
  };
}

function distanceToAxis(x: number[], p: number, m: number): number {
  if (m < 0) return NaN;
  return norm(direction(x, p).map((entry, i) => entry - (i === m ? 1 : 0)));
}

/** The verdict on a pair, kept until a vector changes: it needs a scan over p, and p itself has no part in it. */
export function verdictOf(model: ProofModel): () => Verdict {
  const memo = new Memo();
  return () => memo.keep("verdict", [JSON.stringify([model.get("x"), model.get("y")])], () => proposition(model.get("x"), model.get("y")));
}

/** Vectors of one length, whatever a broken link holds: the shorter one gets zeros, which change no angle. */
export function matched(model: ProofModel): ProofModel {
  const padded = (trait: "x" | "y") => resized(model.get(trait), Math.max(model.get("x").length, model.get("y").length));
  return {
    ...model,
    get: (name) => (name === "x" || name === "y" ? padded(name) : model.get(name)) as ProofTraits[typeof name],
    set: (name, value) => model.set(name, value),
    save_changes: () => model.save_changes(),
    on: (event, handler) => model.on(event, handler),
    off: (event, handler) => model.off(event, handler),
  };
}

export const pOf = (p: number) => significant(p, 4);

export const resized = (v: readonly number[], d: number) => Array.from({ length: d }, (_, i) => v[i] ?? 0);
