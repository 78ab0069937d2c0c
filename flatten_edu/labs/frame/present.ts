// The lab alone on the screen, for a wall: as large as its width allows.
import { h } from "./dom";

const WIDEST = 1240; // of a lab, in the page's pixels: beyond it, all grows

export function presentButton(lab: HTMLElement, signal: AbortSignal): HTMLElement {
  const button = h("button", { type: "button", class: "fe-present" }, "Present");
  button.hidden = !document.fullscreenEnabled;
  button.addEventListener("click", async () => {
    if (document.fullscreenElement) return document.exitFullscreen();
    lab.style.setProperty("--fe-present", String(Math.max(1, screen.width / WIDEST)));
    await lab.requestFullscreen();
  }, { signal });
  document.addEventListener("fullscreenchange", () => {
    button.textContent = document.fullscreenElement === lab ? "Leave" : "Present";
  }, { signal });
  return button;
}
