// The traits of the lab `maps` (Python: MapsLab), and what follows from them.
import type { LabModel } from "../frame";
import type { Kind } from "../frame/maths/attention_maps";
import type { Variant } from "../frame/maths/deit";

/** Height and width; red, green and blue of each pixel, row after row. */
export interface Picture { size: [number, number]; pixels: ArrayLike<number> & object }

export interface Entry {
  name: string;
  title: string;
  kind: Kind;
  heads: number;
  per_head: boolean;
  /** Whether its map is shown with the convolution's share. */
  dwc: boolean;
  /** Whether p moves it; the ReLU model's features only on request. */
  moves: boolean;
  trained_p: number | null;
  accuracy: number | null;
  /** The lab's file with its weights, for models that can run in the page. */
  file: string | null;
  file_bytes?: number;
  variant: Variant | null;
  logits: number[][];
}

export interface MapsTraits {
  picture: number;
  block: number;
  head: number;
  patch: number;
  p: number;
  on_relu: boolean;
  inside: boolean;
  display: "overlay" | "matrix";
  channel: number;
  by_value: boolean;
  common_scale: boolean;
  grid: [number, number];
  class_token: boolean;
  models: Entry[];
  pictures: { name: string; label: string; about: string }[];
  classes: string[];
  blocks: number;
  heads: number;
  channels: number;
  source: string;
  standard: { mean?: number[]; deviation?: number[]; size?: number };
  tokens: DataView | null;
  preview: { state?: Record<string, unknown>; size?: [number, number]; pixels?: string; rows?: string[] };
}

export type MapsModel = LabModel<MapsTraits>;

/** What is shown: the traits, within what there is; a link may name a picture or a patch that this lab does not have. */
export function chosen(model: MapsModel) {
  const within = (trait: "picture" | "block" | "head" | "patch" | "channel", count: number) => Math.min(model.get(trait), count - 1);
  const grid = model.get("grid");
  return {
    picture: within("picture", model.get("pictures").length),
    block: within("block", model.get("blocks")),
    head: within("head", model.get("heads")),
    patch: within("patch", grid[0] * grid[1]),
    channel: within("channel", model.get("channels")),
    grid,
    /** Where the patches begin among the tokens. */
    offset: model.get("class_token") ? 1 : 0,
  };
}

export const follows = (model: MapsModel, entry: Entry) => entry.moves || (entry.kind === "relu" && model.get("on_relu"));

/** The p of a model's map: the slider's, or 1, which is plain ReLU. */
export const focusing = (model: MapsModel, entry: Entry) => (follows(model, entry) ? model.get("p") : 1);

/** The p that a model was trained with; 1 for the one without f_p. */
export const trained = (entry: Entry) => entry.trained_p ?? 1;

/** Whether a map is of features that were trained for another p. Nobody knows of a reader's own. */
export const whatIf = (model: MapsModel, entry: Entry) =>
  entry.file !== null && entry.kind !== "softmax" && focusing(model, entry) !== trained(entry);

export const slug = (entry: Entry) => entry.title.replace(/\W+/g, "_").toLowerCase();

export const canRun = (model: MapsModel) => model.get("models").some((entry) => entry.file !== null);
