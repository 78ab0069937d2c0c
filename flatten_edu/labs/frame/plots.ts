// Draws a page's Plotly figures in their stills' place: the bundle is fetched when the first of them comes near the screen,
// and text follows the page's colour scheme.
import { h } from "./dom";

interface Plotly {
  newPlot(host: HTMLElement, data: object[], layout: object, config: object): Promise<unknown>;
  relayout(host: HTMLElement, update: Record<string, unknown>): Promise<unknown>;
}

const CONFIG = { displayModeBar: false, responsive: true, doubleClick: "reset", showTips: false };
let bundle: Promise<Plotly> | undefined;

function load(address: string): Promise<Plotly> {
  bundle ??= new Promise((resolve, reject) => {
    const script = h("script", { src: address });
    script.onload = () => resolve((window as unknown as { Plotly: Plotly }).Plotly);
    script.onerror = () => reject(new Error(`${address} could not be fetched`));
    document.head.append(script);
  });
  return bundle;
}

/** What a figure takes from the page: ink, type and ground as they are now. */
function style(host: HTMLElement): Record<string, unknown> {
  const page = getComputedStyle(host);
  return {
    "font.color": page.color,
    "font.family": page.fontFamily,
    "hoverlabel.bgcolor": page.getPropertyValue("--pst-color-surface") || "#fff",
    "hoverlabel.font.color": page.color,
  };
}

async function draw(figure: HTMLElement): Promise<void> {
  const { data, layout } = JSON.parse(figure.querySelector("script")!.textContent!);
  const plotly = await load(new URL(figure.dataset.bundle!, document.baseURI).href);
  const coarse = matchMedia("(pointer: coarse)").matches;
  const host = h("div", { class: "fe-plot-live", role: "img", "aria-label": figure.dataset.alt! });
  figure.querySelector(".fe-plot-still")!.replaceWith(host);
  // A finger that drags scrolls the page.
  await plotly.newPlot(host, data, { ...layout, dragmode: coarse ? false : "zoom" }, CONFIG);
  const restyle = () => void plotly.relayout(host, style(figure));
  restyle();
  new MutationObserver(restyle).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  figure.dataset.state = "ready";
}

const near = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    draw(target as HTMLElement).catch((error) => {
      console.error(error); // the still stays
      (target as HTMLElement).dataset.state = "failed";
    });
  }
}, { rootMargin: "600px" });
for (const figure of document.querySelectorAll(".fe-plot")) near.observe(figure);
