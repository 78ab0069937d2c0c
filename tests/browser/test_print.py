"""A page on paper: its text and a picture of each lab, no navigation, nothing cut; light whatever the screen is."""

import re

import pytest

from tests.browser.conftest import CHAPTER, INTRO

A4_AT_96_DPI = 794 - 2 * 60  # pixels between the margins of print.css
SHEET_AT_96_DPI = 1123 - 2 * 68  # likewise from top to bottom
PAGES = [
    CHAPTER,
    INTRO,
    "notebooks/05_problem_rank.html",
    "book/questions.html",
    "book/api/functional.html",
    "book/ledger.html",
]
NAVIGATION = ["Skip to main content", "Contents", "Previous", "Next", "Search", "Toggle", "Copy", "Reset", "Try first"]

SHOWN = """
(selector) => [...document.querySelectorAll(selector)].filter((e) => e.checkVisibility({ visibilityProperty: true }))
  .map((e) => e.innerText ?? e.tagName)
"""


@pytest.mark.parametrize("path", PAGES)
def test_a_page_prints(reader, path, measured):
    page = reader().open(path)
    title = page.locator("article h1").inner_text().removesuffix("#")
    pdf = page.pdf(format="A4", prefer_css_page_size=True)
    sheets = len(re.findall(rb"/Type\s*/Page\b", pdf))
    measured(f"print {path.split('/')[-1].removesuffix('.html')}", f"{sheets} sheets, {len(pdf) // 1000} kB")
    assert sheets > 0
    page.emulate_media(media="print")
    text = page.locator("body").inner_text()
    assert text.strip().startswith(title)
    assert [word for word in NAVIGATION if re.search(rf"^\s*{word}\b", text, flags=re.MULTILINE)] == []
    assert page.evaluate(SHOWN, "nav, header, button, input, .fe-lab, .headerlink, .bd-sidebar") == []


def test_a_lab_prints_as_its_picture(reader):
    page = reader().open(CHAPTER)
    assert page.locator(".fe-still").first.is_hidden()
    page.emulate_media(media="print")
    assert page.locator(".fe-still").count() == page.locator(".fe-live").count() > 1
    pictures = page.locator(".fe-still img:visible").all()
    assert len(pictures) == page.locator(".fe-live").count() and page.locator(".fe-live").first.is_hidden()
    assert all(picture.bounding_box()["height"] < 0.7 * SHEET_AT_96_DPI for picture in pictures)  # cut in two otherwise


CUT = """
() => [...document.querySelectorAll("pre, table, img, svg, math, dt.sig")]
  .filter((e) => e.checkVisibility() && !e.closest(".fe-live"))
  .filter((e) => e.getBoundingClientRect().right > innerWidth + 1
    || (e.tagName === "PRE" && e.scrollWidth > e.clientWidth + 1))
  .map((e) => e.outerHTML.slice(0, 120))
"""


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_cut_at_the_paper_s_edge(reader, path):
    page = reader(viewport={"width": A4_AT_96_DPI, "height": 1000}).open(path)
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= A4_AT_96_DPI
    assert page.evaluate(CUT) == []


def test_solutions_are_open_on_paper_and_paper_is_light(reader):
    page = reader(color_scheme="dark").open("notebooks/05_problem_rank.html")
    solution = page.locator(".solution").first
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.evaluate(
        "addEventListener('beforeprint', () => { window.printed = [document.documentElement.dataset.theme,"
        " document.querySelector('.solution').classList.contains('toggle-hidden')]; })"
    )
    page.pdf()
    assert page.evaluate("printed") == ["light", False]
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert "toggle-hidden" in solution.get_attribute("class")
