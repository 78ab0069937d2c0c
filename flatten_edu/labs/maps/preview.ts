// The first view, kept small with the page's state, so that it stands there before any file has arrived.
import type { MapsModel, Picture } from "./state";

const decode = (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

export function isPreview(model: MapsModel): boolean {
  const { state } = model.get("preview");
  return state !== undefined && Object.entries(state).every(([trait, value]) => model.get(trait as "p") === value);
}

export function previewPicture(model: MapsModel): Picture | null {
  const { size, pixels } = model.get("preview");
  return size && pixels ? { size, pixels: decode(pixels) } : null;
}

/** The row that a model shows in the first view; null in another view. */
export function previewRow(model: MapsModel, index: number): Float64Array | null {
  const text = isPreview(model) ? model.get("preview").rows?.[index] : undefined;
  return text === undefined ? null : Float64Array.from(new Float32Array(decode(text).buffer));
}

export type Painted = ReturnType<typeof paintedOf>;

/** Of whole rows, the query's among them, the class token included: what is painted, over the patches alone, and its largest
 * magnitude. */
export function paintedOf(rows: Float64Array[], patch: number, offset: number) {
  const painted = rows.map((row) => row.subarray(offset));
  let top = 0;
  for (const one of painted) for (let j = 0; j < one.length; j++) top = Math.max(top, Math.abs(one[j]));
  return { row: rows[patch], rows, painted, top };
}
