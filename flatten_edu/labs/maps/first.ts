// The first view, kept small with the page's state, so that it stands there before any file has arrived.
import type { Picture } from "./engine";
import type { MapsModel } from "./state";

function decode(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** Whether the traits are those of the first view. */
export function isFirst(model: MapsModel): boolean {
  const { state } = model.get("first");
  return state !== undefined && Object.entries(state).every(([trait, value]) => model.get(trait as "p") === value);
}

export function firstPicture(model: MapsModel): Picture | null {
  const { size, pixels } = model.get("first");
  return size && pixels ? { size, pixels: decode(pixels) } : null;
}

/** The row that a model shows in the first view; null in another view. */
export function firstRow(model: MapsModel, index: number): Float64Array | null {
  const text = isFirst(model) ? model.get("first").rows?.[index] : undefined;
  return text === undefined ? null : Float64Array.from(new Float32Array(decode(text).buffer));
}
