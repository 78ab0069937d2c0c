// The button that copies a link to what the reader sees; only a published page has one.
import { button, h } from "./dom";
import type { LabModel, View } from "./model";

export function linkButton<Traits>(model: LabModel<Traits>, signal: AbortSignal): (View & { nodes: HTMLElement[] }) | null {
  if (!model.link) return null;
  const status = h("span", { role: "status" });
  const address = h("input", { type: "text", readonly: true, hidden: true, "aria-label": "link to this view" });
  const copy = async () => {
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
  };
  return {
    nodes: [button(signal, copy, {}, "Copy a link to this view"), status, address],
    update() {
      status.textContent = "";
      address.hidden = true;
    },
  };
}
