// What the lab asks of its worker: the spectra of four maps, and both sides of the determinant lemma.
import { determinantLemma, type DeterminantLemma } from "./rank_lemma";
import type { Matrix } from "./rank_maps";
import { numericalRank, singularValues } from "./rank_spectrum";

export const MAP_NAMES = ["linear", "dwc", "equivalent", "softmax"] as const;
export type MapName = (typeof MAP_NAMES)[number];
export type PerMap<T> = Record<MapName, T>;

export interface Question {
  id: number;
  n: number;
  /** The matrices that changed since the last question. */
  maps: Partial<PerMap<Matrix>>;
  u: Matrix;
  w: Matrix;
}

export interface Findings {
  id: number;
  /** Singular values, largest first. */
  spectra: PerMap<Float64Array>;
  /** null where M_DWC's numerical rank, by NumPy's tolerance, is below N. */
  lemma: DeterminantLemma | null;
}

/** Answers questions, and keeps what did not change between two of them. */
export class Student {
  private readonly maps: Partial<PerMap<Matrix>> = {};
  private readonly spectra: Partial<PerMap<Float64Array>> = {};

  answer({ id, n, maps, u, w }: Question): Findings {
    for (const name of MAP_NAMES) {
      const matrix = maps[name];
      if (!matrix) continue;
      this.maps[name] = matrix;
      this.spectra[name] = singularValues(matrix, n);
    }
    const spectra = { ...this.spectra } as PerMap<Float64Array>;
    const { dwc, equivalent } = this.maps as PerMap<Matrix>;
    const invertible = numericalRank(spectra.dwc) === n;
    return { id, spectra, lemma: invertible ? determinantLemma(dwc, equivalent, u, w, n) : null };
  }
}
