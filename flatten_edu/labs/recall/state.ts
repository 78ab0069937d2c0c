// The traits of the lab `recall` (Python: RecallLab), and what is stored as they say.
import { formatP, tensorsOf, type Grid, type LabModel } from "../frame";
import { patchesOf, type KernelName, type Kind, type Store } from "../frame/maths/recall";

export type Curve = "weight" | "correlation" | "right";

export interface RecallTraits {
  p: number;
  side: 14 | 10 | 7;
  d: number;
  noise: number;
  length: number;
  values: "photo" | "noise" | "own";
  removed: boolean;
  kernel: KernelName;
  asked: "in place" | "in another order";
  curve: Curve;
  seed: number;
  grid: [number, number];
  picture: DataView | null;
  /** q and k [n, d], v [n, e]: a reader's own. */
  tokens: DataView | null;
}

export type RecallModel = LabModel<RecallTraits>;

export const PIXELS = 140; // of the stored picture's sides

/** The pictures of the lab, by kind and p. */
export interface Panel { name: "softmax" | "linear" | "focused"; kind: Kind; p: number; title: string }

export const panelsOf = (p: number): Panel[] => [
  { name: "softmax", kind: "softmax", p: 1, title: "softmax" },
  { name: "linear", kind: "focused", p: 1, title: "linear, p = 1" },
  { name: "focused", kind: "focused", p, title: `focused, p = ${formatP(p)}` },
];

/** What the traits store: two with the same key store the same. */
export interface Setting { key: string; source: "photo" | "noise" | "own" | "given"; n: number; d: number; grid: Grid; store(): Store }

/** Makes settings, and holds the reader's own photograph: it is no trait, so no kernel gets it. */
export class Settings {
  photograph: Uint8ClampedArray | null = null;
  private taken = 0;

  constructor(private readonly model: RecallModel) {}

  take(photograph: Uint8ClampedArray): void {
    this.photograph = photograph;
    this.taken += 1;
  }

  /** The setting as it is, or with another side; null while data that were promised have not arrived. */
  make(wantedSide?: number): Setting | null {
    const { model } = this;
    const given = tensorsOf(model.get("tokens"));
    const picture = tensorsOf(model.get("picture")).get("picture");
    const source = given.size ? "given" : model.get("values") === "own" && !this.photograph ? "photo" : model.get("values");
    if (source === "photo" && !picture) return null;
    const side = wantedSide ?? model.get("side");
    const [q, k, v] = ["q", "k", "v"].map((name) => given.get(name));
    const plain = {
      grid: q ? model.get("grid") : [side, side] as const, d: q ? q.shape[1] : model.get("d"), noise: model.get("noise"),
      length: model.get("length"), seed: model.get("seed"), kernel: model.get("kernel"), inPlace: model.get("asked") === "in place",
    };
    const values = () => v ? v.data : source === "noise" ? null : patchesOf(source === "own" ? this.photograph! : picture!.data, PIXELS, side);
    return {
      key: JSON.stringify([plain, source, this.taken]), source, n: plain.grid[0] * plain.grid[1], d: plain.d, grid: plain.grid,
      store: () => ({ ...plain, own: q && k ? { q: q.data, k: k.data } : null, values: values() }),
    };
  }
}
