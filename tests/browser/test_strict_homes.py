"""Labs where a home allows little, as VS Code and marimo do: no other files, no worker, a shadow root, many views."""

import base64

import pytest

from flatten_edu.labs import LABS
from flatten_edu.labs.frame.lab import STATIC, split_state

# VS Code's rules for notebooks' outputs; the lab itself comes as text, and becomes a module.
RULES = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; style-src 'unsafe-inline'; img-src data:; "
    "connect-src 'none'; child-src data:"
)
PAGE = (
    f'<!doctype html><html lang="en"><meta http-equiv="Content-Security-Policy" content="{RULES}"><title>Home</title>'
)
MOUNT = """
async ({ esm, css, state, buffers }) => {
  const address = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  const lab = (await import(address)).default;
  const traits = { ...state };
  for (const [name, text] of Object.entries(buffers)) {
    traits[name] = new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  }
  const handlers = new Set(), takers = new Set();
  const model = {
    get: (name) => traits[name],
    set: (name, value) => { traits[name] = value; for (const handler of [...handlers]) handler(); },
    save_changes() {},
    send: ({ file }) => setTimeout(() => { // the kernel has no such file any more
      for (const taker of [...takers]) taker({ file }, [new DataView(new ArrayBuffer(0))]);
    }),
    on: (event, handler) => (event === "msg:custom" ? takers : handlers).add(handler),
    off: (event, handler) => (event === "msg:custom" ? takers : handlers).delete(handler),
  };
  window.removers = [1, 2].map((view) => {
    const host = document.createElement("div");
    host.id = `view${view}`;
    document.body.append(host);
    const shadow = host.attachShadow({ mode: "open" });
    shadow.append(Object.assign(document.createElement("style"), { textContent: css }));
    const el = document.createElement("div");
    shadow.append(el);
    return lab.render({ model, el });
  });
  window.listening = () => handlers.size + takers.size;
}
"""
FIGURES = """
(view) => Object.fromEntries([...document.getElementById(view).shadowRoot.querySelectorAll("output[data-value]")]
  .map((o) => [o.dataset.name, o.dataset.value]))
"""
SETTLED = """
() => [...document.querySelectorAll("[id^=view]")].every((host) => host.shadowRoot.querySelector(".fe-lab")
  && !host.shadowRoot.querySelector("[aria-busy=true]"))
"""


@pytest.mark.parametrize("name", LABS)
def test_two_views_of_a_lab_follow_each_other_under_vs_code_s_rules(browser, name):
    context = browser.new_context(viewport={"width": 760, "height": 900})
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda m: faults.append(m.text) if "Worker" not in m.text and "worker" not in m.text else None)
    page.route("**/*", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
    page.goto("http://localhost/")
    state, buffers = split_state(LABS[name]())
    encoded = {trait: base64.b64encode(value).decode() for trait, value in buffers.items()}
    esm, css = ((STATIC / f"{name}.{kind}").read_text() for kind in ("js", "css"))
    page.evaluate(MOUNT, {"esm": esm, "css": css, "state": state, "buffers": encoded})
    settle(page)
    first, others = figures(page, "view1"), []
    assert first and figures(page, "view2") == first
    for step in range(3):  # by the second view; the first follows
        page.locator("#view2 .fe-step").nth(step).click()
        settle(page)
        others.append(figures(page, "view2"))
        assert figures(page, "view1") == others[-1]
    assert any(other != first for other in others)
    page.locator("#view2").evaluate("(host) => host.remove()")
    page.evaluate("removers[1]()")
    page.locator("#view1").get_by_role("button", name="Reset").click()
    settle(page)
    assert figures(page, "view1").items() >= first.items()  # what was opened since may have added some
    page.evaluate("removers[0]()")
    assert page.evaluate("listening()") == 0 and faults == []
    context.close()


def settle(page):
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_function(SETTLED, timeout=60_000)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def figures(page, view):
    """What a view shows, but for times, which each measures by itself."""
    return {name: value for name, value in page.evaluate(FIGURES, view).items() if not name.endswith("_ms")}
