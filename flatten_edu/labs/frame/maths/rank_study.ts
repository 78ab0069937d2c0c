// What the lab asks of its worker: the spectra of four maps, and both sides of the determinant lemma.
import { determinantLemma, type DeterminantLemma } from "./rank_lemma";
import type { Matrix } from "./rank_maps";
import { numericalRank, singularValues } from "./rank_spectrum";

export const MAP_NAMES = ["linear", "dwc", "equivalent", "softmax"] as const;
export type MapName = (typeof MAP_NAMES)[number];
export type PerMap<T> = Record<MapName, T>;

/** Of the maps two with the same key are the same. */
export interface Question { n: number; maps: PerMap<Matrix>; keys: PerMap<number>; u: Matrix; w: Matrix }

/** Singular values, largest first; no lemma where M_DWC's numerical rank, by NumPy's tolerance, is below N. */
export interface Findings { spectra: PerMap<Float64Array>; lemma: DeterminantLemma | null }

/** Answers questions, and keeps the spectra of maps that did not change between two of them. */
export class SpectrumCache {
  private readonly known: Partial<PerMap<{ key: number; values: Float64Array }>> = {};

  answer({ n, maps, keys, u, w }: Question): Findings {
    for (const name of MAP_NAMES) {
      if (this.known[name]?.key !== keys[name]) this.known[name] = { key: keys[name], values: singularValues(maps[name], n) };
    }
    const spectra = Object.fromEntries(MAP_NAMES.map((name) => [name, this.known[name]!.values])) as PerMap<Float64Array>;
    const invertible = numericalRank(spectra.dwc) === n;
    return { spectra, lemma: invertible ? determinantLemma(maps.dwc, maps.equivalent, u, w, n) : null };
  }
}
