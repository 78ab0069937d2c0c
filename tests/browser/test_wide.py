"""On a phone, what is wider than the page scrolls in its box: its edge fades, and the keyboard reaches it."""

import pytest

PHONE = {"width": 375, "height": 740}
AFTER = "notebooks/13_what_came_after.html"
FORMULA = "div.math[data-wide]"

STICKING_OUT = """
() => [...document.querySelectorAll("article :is(math, table, pre > *, .cell_output img)")]
  .filter((one) => !one.closest(".fe-lab") && one.checkVisibility())
  .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth)
  .map((one) => [one.textContent.slice(0, 60), one.closest("[data-wide]")])
  .map(([text, box]) => [text, box && box.tabIndex === 0 && getComputedStyle(box)])
  .map(([text, style]) => [text, !!style && style.overflowX === "auto" && style.maskImage !== "none"])
"""


@pytest.mark.parametrize("path", [AFTER, "book/ledger.html", "book/api/functional.html"])
def test_each_wide_thing_is_in_a_box_that_scrolls(reader, path):
    page = reader(viewport=PHONE).open(path)
    page.wait_for_load_state("networkidle")
    found = page.evaluate(STICKING_OUT)
    assert found and [text for text, scrolls in found if not scrolls] == []


def test_the_edge_fades_where_there_is_more_and_arrow_keys_go_there(reader):
    page = reader(viewport={"width": 260, "height": 740}).open(AFTER)  # so that one key press is not the whole way
    page.locator(FORMULA).first.wait_for()
    wide = page.locator(FORMULA).evaluate_all("(all) => all.map((box) => box.scrollWidth)")
    box = page.locator(FORMULA).nth(wide.index(max(wide)))
    fades = "(box) => ['--before', '--after'].map((name) => getComputedStyle(box).getPropertyValue(name))"
    assert box.evaluate(fades) == ["#000", "transparent"]
    box.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("(box) => box.scrollLeft > 10", arg=box.element_handle())
    assert box.get_attribute("data-wide") == "middle" and box.evaluate(fades) == ["transparent", "transparent"]
    box.evaluate("(box) => box.scrollTo(box.scrollWidth, 0)")
    page.wait_for_function("(box) => box.dataset.wide === 'end'", arg=box.element_handle())


def test_what_has_room_is_no_tab_stop(reader):
    page = reader(viewport=PHONE).open(AFTER)
    page.locator(FORMULA).first.wait_for()
    page.set_viewport_size({"width": 1280, "height": 800})
    page.wait_for_function(f"document.querySelectorAll('{FORMULA}').length === 0")
    assert page.locator(".math[tabindex='0']").count() == 0
