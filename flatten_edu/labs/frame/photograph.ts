// A reader's own photograph: read in the page, and sent nowhere.
import { h } from "./dom";
import { centreSquare } from "./maths/pictures";

const LONGEST = 1024; // a photograph of 50 megapixels need not be read pixel by pixel
const READABLE = "image/jpeg,image/png,image/webp,image/gif,image/avif,image/bmp"; // by every browser

/** The file's centre square, brought to so many pixels a side: RGB. */
async function readSquare(file: File, size: number): Promise<Uint8ClampedArray> {
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

export const LEFT_BEHIND = "Your file stayed with the page that you left: choose it again.";

/** A button that asks for a file, and what is said of it. `take` is given each file that can be read, from there or elsewhere. */
export function ownPicture(signal: AbortSignal, size: () => number, take: (pixels: Uint8ClampedArray) => void) {
  const input = h("input", { type: "file", accept: READABLE });
  const message = h("span", { role: "status" });
  const read = async (file: File | undefined) => {
    if (!file) return;
    const pixels = await readSquare(file, size()).catch(() => null);
    message.textContent = pixels ? "" : `${file.name} cannot be read as a picture: choose a JPEG, PNG, WebP or GIF.`;
    if (pixels && !signal.aborted) take(pixels);
  };
  input.addEventListener("change", () => {
    void read(input.files?.[0]);
    input.value = ""; // the same file may be chosen again
  }, { signal });
  return { button: h("label", { class: "fe-file" }, input, h("span", {}, "Your own picture …")), message, read };
}
