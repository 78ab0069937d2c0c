// The traits of the lab `rank` (Python: RankLab), and what of them is in force.
import type { LabModel } from "../frame";
import type { Grid, NamedKernel } from "../frame/maths/rank_maps";

/** What the lab was given beside its settings: shapes and names; heads or channels are 0 where there are none. */
interface Index {
  /** What its button says, "trained" or "yours", and a sentence on where it comes from. */
  name: string;
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
  convolution: "random" | "given" | NamedKernel;
  channel: number;
  wrapped: boolean;
  tolerance: number;
  seed: number;
  source: "random" | "given";
  layer: number;
  head: number;
  index: Index;
  /** q and k [layers, heads, n, d], kernel [layers, channels, sides]: those that were given. */
  tokens: DataView | null;
}

export type RankModel = LabModel<RankTraits>;

export const KERNEL_SIDE = 5;

export type Setting = ReturnType<typeof setting>;

/** The traits as they apply together: a link may name what this page's data do not have. */
export function setting(model: RankModel) {
  const index = model.get("index");
  const source = index.heads > 0 ? model.get("source") : "random";
  const wanted = model.get("convolution");
  const convolution = wanted === "given" && index.channels === 0 ? "random" : wanted;
  const own = source === "given";
  const grid: Grid = own ? index.grid : model.get("grid");
  const [d, heads] = own ? [index.d, index.heads] : [model.get("d"), 1];
  const channels = convolution === "given" ? index.channels : convolution === "random" ? d : 1;
  return {
    source, convolution, grid, n: grid[0] * grid[1], d, heads, channels,
    head: Math.min(model.get("head"), heads - 1),
    layer: Math.min(model.get("layer"), Math.max(index.layers.length, 1) - 1),
    channel: Math.min(model.get("channel"), channels - 1),
  };
}
