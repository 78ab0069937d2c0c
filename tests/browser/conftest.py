"""The built site behind a server of its own, and a Chromium that reaches nothing but this machine."""

import json
import multiprocessing
import threading
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from flatten_edu.labs.frame.lab import STATIC
from flatten_edu.publish.serve import make_server
from tools.chromium import MISSING, find
from tools.lab_page import ADDRESS

SITE = Path(__file__).parents[2] / "_build" / "html"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no page reaches another host
]  # fmt: skip
expect.set_options(timeout=20_000)  # two busy cores draw late
CHAPTER = "notebooks/06_focused_function.html"
INTRO = "book/intro.html"


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser():
    path = find()
    assert path, MISSING
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()
        # Playwright's driver ends when nobody holds its input any more: a process forked since then does, for ever.
        for child in multiprocessing.active_children():
            child.terminate()
            child.join()


@pytest.fixture(scope="module")
def gpu(browser):
    """A Chromium that has WebGPU, if only in software."""
    flags = [*FLAGS, "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]
    chromium = browser.browser_type.launch(executable_path=find(), args=flags)
    yield chromium
    chromium.close()


@pytest.fixture(scope="session")
def site():
    """The address of the built site."""
    assert (SITE / "index.html").exists(), "there is no built site: run `make html` first"
    server = make_server(SITE, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def with_module(page: Page, name: str) -> Page:
    """The page with nothing but a lab's module, as `lab`."""
    code = (STATIC / f"{name}.js").read_text()
    page.route(ADDRESS, lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    page.route(f"{ADDRESS}lab.js", lambda route: route.fulfill(body=code, content_type="text/javascript"))
    page.goto(ADDRESS)
    page.evaluate("async () => { window.lab = await import('/lab.js'); }")
    return page


@pytest.fixture(scope="session")
def bare(browser):
    """bare(name): a page with nothing but a lab's module, as `lab`: for its mathematics, without a site."""
    context = browser.new_context()
    pages = {}

    def page(name: str):
        if name not in pages:
            pages[name] = with_module(context.new_page(), name)
        return pages[name]

    yield page
    context.close()


class Reader:
    """A page in a context of its own, with what went wrong on it: messages, errors, requests that left or failed."""

    def __init__(self, browser, site: str, **options):
        self.context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
        self.page = self.context.new_page()
        self.site = site
        self.faults: list[str] = []
        self.bytes: dict[str, bytes] = {}
        self.page.on("console", lambda m: self.faults.append(f"console {m.type}: {m.text}"))
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("response", self._answered)
        self.pending: set = set()  # requests that have not been answered
        self.page.on("request", self._asked)
        self.page.on("requestfinished", lambda request: self.pending.discard(request))
        self.page.on("requestfailed", lambda request: self.pending.discard(request))

    def _asked(self, request):
        if request.url.startswith(self.site):
            self.pending.add(request)
        elif not request.url.startswith(("blob:", "data:")):
            self.faults.append(f"request to another host: {request.url}")

    def _answered(self, response):
        if response.status >= 400:
            self.faults.append(f"{response.status}: {response.url}")

    def open(self, path: str, labs: bool = True):
        """Go to a page, scroll through it, and wait until its labs are live."""
        self.page.goto("about:blank")  # or a new fragment would not load the page anew
        self.pending.clear()
        self.page.goto(self.site + path, wait_until="load")
        if labs:
            self.page.evaluate("document.querySelectorAll('.fe-answer').forEach((fold) => { fold.open = true; })")
            for host in self.page.locator(".fe-mount").all():
                host.scroll_into_view_if_needed()
            self.page.wait_for_function(
                "[...document.querySelectorAll('.fe-mount')].every((host) => host.dataset.state === 'ready')"
            )
            self.page.evaluate("scrollTo(0, 0)")
        return self.page

    def frame(self):
        """Wait until what was changed is painted."""
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def settle(self):
        """Wait until what the labs asked for has arrived, been computed and been painted."""
        end, quiet = time.monotonic() + 60, 0
        while quiet < 3:  # what arrives may have something computed, and what is computed may ask for more
            assert time.monotonic() < end, [request.url for request in self.pending] or "a lab is still busy"
            self.frame()
            busy = self.pending or self.page.locator(".fe-lab [aria-busy=true]").count()
            quiet = 0 if busy else quiet + 1

    def outputs(self, lab: int = 0) -> dict[str, float]:
        """All figures that a lab shows, at full precision."""
        self.frame()
        found = self.page.locator(".fe-lab").nth(lab).evaluate(
            "(lab) => Object.fromEntries([...lab.querySelectorAll('output[data-value]')]"
            ".map((o) => [o.dataset.name, o.dataset.value]))"
        )  # fmt: skip
        return {name: float(value) for name, value in found.items()}

    def figures(self) -> dict[str, float]:
        """The first lab's, once what it computes in the background has come."""
        self.settle()
        return self.outputs()


@pytest.fixture
def reader(browser, site):
    """Make readers; at the end none of them may have met a fault."""
    readers = []

    def make(**options) -> Reader:
        readers.append(Reader(browser, site, **options))
        return readers[-1]

    yield make
    for one in readers:
        one.context.close()
    assert [fault for one in readers for fault in one.faults] == []


def fragment(lab: str, **traits) -> str:
    """The part of a link that sets a lab's traits."""
    return "#" + "&".join(f"{lab}.{name}={json.dumps(value, separators=(',', ':'))}" for name, value in traits.items())
