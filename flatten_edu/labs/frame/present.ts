// The lab alone on the screen, for a wall: as large as its width allows.
import { button } from "./dom";

const WIDEST = 1240; // of a lab, in the page's pixels: beyond it, all grows

export function presentButton(lab: HTMLElement, signal: AbortSignal): HTMLElement {
  const node = button(signal, () => {
    if (document.fullscreenElement) return document.exitFullscreen();
    lab.style.setProperty("--fe-present", String(Math.max(1, screen.width / WIDEST)));
    return lab.requestFullscreen();
  }, { class: "fe-present", hidden: !document.fullscreenEnabled }, "Present");
  document.addEventListener("fullscreenchange", () => {
    node.textContent = document.fullscreenElement === lab ? "Leave" : "Present";
  }, { signal });
  return node;
}
