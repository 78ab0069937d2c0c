"""Remake the records of the lab `timing`: python -m flatten_edu.labs.timing.make_data

The lab itself measures them in Chromium, for minutes, on a quiet machine.
"""

import json
from typing import Any

from playwright.sync_api import Page, Route, sync_playwright

from flatten_edu.labs import TimingLab
from flatten_edu.labs.frame.lab import STATIC
from flatten_edu.labs.timing.lab import SHIPPED
from tools.chromium import MISSING, find

DIMENSIONS = [64, 32]
ADDRESS = "http://localhost/"  # nothing listens there; a secure address, which WebGPU asks for
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


def main() -> None:
    """One run of the lab for each head dimension, at p = 3."""
    path = find()
    assert path, MISSING
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        records = [measure(browser.new_page(), d, BUDGET) for d in DIMENSIONS]
    SHIPPED.write_text(json.dumps(records, separators=(",", ":")).replace('{"variant"', '\n{"variant"') + "\n")


def serve(route: Route) -> None:
    """Answer from the bundles; the page itself is empty."""
    path = STATIC / route.request.url.removeprefix(ADDRESS)
    if path.is_file():
        route.fulfill(path=path, content_type="text/javascript")
    else:
        route.fulfill(body="<!doctype html>", content_type="text/html")


def measure(page: Page, d: int, budget: float) -> dict[str, Any]:
    """The record of one run, on a page of its own."""
    lab = TimingLab(d=d, budget=budget, shipped=[])
    page.route(f"{ADDRESS}**", serve)
    page.goto(ADDRESS)
    page.evaluate(MOUNT, ["/timing.js", {trait: getattr(lab, trait) for trait in lab.sent_traits()}])
    page.get_by_role("button", name="Time it here").click()
    page.get_by_text("Done: ").wait_for(timeout=1000 * (3 * budget + 60))
    return page.evaluate("state.own")


if __name__ == "__main__":
    main()
