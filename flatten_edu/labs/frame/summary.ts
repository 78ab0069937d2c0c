// A sentence or two on what the reader is looking at; read aloud once it rests, for nobody wants to hear every step.
import { h, plain, rich } from "./dom";
import type { Part } from "./model";

/** For a screen reader alone: `say` is heard once no other has come for so many milliseconds. */
export function spokenLine(rest = 600): { node: HTMLElement; say(text: string): void; stop(): void } {
  const node = h("p", { class: "fe-spoken", role: "status" });
  let timer = 0;
  return {
    node,
    say(text) {
      clearTimeout(timer);
      timer = setTimeout(() => { node.textContent = text; }, rest);
    },
    stop: () => clearTimeout(timer),
  };
}

/** `says` gives the text, or null while its view is hidden; it may hold what `rich` sets. */
export function summary(says: () => string | null, rest?: number): Part {
  const text = h("p", { "aria-hidden": "true" });
  const spoken = spokenLine(rest);
  let shown = "";
  return {
    node: h("div", { class: "fe-summary" }, text, spoken.node),
    update() {
      const now = says();
      if (now === null) return spoken.stop();
      if (now === shown) return;
      shown = now;
      text.replaceChildren(...rich(now));
      spoken.say(plain(now));
    },
    remove: spoken.stop,
  };
}
