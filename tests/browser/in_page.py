"""Scripts that run a lab's own module inside its page: hundreds of cases in one call."""

import json

ESM = "document.querySelector('.fe-mount script').textContent"

CALL = f"""
async ([name, calls]) => {{
  const maths = await import(new URL(JSON.parse({ESM}).esm, document.baseURI));
  return calls.map((args) => maths[name](...args))
    .map((value) => (ArrayBuffer.isView(value) ? [...value] : value));
}}
"""

# The lab mounted on a model of its own, and for each case its traits set, a frame waited for, its figures read.
VIEWS = f"""
async (cases) => {{
  const {{ esm, state }} = JSON.parse({ESM});
  const {{ default: lab }} = await import(new URL(esm, document.baseURI));
  const handlers = new Set();
  const model = {{
    get: (name) => state[name],
    set: (name, value) => {{ state[name] = value; handlers.forEach((f) => f()); }},
    save_changes() {{}},
    on: (_, f) => handlers.add(f),
    off: (_, f) => handlers.delete(f),
  }};
  const el = document.createElement("div");
  document.body.append(el);
  const remove = lab.render({{ model, el }});
  const found = [];
  for (const traits of cases) {{
    for (const [name, value] of Object.entries(traits)) model.set(name, value);
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    found.push({{
      figures: Object.fromEntries([...el.querySelectorAll("output[data-value]")].map((o) => [o.dataset.name, o.dataset.value])),
      text: [...el.querySelectorAll("[role=tabpanel]:not([hidden]), .fe-body")].at(-1).innerText,
      marked: [...el.querySelectorAll(".fe-new text")].map((t) => t.textContent),
    }});
  }}
  remove();
  el.remove();
  return found;
}}
"""  # noqa: E501

MOVES = """
async ([seed, moves]) => {
  let state = seed;
  const random = () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
  const frame = () => new Promise(requestAnimationFrame);
  const lab = document.querySelector(".fe-lab");
  const keys = ["ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown", "ArrowUp", "a"];
  const bad = [];
  for (let i = 0; i < moves; i++) {
    const all = [...lab.querySelectorAll(".fe-body input, .fe-lab button, [role=slider]")]
      .filter((e) => e.checkVisibility() && !e.disabled && !e.closest(".fe-link"));
    const one = all[Math.floor(random() * all.length)];
    if (one.type === "range") {
      one.value = random() < 0.3 ? one[random() < 0.5 ? "min" : "max"] : random() * one.max;
      one.dispatchEvent(new Event("input", { bubbles: true }));
    } else if (one.getAttribute("role") === "slider") {
      one.dispatchEvent(new KeyboardEvent("keydown", { key: keys[Math.floor(random() * 8)], bubbles: true }));
    } else one.click();
    if (i % 50 === 0) lab.parentElement.style.width = `${300 + 600 * random()}px`;
    if (i % 7) continue;
    await frame();
    const drawn = [...lab.querySelectorAll("svg")].map((svg) => svg.outerHTML).join();
    if (/NaN|undefined|Infinity/.test(lab.innerText + drawn)) bad.push(lab.innerText);
  }
  return bad;
}
"""

FRAMES = """
async (name) => {
  const slider = [...document.querySelectorAll(".fe-lab input[type=range]")].find((s) => s.id.includes(name));
  const next = window.requestAnimationFrame.bind(window);
  const times = [];
  window.requestAnimationFrame = (f) => next((t) => {
    const from = performance.now();
    f(t);
    document.body.getBoundingClientRect(); // with layout
    times.push(performance.now() - from);
  });
  for (let i = 0; i < 160; i++) {
    slider.value = i % (Number(slider.max) + 1);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise(next);
  }
  window.requestAnimationFrame = next;
  return times.sort((a, b) => a - b);
}
"""

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
window.left = () => [entries.length, running.size];
"""

MOUNT_THRICE = f"""
async (press) => {{
  const {{ esm, state }} = JSON.parse({ESM});
  const {{ default: lab }} = await import(new URL(esm, document.baseURI));
  const handlers = new Set();
  const model = {{
    get: (name) => state[name],
    set: (name, value) => {{ state[name] = value; handlers.forEach((f) => f()); }},
    save_changes() {{}},
    on: (_, f) => handlers.add(f),
    off: (_, f) => handlers.delete(f),
  }};
  const counts = [];
  for (let i = 0; i < 3; i++) {{
    const el = document.createElement("div");
    document.body.append(el);
    const before = left();
    const remove = lab.render({{ model, el }});
    const during = left();
    [...el.querySelectorAll("button")].find((button) => button.textContent === press)?.click();
    await new Promise(requestAnimationFrame);
    remove();
    const after = left();
    const listeners = [during[0] - before[0], after[0] - before[0]];
    counts.push([...listeners, after[1] - before[1], handlers.size, el.childElementCount]);
    el.remove();
  }}
  return counts;
}}
"""


def views(page, cases: list[dict]) -> list[dict]:
    """For each case of traits what the lab shows: its figures, its text, and the entries that it marks."""
    found = page.evaluate(VIEWS, json.loads(json.dumps(cases)))
    return [one | {"figures": {name: float(value) for name, value in one["figures"].items()}} for one in found]
