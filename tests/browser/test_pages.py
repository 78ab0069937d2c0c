"""Every page of the built site: quiet, on this host alone, accessible, no wider than a phone, and its weight."""

import gzip
import json
import re

import pytest
import yaml
from playwright.sync_api import expect

from flatten_edu.publish.address import PLACEHOLDER
from tests.browser.axe import CONTRAST, WCAG, in_the_dark, violations
from tests.browser.conftest import CHAPTER, INTRO, SITE
from tests.browser.in_page import assert_within

PAGES = sorted(
    page.relative_to(SITE).as_posix()
    for page in SITE.rglob("*.html")
    if "_static" not in page.parts and "http-equiv" not in page.read_text()[:400]
)
LIVE = [INTRO, CHAPTER]
PAGE_LIMIT = {INTRO: 700_000, CHAPTER: 1_350_000}  # the chapter has two labs, and the photographs that stand for them


AT_REST = """
document.querySelectorAll(".fe-lab [aria-busy=true]").length === 0
  && document.getAnimations().every((a) => !a.effect?.target?.closest?.(".fe-lab"))
  && (window.restSince ??= performance.now(), performance.now() - window.restSince > 500)
"""


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(reader, path):
    one = reader(color_scheme="light")
    page = one.open(path)
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    found = looked_over(one, WCAG, path)
    in_the_dark(page)
    assert found + looked_over(one, CONTRAST, path) == []


def looked_over(one, rules, path) -> list[str]:
    """What axe finds on a page, and on a lab's own page with each of its views shown in turn."""
    page = one.page
    page.wait_for_function(AT_REST, timeout=60_000)  # what is being computed is dimmed meanwhile
    found = violations(page, "html", rules)
    for tab in page.locator(".fe-lab [role=tab]").all() if path.startswith("book/labs/") else []:
        if tab.get_attribute("aria-selected") == "true":
            continue
        tab.click()
        one.frame()
        page.wait_for_function(AT_REST, timeout=60_000)
        found += violations(page, ".fe-lab", rules)
    return found


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_wider_than_the_screen(reader, path):
    one = reader(viewport={"width": 375, "height": 740})
    page = one.open(path)
    for width in (375, 768, 1440):
        page.set_viewport_size({"width": width, "height": 740})
        one.frame()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for lab in page.locator(".fe-lab").all():
            for tab in lab.get_by_role("tab").all() or [None]:
                if tab:
                    tab.click()
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                assert_within(lab)


def test_the_lab_is_above_the_fold(reader):
    page = reader().open(INTRO)
    assert page.get_by_role("slider", name="p, focusing factor").bounding_box()["y"] < 450
    assert page.locator(".fe-plane").bounding_box()["y"] < 500


def test_a_notebook_page_has_its_buttons(reader):
    page = reader().open(CHAPTER)
    links = page.eval_on_selector_all("a[href]", "(all) => all.map((a) => a.href)")
    colab = [link for link in links if link.startswith("https://colab.research.google.com/github/")]
    if PLACEHOLDER in yaml.safe_load((SITE.parents[1] / "_config.yml").read_text())["repository"]["url"]:
        assert colab == []  # a button that leads to a placeholder is dead
    else:
        assert colab[0].endswith("/blob/main/notebooks/06_focused_function.ipynb")
    assert any(link.endswith("06_focused_function.ipynb") and link.startswith("http://127.0.0.1") for link in links)


CDN = re.compile(rb"https?://[\w.-]*(?:cdn|jsdelivr|unpkg|cloudflare|googleapis|gstatic)[\w.-]*")


def test_no_script_or_style_of_the_site_names_a_cdn():
    named = {
        (path.relative_to(SITE).as_posix(), address.decode())
        for path in SITE.rglob("*")
        if path.suffix in {".js", ".css", ".mjs"}
        for address in CDN.findall(path.read_bytes())
    }
    assert named == set()


def test_formulas_need_no_script(reader):
    page = reader(java_script_enabled=False).open(CHAPTER, labs=False)
    fraction = page.locator("div.math mfrac").first.bounding_box()
    assert fraction["height"] > 30 and page.locator("math").count() > 100
    assert page.locator("math annotation, script[src*=mathjax]").count() == 0


def test_search_finds_a_page_offline(reader):
    page = reader().open("search.html?q=entropy")
    page.locator("#search-results a", has_text="The focused function").first.wait_for()


def test_a_lab_that_cannot_start_says_so(browser, site):
    context = browser.new_context()
    page = context.new_page()
    esm = json.loads(re.search(r'<script type="application/json">(.*?)</script>', (SITE / INTRO).read_text())[1])["esm"]
    page.route(f"**/{esm.split('/')[-1]}", lambda route: route.abort())
    page.goto(site + INTRO)
    page.get_by_text("This lab could not be started here").wait_for()
    expect(page.locator(".fe-still img:visible")).to_be_visible()
    context.close()


def test_data_that_does_not_come_is_said_and_the_rest_works(browser, site):
    context = browser.new_context()
    page = context.new_page()
    page.route("**/*.bin", lambda route: route.abort())
    page.goto(site + INTRO)
    page.get_by_text("This lab's data could not be fetched").wait_for()
    page.get_by_role("button", name="p = 8", exact=True).click()
    page.wait_for_function("document.querySelector('[data-name=p]').dataset.value === '8'")
    page.get_by_role("tab", name="Photograph").click()
    page.get_by_text("The photograph has not arrived yet").wait_for()
    context.close()


@pytest.mark.parametrize("path", LIVE)
def test_page_budget(reader, measured, path):
    one = reader()
    bodies: dict[str, bytes] = {}
    one.page.on("response", lambda r: bodies.__setitem__(r.url, r.body()) if r.status == 200 else None)
    page = one.open(path)
    page.wait_for_load_state("networkidle")
    packed = {url: len(gzip.compress(body)) for url, body in bodies.items()}
    js = sum(size for url, size in packed.items() if url.split("?")[0].endswith(".js"))
    total = sum(packed.values())
    name = path.split("/")[-1].removesuffix(".html")
    measured(f"page {name}: kB gzipped", f"total {total // 1000}, JS {js // 1000}")
    assert total <= PAGE_LIMIT[path]
