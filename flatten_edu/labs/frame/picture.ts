// What is seen of a lab as a file, PNG: its elements as they stand, drawn by the browser itself.
import { button, h } from "./dom";

const SHARPER = 2; // pixels of the file for each of the page's

/** The lab without its last line of buttons, in the colours that it has now. */
export const pictureButton = (lab: HTMLElement, name: string, signal: AbortSignal) => button(signal, async () =>
  h("a", { href: (await drawn(lab)).toDataURL("image/png"), download: `${name}.png` }).click(), {}, "Save picture");

async function drawn(lab: HTMLElement): Promise<HTMLCanvasElement> {
  const { width, top } = lab.getBoundingClientRect();
  const height = lab.querySelector(".fe-link")!.getBoundingClientRect().top - top + 4; // what stands below stays out
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><foreignObject width="100%" height="100%">` +
    `${new XMLSerializer().serializeToString(copyOf(lab))}</foreignObject></svg>`;
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(drawing)}`;
  await image.decode();
  const canvas = h("canvas", { width: SHARPER * width, height: SHARPER * height });
  canvas.getContext("2d")!.drawImage(image, 0, 0, SHARPER * width, SHARPER * height);
  return canvas;
}

/** A copy that stands alone: with its style, with what canvases show and what controls are set to. */
function copyOf(lab: HTMLElement): HTMLElement {
  const copy = lab.cloneNode(true) as HTMLElement;
  const pairs = (kind: string) => [...lab.querySelectorAll(kind)].map((one, i) => [one, copy.querySelectorAll(kind)[i]] as const);
  for (const [input, twin] of pairs("input") as [HTMLInputElement, HTMLInputElement][]) {
    twin.setAttribute("value", input.value);
    twin.toggleAttribute("checked", input.checked);
  }
  const pictures = (pairs("canvas") as [HTMLCanvasElement, HTMLCanvasElement][]).map(([canvas, twin]) => {
    const { width, height } = canvas.getBoundingClientRect();
    return [twin, h("img", { src: canvas.toDataURL(), class: canvas.className, style: `width:${width}px;height:${height}px` })] as const;
  });
  for (const [twin, picture] of pictures) twin.replaceWith(picture);
  copy.querySelector(".fe-link")?.remove();
  const own = [...document.styleSheets].filter(({ href }) => !href || href.startsWith(location.origin)); // no others may be read
  const rules = own.flatMap((sheet) => [...sheet.cssRules]).map((rule) => rule.cssText);
  for (const name of new Set(rules.join().match(/--fe-[\w]+/g))) copy.style.setProperty(name, getComputedStyle(lab).getPropertyValue(name));
  copy.style.margin = "0";
  // The page's own rules count too, for its paragraphs and tables; a drawing may fetch no font.
  copy.prepend(h("style", {}, rules.filter((rule) => !/^@(font-face|import)/.test(rule)).join("\n").replaceAll("canvas", "img")));
  return copy;
}
