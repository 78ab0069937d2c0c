// Which picture: one of the book's, or a file of the reader's, which is read here and sent nowhere.
import { change, h, LEFT_BEHIND, ownPicture, uniqueId, type Part } from "../frame";
import { drawPicture } from "./draw";
import type { Sources } from "./sources";
import { canRun, chosen, type MapsModel, type MapsTraits } from "./state";

export function pictures(
  model: MapsModel, sources: Sources, signal: AbortSignal, body: HTMLElement, redraw: () => void,
): Part {
  const group = uniqueId("picture");
  const row = h("div", { class: "fe-thumbs" });
  const size = () => model.get("standard").size ?? 28;
  const { button, message, read } = ownPicture(signal, size, (pixels) => {
    sources.take({ size: [size(), size()], pixels });
    change(model, "picture", -1);
    redraw(); // where the picture before was a file too, no trait has changed
  });
  const hint = h("p", { class: "fe-hint" }, "Or drop a file here. It is read in your browser and sent nowhere. ", message);
  const node = h("fieldset", { class: "fe-choice fe-pictures" }, h("legend", {}, "picture"), row, hint);
  let thumbs: ReturnType<typeof thumb>[] = [];
  let list: MapsTraits["pictures"] | null = null;

  const hover = (on: boolean) => (event: DragEvent) => {
    if (!canRun(model) || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    body.classList.toggle("fe-dropping", on);
  };
  body.addEventListener("dragover", hover(true), { signal });
  body.addEventListener("dragleave", hover(false), { signal });
  body.addEventListener("drop", (event) => {
    hover(false)(event);
    if (canRun(model)) void read(event.dataTransfer?.files[0]);
  }, { signal });

  function rebuild(): void {
    if (list === model.get("pictures")) return;
    list = model.get("pictures");
    const all = list.map(({ name, about }, i) => thumb(i, group, name, about));
    thumbs = canRun(model) ? [...all, thumb(-1, group, "your file", "your file")] : all;
    for (const { input, index } of thumbs) input.addEventListener("change", () => change(model, "picture", index), { signal });
    row.replaceChildren(...thumbs.map((one) => one.node), button);
    node.hidden = thumbs.length < 2;
  }

  return {
    node,
    update() {
      rebuild();
      const { picture } = chosen(model);
      for (const one of thumbs) {
        one.node.hidden = one.index < 0 && !sources.own;
        one.input.checked = one.index === (picture < 0 && !sources.own ? 0 : picture);
        one.draw(sources);
      }
      if (picture < 0 && !sources.own) message.textContent = LEFT_BEHIND;
    },
  };
}

function thumb(index: number, group: string, name: string, about: string) {
  const input = h("input", {
    type: "radio", name: group, value: String(index), "data-lm-suppress-shortcuts": "true",
    "aria-label": name === about ? name : `${name}: ${about}`,
  });
  const canvas = h("canvas", { width: 56, height: 56, "aria-hidden": "true" });
  let drawn: unknown = null;
  return {
    index, input, node: h("label", { class: "fe-thumb", title: about }, input, canvas),
    draw(sources: Sources): void {
      const picture = sources.picture(index, true);
      if (!picture || drawn === picture.pixels) return;
      drawn = picture.pixels;
      drawPicture(canvas, picture);
    },
  };
}
