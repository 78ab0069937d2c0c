"""Reading without a mouse: the skip link, a focus that is seen, and everything that can be opened.

Without motion, so that what slides in or fades in is there at once.
"""

import pytest

from tests.browser.conftest import CHAPTER, INTRO

STOPS = 60  # of the Tab key, a page: the whole navigation, and well into the text
# One page of each kind: all have the same navigation.
PAGES = [
    INTRO, CHAPTER, "notebooks/12_timing.html", "book/labs/maps.html", "book/api/functional.html",
    "book/questions.html", "book/bibliography.html", "search.html", "404.html",
]  # fmt: skip
SOLUTIONS = "notebooks/05_problem_rank.html"

FOCUSED = """
() => {
  const e = document.activeElement;
  if (e === document.body) return null;
  const shown = e.closest("label") ?? e.nextElementSibling ?? e;
  const marks = [e, shown, ...e.querySelectorAll("*")].map((one) => getComputedStyle(one));
  const box = e.getBoundingClientRect();
  return {
    html: e.outerHTML.slice(0, 150),
    marked: marks.some((s) => (s.outlineStyle !== "none" && s.outlineWidth !== "0px") || s.boxShadow !== "none"),
    inView: e.closest(".fe-lab") !== null || (box.bottom > 0 && box.top < innerHeight && box.right > 0),
  };
}
"""


def test_the_first_stop_skips_the_navigation(reader):
    page = reader(reduced_motion="reduce").open(INTRO)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to main content")
    assert skip.evaluate("(e) => e === document.activeElement && e.getBoundingClientRect().top >= 0")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main, article') !== null")


@pytest.mark.parametrize("path", PAGES)
def test_the_focus_is_seen(reader, path):
    page = reader(reduced_motion="reduce").open(path)
    unseen = []
    for _ in range(STOPS):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUSED)
        if found is None:
            break
        if not (found["marked"] and found["inView"]):
            unseen.append(found)
    assert unseen == []


def test_a_solution_opens_and_closes_by_keyboard(reader):
    page = reader(reduced_motion="reduce").open(SOLUTIONS)
    for solution in page.locator(".solution").all():
        button = solution.get_by_role("button").first
        assert button.evaluate("(e) => e.tabIndex") == 0
        body = solution.locator("p, div.highlight").last
        for shown in (True, False):
            button.focus()
            button.press("Enter")
            page.wait_for_function(
                "([e, shown]) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) === shown",
                arg=[body.element_handle(), shown],
            )


def test_the_navigation_opens_by_keyboard_on_a_phone(reader):
    page = reader(viewport={"width": 375, "height": 740}, reduced_motion="reduce").open(CHAPTER)
    toggle = page.get_by_role("button", name="Toggle primary sidebar").first
    toggle.focus()
    toggle.press("Enter")
    link = page.get_by_role("link", name="Linear attention", exact=True).first
    link.wait_for()
    link.focus()
    link.press("Enter")
    page.wait_for_url("**/03_linear_attention.html")
