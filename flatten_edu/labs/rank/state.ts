// The traits of the lab `rank` (Python: RankLab), and what of them is in force.
import type { LabModel } from "../frame/lab";
import type { Grid } from "../frame/maths/rank_maps";

export type Convolution = "random" | "given" | "zero" | "minus_impulse" | "right_neighbour";
export type Source = "random" | "given";

/** What the lab was given beside its settings: shapes and names; heads or channels are 0 where there are none. */
export interface Index {
  /** What its button says: "trained", "yours". */
  name: string;
  /** A sentence on where it comes from. */
  about: string;
  /** The sets of tokens and kernels to choose from: blocks of a model. */
  layers: string[];
  heads: number;
  d: number;
  grid: [number, number];
  channels: number;
  sides: [number, number];
}

export interface RankTraits {
  grid: [number, number];
  d: number;
  p: number;
  convolution: Convolution;
  channel: number;
  wrapped: boolean;
  tolerance: number;
  seed: number;
  source: Source;
  layer: number;
  head: number;
  step: number;
  index: Index;
  tokens_q: DataView | null;
  tokens_k: DataView | null;
  kernels: DataView | null;
}

export type RankModel = LabModel<RankTraits>;

export const KERNEL_SIDE = 5;

/** The traits as they apply together: a link may name what this page's data do not have. */
export interface Setting {
  source: Source;
  convolution: Convolution;
  grid: Grid;
  n: number;
  d: number;
  heads: number;
  head: number;
  layer: number;
  channels: number;
  channel: number;
}

export function setting(model: RankModel): Setting {
  const index = model.get("index");
  const source = index.heads > 0 ? model.get("source") : "random";
  const wanted = model.get("convolution");
  const convolution = wanted === "given" && index.channels === 0 ? "random" : wanted;
  const own = source === "given";
  const grid = own ? index.grid : model.get("grid");
  const [d, heads] = own ? [index.d, index.heads] : [model.get("d"), 1];
  const channels = convolution === "given" ? index.channels : convolution === "random" ? d : 1;
  return {
    source, convolution, grid, n: grid[0] * grid[1], d, heads, channels,
    head: Math.min(model.get("head"), heads - 1),
    layer: Math.min(model.get("layer"), Math.max(index.layers.length, 1) - 1),
    channel: Math.min(model.get("channel"), channels - 1),
  };
}

/** The traits that a link to a view carries. */
export const shared = [
  "grid", "d", "p", "convolution", "channel", "wrapped", "tolerance", "seed", "source", "layer", "head", "step",
] as const;

export const MOST_CELLS = 256;
export const LARGEST_D = 256;
const CONVOLUTIONS: unknown[] = ["random", "given", "zero", "minus_impulse", "right_neighbour"];

const isWhole = (v: unknown, from: number, to: number) => Number.isInteger(v) && (v as number) >= from && (v as number) <= to;

/** Whether a value that came with a link will do for a trait: RankLab's limits. */
export function accepts(trait: (typeof shared)[number], value: unknown): boolean {
  switch (trait) {
    case "grid":
      return Array.isArray(value) && value.length === 2 && value.every((side) => isWhole(side, 1, MOST_CELLS)) &&
        isWhole(value[0] * value[1], 2, MOST_CELLS);
    case "d": return isWhole(value, 1, LARGEST_D);
    case "p": return Number.isFinite(value) && (value as number) >= 1 && (value as number) <= 256;
    case "convolution": return CONVOLUTIONS.includes(value);
    case "source": return value === "random" || value === "given";
    case "wrapped": return typeof value === "boolean";
    case "tolerance": return value === 0 || (Number.isFinite(value) && (value as number) >= 1e-15 && (value as number) <= 0.5);
    case "seed": return isWhole(value, 0, 2 ** 32 - 1);
    case "channel": return isWhole(value, 0, 1023);
    case "layer":
    case "head": return isWhole(value, 0, 63);
    case "step": return isWhole(value, 0, 3);
  }
}
