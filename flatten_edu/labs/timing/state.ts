// The traits of the lab `timing` (Python: TimingLab).
import type { LabModel } from "../frame";
import type { Task } from "./backend";
import type { TimingRecord } from "./record";
import type { Device } from "./worker";

export interface TimingTraits extends Task {
  device: Device;
  /** Seconds that a run may take, about. */
  budget: number;
  /** Where the reader expects the crossover; 0 for no guess. */
  guess: number;
  /** What is drawn beside the reader's own times. */
  beside: "shipped" | "other";
  /** Whether the book's record is shown before the reader has guessed or timed. */
  uncovered: boolean;
  /** The reader's own run, as far as it has come. */
  own: TimingRecord | null;
  /** A run of before, or one from a file. */
  other: TimingRecord | null;
  /** Records that come with the book: measured elsewhere. */
  shipped: TimingRecord[];
}

export type TimingModel = LabModel<TimingTraits>;

export const GUESSES = [
  0, 16, 20, 28, 32, 40, 49, 64, 80, 98, 128, 160, 196, 256, 320, 392, 512, 640, 784, 1024, 1280, 1568, 2048, 3136, 4096, 6272, 8192, 12544,
];

export const task = (model: TimingModel): Task => ({ d: model.get("d"), p: model.get("p"), dwc: model.get("dwc") });

/** Whether a record was measured in this browser, and as the lab is set. */
export function isOfThis({ settings, device, versions }: TimingRecord, model: TimingModel): boolean {
  const { d, p, dwc } = task(model);
  const alike = device.kind === model.get("device") && settings.head_dim === d && settings.p === p && settings.dwc === dwc;
  return alike && versions.user_agent === navigator.userAgent;
}

/** Whether the book's record is kept back: it would answer the question before the reader has. */
export const isCovered = (model: TimingModel) =>
  !(model.get("uncovered") || model.get("guess") || model.get("own") || model.get("other"));

/** The record beside the reader's own: the chosen one, or of those that come with the book the one at this d. */
export function besideOf(model: TimingModel): TimingRecord | null {
  if (isCovered(model)) return null;
  const [other, shipped] = [model.get("other"), model.get("shipped")];
  if (model.get("beside") === "other" && other) return other;
  return shipped.find(({ settings }) => settings.head_dim === model.get("d")) ?? shipped[0] ?? null;
}
