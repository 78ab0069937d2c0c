// The button that copies a link to what the reader sees; only a published page has one.
import { h } from "./dom";
import type { LabModel, View } from "./model";

const LABEL = "Copy a link to this view";

export function linkButton<Traits>(model: LabModel<Traits>, signal: AbortSignal): (View & { nodes: HTMLElement[] }) | null {
  if (!model.link) return null;
  const button = h("button", { type: "button" }, LABEL);
  const status = h("span", { role: "status" });
  const address = h("input", { type: "text", readonly: true, hidden: true, "aria-label": "link to this view" });
  button.addEventListener("click", async () => {
    const link = model.link!();
    try {
      await navigator.clipboard.writeText(link);
      status.textContent = "Link copied.";
    } catch {
      // No clipboard without a secure address, or without leave: the reader copies by hand.
      status.textContent = "Copy it from here:";
      address.value = link;
      address.hidden = false;
      address.select();
    }
  }, { signal });
  return {
    nodes: [button, status, address],
    update() {
      status.textContent = "";
      address.hidden = true;
    },
  };
}
