// Which picture: one of the book's, or a file of the reader's, which is read here and sent nowhere.
import { change, fileButton, h, readSquare, uniqueId, unreadable, type Part } from "../frame";
import { drawPicture } from "./draw";
import type { Sources } from "./sources";
import { canRun, chosen, type MapsModel, type MapsTraits } from "./state";

export function pictures(
  model: MapsModel, sources: Sources, signal: AbortSignal, body: HTMLElement, redraw: () => void,
): Part {
  const group = uniqueId("picture");
  const row = h("div", { class: "fe-thumbs" });
  const message = h("span", { role: "status" });
  const own = fileButton(signal, (file) => void take(file));
  const hint = h("p", { class: "fe-hint" }, "Or drop a file here. It is read in your browser and sent nowhere. ", message);
  const node = h("fieldset", { class: "fe-choice fe-pictures" }, h("legend", {}, "picture"), row, hint);
  let thumbs: Thumb[] = [];
  let list: MapsTraits["pictures"] | null = null;

  async function take(file: File | undefined): Promise<void> {
    if (!file) return;
    try {
      sources.take({ size: [size(), size()], pixels: await readSquare(file, size()) });
    } catch {
      message.textContent = unreadable(file);
      return;
    }
    if (signal.aborted) return;
    message.textContent = "";
    change(model, "picture", -1);
    redraw(); // where the picture before was a file too, no trait has changed
  }
  const size = () => model.get("standard").size ?? 28;

  const hover = (on: boolean) => (event: DragEvent) => {
    if (!canRun(model) || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    body.classList.toggle("fe-dropping", on);
  };
  body.addEventListener("dragover", hover(true), { signal });
  body.addEventListener("dragleave", hover(false), { signal });
  body.addEventListener("drop", (event) => {
    hover(false)(event);
    if (canRun(model)) void take(event.dataTransfer?.files[0]);
  }, { signal });

  function rebuild(): void {
    if (list === model.get("pictures")) return;
    list = model.get("pictures");
    const all = list.map(({ name, about }, i) => new Thumb(i, group, name, about));
    thumbs = canRun(model) ? [...all, new Thumb(-1, group, "your file", "your file")] : all;
    for (const thumb of thumbs) thumb.input.addEventListener("change", () => change(model, "picture", thumb.index), { signal });
    row.replaceChildren(...thumbs.map((thumb) => thumb.node), own);
    node.hidden = thumbs.length < 2;
  }

  return {
    node,
    update() {
      rebuild();
      const { picture } = chosen(model);
      for (const thumb of thumbs) {
        thumb.node.hidden = thumb.index < 0 && !sources.own;
        thumb.input.checked = thumb.index === (picture < 0 && !sources.own ? 0 : picture);
        thumb.draw(sources);
      }
      if (picture < 0 && !sources.own) message.textContent = "Your file stayed with the page that you left: choose it again.";
    },
  };
}

class Thumb {
  readonly input: HTMLInputElement;
  readonly node: HTMLElement;
  private readonly canvas = h("canvas", { width: 56, height: 56, "aria-hidden": "true" });
  private drawn: unknown = null;

  constructor(readonly index: number, group: string, name: string, about: string) {
    this.input = h("input", {
      type: "radio", name: group, value: String(index), "data-lm-suppress-shortcuts": "true",
      "aria-label": name === about ? name : `${name}: ${about}`,
    });
    this.node = h("label", { class: "fe-thumb", title: about }, this.input, this.canvas);
  }

  draw(sources: Sources): void {
    const picture = sources.picture(this.index, true);
    if (!picture || this.drawn === picture.pixels) return;
    this.drawn = picture.pixels;
    drawPicture(this.canvas, picture);
  }
}
