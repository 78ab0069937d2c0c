// A reader's own photograph: read in the page, and sent nowhere.
import { h } from "./dom";
import { centreSquare } from "./maths/pictures";

const LONGEST = 1024; // a photograph of 50 megapixels need not be read pixel by pixel
const READABLE = "image/jpeg,image/png,image/webp,image/gif,image/avif,image/bmp"; // by every browser

/** A button that asks for a file; `take` is given each that the reader chooses. */
export function fileButton(signal: AbortSignal, take: (file: File) => void): HTMLElement {
  const input = h("input", { type: "file", accept: READABLE });
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    if (file) take(file);
    input.value = ""; // the same file may be chosen again
  }, { signal });
  return h("label", { class: "fe-file" }, input, h("span", {}, "Your own picture …"));
}

/** The file's centre square, brought to so many pixels a side: RGB. */
export async function readSquare(file: File, size: number): Promise<Uint8ClampedArray> {
  const whole = await createImageBitmap(file);
  const square = Math.min(whole.width, whole.height); // cut first: a panorama keeps all of its height
  const side = Math.min(square, LONGEST);
  const context = h("canvas", { width: side, height: side }).getContext("2d", { willReadFrequently: true })!;
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#fff"; // what is transparent in a picture lies on a white page
  context.fillRect(0, 0, side, side);
  context.drawImage(whole, (whole.width - square) / 2, (whole.height - square) / 2, square, square, 0, 0, side, side);
  whole.close();
  return centreSquare(context.getImageData(0, 0, side, side).data, side, side, size);
}

/** What to say of a file that cannot be read. */
export const unreadable = (file: File) => `${file.name} cannot be read as a picture: choose a JPEG, PNG, WebP or GIF.`;
