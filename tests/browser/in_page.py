"""Scripts that run a lab's own module inside its page, hundreds of cases in one call, and that watch what it leaves."""

import json

import numpy as np
from playwright.sync_api import Locator, Page, expect

from flatten_edu.labs.frame.lab import Lab, split_state

# Within a script: the lab's module, what its page says of it, and a model as a kernel or a page would give.
LAB = """
  const { esm, state, buffers, files } = JSON.parse(document.querySelector(".fe-mount script").textContent);
  const lab = await import(new URL(esm, document.baseURI));
  const bytesAt = async (url) => new DataView(await (await fetch(new URL(url, document.baseURI))).arrayBuffer());
  const asBytes = (values) => new DataView(Uint8Array.from(values).buffer);
  const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  const modelOf = (traits, handlers = new Set()) => ({
    handlers,
    get: (name) => traits[name] ?? (name === "_rules" ? state._rules : null),
    set: (name, value) => { traits[name] = value; handlers.forEach((f) => f()); },
    save_changes() {},
    on: (_, f) => handlers.add(f),
    off: (_, f) => handlers.delete(f),
  });
  const mountOn = (model) => {
    const el = document.createElement("div");
    document.body.append(el);
    return [el, lab.default.render({ model, el })];
  };
  const settled = async (el) => {
    await frame();
    while (el.querySelector("[aria-busy=true]")) await pause(5);
    await frame();
  };
  const figuresIn = (el) => Object.fromEntries(
    [...el.querySelectorAll("output[data-value]")].map((o) => [o.dataset.name, o.dataset.value]));
"""

VIEWS = f"""
async (cases) => {{
  {LAB}
  const traits = {{ ...state }};
  for (const [name, url] of Object.entries(buffers)) traits[name] = await bytesAt(url);
  const first = Object.fromEntries(Object.keys(state._rules).map((name) => [name, state[name]]));
  const model = modelOf(traits);
  const [el, remove] = mountOn(model);
  const found = [];
  for (const one of cases) {{
    for (const [name, value] of Object.entries({{ ...first, ...one }})) model.set(name, value);
    await settled(el);
    found.push({{
      figures: figuresIn(el),
      text: [...el.querySelectorAll("[role=tabpanel]:not([hidden]), .fe-body")].at(-1)?.innerText,
    }});
  }}
  remove();
  el.remove();
  return found;
}}
"""


def views(page: Page, cases: list[dict]) -> list[dict]:
    """For each case of settings what the lab shows: its figures and its text."""
    return [numbered(one) for one in page.evaluate(VIEWS, json.loads(json.dumps(cases)))]


def numbered(found: dict) -> dict:
    return found | {"figures": {name: float(value) for name, value in found["figures"].items()}}


GIVE = f"""
async ([traits, later]) => {{
  {LAB}
  const model = modelOf(traits);
  const [el, remove] = mountOn(model);
  const before = el.innerText;
  for (const [name, values] of Object.entries(later)) model.set(name, asBytes(values));
  await settled(el);
  const found = {{ before, text: el.innerText, figures: figuresIn(el) }};
  remove();
  const left = model.handlers.size + el.childElementCount;
  el.remove();
  return {{ ...found, left }};
}}
"""


def given(page: Page, lab: Lab) -> dict:
    """What a lab shows whose tensors come after its first paint; it says so before, and leaves nothing behind."""
    state, buffers = split_state(lab)
    found = numbered(page.evaluate(GIVE, [state, {name: list(content) for name, content in buffers.items()}]))
    assert "not arrived yet" in found["before"] and "not arrived yet" not in found["text"] and found["left"] == 0
    return found


def guided(page: Page, nth: int) -> str:
    """Press a guided step; what it says."""
    button = page.locator(".fe-step").nth(nth)
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")  # drawn with the next frame, as the text is
    return page.locator(".fe-look[data-shown=true]").inner_text()


def move_at_once(slider: Locator, stops: list[int]) -> None:
    """Several moves of a slider, of which the page draws none before the last."""
    slider.evaluate(
        "(slider, stops) => stops.forEach((stop) => {"
        " slider.value = stop; slider.dispatchEvent(new Event('input', { bubbles: true })); })",
        stops,
    )


