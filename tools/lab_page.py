"""A lab alone on a page in Chromium, mounted as the book mounts it: for photographs and for tests, without a site."""

import json
from pathlib import Path

from playwright.sync_api import Page, Route

from flatten_edu.labs import Lab
from flatten_edu.labs.frame.lab import STATIC, split_state

ADDRESS = "http://localhost/"  # nothing listens there: a secure address, whose files `serve` gives
READY = """
() => document.querySelector(".fe-mount").dataset.state === "ready"
  && document.querySelectorAll(".fe-lab [aria-busy=true]").length === 0
  && [...document.querySelectorAll(".fe-lab [data-state=waiting]")].length === 0
"""


def open_lab(page: Page, lab: Lab, width: int, theme: str = "light") -> None:
    """Go to a page that holds the lab alone, so many pixels wide, and wait until it has drawn its first view."""
    state, buffers = split_state(lab)
    description = {
        "esm": f"{lab.lab}.js",
        "state": state,
        "buffers": {trait: f"buffers/{trait}" for trait in buffers},
        "files": {name: f"files/{name}" for name in lab.files},
    }
    files = {
        "": _document(lab, width, theme, description).encode(),
        **{path.name: path.read_bytes() for path in STATIC.iterdir() if path.suffix in (".js", ".css")},
        **{f"buffers/{trait}": content for trait, content in buffers.items()},
        **{f"files/{name}": path.read_bytes() for name, path in lab.files.items()},
    }

    def serve(route: Route) -> None:
        name = route.request.url.removeprefix(ADDRESS).split("#")[0]
        kinds = {"": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css"}
        kind = kinds.get(Path(name).suffix if name else "", "application/octet-stream")
        if name in files:
            route.fulfill(
                body=files[name], content_type=kind if "." in name or not name else "application/octet-stream"
            )
        else:
            route.fulfill(status=404)

    page.unroute(f"{ADDRESS}**")
    page.route(f"{ADDRESS}**", serve)
    page.goto("about:blank")
    page.goto(ADDRESS)
    page.wait_for_load_state("networkidle")
    page.wait_for_function(READY, timeout=60_000)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def _document(lab: Lab, width: int, theme: str, description: dict) -> str:
    data = json.dumps(description).replace("<", "\\u003c")
    return (
        f'<!doctype html><html lang="en" data-theme="{theme}"><title>{lab.lab}</title><link rel="icon" href="data:,">'
        f'<link rel="stylesheet" href="{lab.lab}.css">'
        f"<style>body {{ margin: 0; background: {'#fff' if theme == 'light' else '#14181e'} }}"
        f" .fe-mount {{ width: {width}px }}</style>"
        f'<div class="fe-mount" data-lab="{lab.lab}"><script type="application/json">{data}</script></div>'
        f'<script type="module" src="mount.js"></script>'
    )
