"""Records of times, for the lab `timing`: the lab itself measures them in Chromium, for minutes, on a quiet machine."""

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page, sync_playwright

from flatten_edu.publish.serve import Handler
from flatten_edu.widgets import TimingLab
from flatten_edu.widgets.lab import STATIC
from flatten_edu.widgets.timing import SHIPPED
from tools.chromium import MISSING, find

DIMENSIONS = [64, 32]
BUDGET = 300.0  # seconds; as much as N = 12544 takes
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
MOUNT = """
async ([esm, state]) => {
  const { default: lab } = await import(esm);
  window.state = state;
  const handlers = new Set();
  const model = {
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; handlers.forEach((f) => f()); },
    save_changes() {}, on: (_, f) => handlers.add(f), off: (_, f) => handlers.delete(f),
  };
  lab.render({ model, el: document.body.appendChild(document.createElement("div")) });
}
"""


def timing() -> None:
    """One run of the lab for each head dimension, at p = 3."""
    path = find()
    assert path, MISSING
    with bundles() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        records = [measure(browser.new_page(), address, d, BUDGET) for d in DIMENSIONS]
    SHIPPED.write_text(json.dumps(records, separators=(",", ":")).replace('{"variant"', '\n{"variant"') + "\n")


@contextmanager
def bundles() -> Iterator[str]:
    """The address at which the labs' bundles are served."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(STATIC)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def measure(page: Page, address: str, d: int, budget: float) -> dict[str, Any]:
    """The record of one run, on a page of its own."""
    lab = TimingLab(d=d, budget=budget, shipped=[])
    page.goto(f"{address}THIRD_PARTY.txt")  # any file: its page is empty enough
    page.evaluate(MOUNT, ["/timing.js", {trait: getattr(lab, trait) for trait in lab.own_traits()}])
    page.get_by_role("button", name="Time it here").click()
    page.get_by_text("Done: ").wait_for(timeout=1000 * (3 * budget + 60))
    return page.evaluate("state.own")