FUZZ = """
async ({ seed, moves, wrong, wait }) => {
  let number = seed;
  const below = (n) => {
    number = (Math.imul(number, 1664525) + 1013904223) >>> 0;
    return Math.floor((number / 2 ** 32) * n);
  };
  const lab = document.querySelector(".fe-lab");
  const keys = ["ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown", "ArrowUp", "a"];
  const movable = (e) => e.checkVisibility() && !e.disabled && !["text", "file"].includes(e.type)
    && !/link/.test(e.textContent) && !e.closest(".fe-link");
  const unwanted = new RegExp(wrong);
  const bad = [];
  for (let i = 0; i < moves; i++) {
    const all = [...lab.querySelectorAll("input, button, [role=slider]")].filter(movable);
    const one = all[below(all.length)];
    if (one.type === "range") {
      one.value = below(10) < 3 ? one[below(2) ? "min" : "max"] : below(Number(one.max) + 1);
      one.dispatchEvent(new Event("input", { bubbles: true }));
    } else if (one.getAttribute("role") === "slider") {
      one.dispatchEvent(new KeyboardEvent("keydown", { key: keys[below(keys.length)], bubbles: true }));
    } else one.click();
    if (i % 7 === 0) lab.parentElement.style.width = `${300 + below(600)}px`;
    if (unwanted.test(lab.innerText)) bad.push(`move ${i}, ${one.outerHTML.slice(0, 90)}: ${lab.innerText}`);
    if (wait && below(20) === 0) await new Promise((done) => setTimeout(done, wait));
    if (below(4)) continue;
    await new Promise(requestAnimationFrame);
    if ([...lab.querySelectorAll("svg")].some((svg) => /NaN|undefined|Infinity/.test(svg.outerHTML))) bad.push(`svg, ${i}`);
  }
  lab.parentElement.style.width = "";
  return bad;
}
"""  # noqa: E501


def fuzz(page: Page, moves: int, seed: int = 1, wrong: str = "NaN|undefined|Infinity|null", wait: int = 0) -> list[str]:
    """Random moves of whatever can be moved, at random widths: what a reader must not see and saw, after each of them.

    Args:
        wrong: a pattern of words. wait: milliseconds that are waited now and then, for what comes from a worker.
    """
    return page.evaluate(FUZZ, {"seed": seed, "moves": moves, "wrong": wrong, "wait": wait})


FRAMES = """
async (control) => {
  const one = [...document.querySelectorAll(control)].find((e) => e.checkVisibility());
  const next = window.requestAnimationFrame.bind(window);
  const times = [];
  window.requestAnimationFrame = (f) => next((t) => {
    const from = performance.now();
    f(t);
    document.body.getBoundingClientRect();
    times.push(performance.now() - from);
  });
  for (let i = 0; i < 60; i++) {
    one.value = i % (Number(one.max) + 1);
    one.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise(next);
  }
  window.requestAnimationFrame = next;
  return times.sort((a, b) => a - b);
}
"""


def frame_time(page: Page, control: str) -> float:
    """Milliseconds that a lab's script and the layout take for a step of a slider, in the middle of many."""
    times = page.evaluate(FRAMES, control)
    return times[len(times) // 2]


# Before a page's own scripts: what is listened to, what runs at intervals, and which workers there are.
COUNT_LISTENERS = """
const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
const entries = [];
EventTarget.prototype.addEventListener = function (type, f, options) {
  const entry = { target: this, type, f };
  entries.push(entry);
  if (options?.signal) add.call(options.signal, "abort", () => entries.splice(entries.indexOf(entry), 1));
  return add.call(this, type, f, options);
};
EventTarget.prototype.removeEventListener = function (type, f, options) {
  const at = entries.findIndex((e) => e.target === this && e.type === type && e.f === f);
  if (at >= 0) entries.splice(at, 1);
  return remove.call(this, type, f, options);
};
const { setInterval: start, clearInterval: end } = window;
const running = new Set();
window.setInterval = (...args) => { const id = start(...args); running.add(id); return id; };
window.clearInterval = (id) => { running.delete(id); end(id); };
window.listeners = () => entries.length;
window.left = () => [entries.length, running.size];
"""
COUNT_WORKERS = """
window.workers = 0;
const { Worker: RealWorker } = window;
window.Worker = class extends RealWorker {
  constructor(...args) { super(...args); window.workers += 1; }
  terminate() { window.workers -= 1; super.terminate(); }
};
"""

COPY_PIXELS = """
(canvas) => {
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  return [canvas.height, canvas.width, [...copy.getImageData(0, 0, canvas.width, canvas.height).data]];
}
"""


def pixels(canvas: Locator) -> np.ndarray:
    """What a canvas shows: height x width x 3, red, green and blue from 0 to 255."""
    height, width, values = canvas.evaluate(COPY_PIXELS)
    return np.array(values, dtype=float).reshape(height, width, 4)[..., :3]


STICKS_OUT = """
(lab) => {
  const edge = lab.getBoundingClientRect().right - parseFloat(getComputedStyle(lab).paddingRight);
  return [...lab.querySelectorAll("*")]
    .filter((e) => e.checkVisibility() && !e.closest(".fe-spoken, svg") && e.getBoundingClientRect().right > edge + 1)
    .map((e) => e.outerHTML.slice(0, 90));
}
"""


def assert_within(lab: Locator) -> None:
    """Nothing of a lab is wider than it."""
    found = lab.evaluate(STICKS_OUT)
    assert found == [], found
