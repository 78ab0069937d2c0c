"""A prediction is the reader's: the answer opens after it, by mouse and by keyboard, and without JavaScript unfolds."""

import threading
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from flatten_edu.publish.serve import make_server
from tests.publish.test_mount import build

ASSETS = Path(__file__).parents[2] / "book" / "assets"
TEXT = """# Page

:::{predict} choice
Which of $a$ and $b$?

- the *first*
- the second
:::

The first.

(place)=
A place in the answer.

## Numbers

:::{predict} number times
How many?
:::

Twelve.

## Curves

:::{predict} curve angle
Draw it.
:::

It rises, and falls.
"""
SHIFT = """
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifted = (window.shifted ?? 0) + one.value;
}).observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    out, _ = build(folder, {"index.md": TEXT})
    for name in ("predict.js", "predict.css"):
        (out / "_static" / name).write_text((ASSETS / name).read_text())
    server = make_server(out, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/index.html"
    server.shutdown()


@pytest.fixture
def page(browser, address):
    context = browser.new_context(viewport={"width": 375, "height": 740})
    page = context.new_page()
    page.add_init_script(SHIFT)
    page.goto(address)
    yield page
    context.close()


def forms(page):
    return page.locator(".fe-predict")


def test_what_was_said_stands_beside_the_answer(page):
    form, answer = forms(page).nth(0), page.locator(".fe-answer").nth(0)
    assert answer.get_by_text("The first.", exact=True).is_hidden()
    form.get_by_role("button").click()  # nothing chosen: nothing opens
    assert answer.get_by_text("The first.", exact=True).is_hidden()
    form.get_by_label("the second").check()
    form.get_by_role("button").click()
    assert answer.locator(".fe-said").inner_text() == "You said: the second"
    expect(answer.get_by_text("The first.", exact=True)).to_be_visible()
    assert form.get_by_label("the first").is_disabled()


def test_by_keyboard_and_the_focus_goes_to_the_answer(page):
    form = forms(page).nth(1)
    form.get_by_label("Your number:").focus()
    page.keyboard.type("1.5")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "You said: 1.5 times"


def test_show_me_opens_without_a_word(page):
    page.get_by_text("Show me").nth(1).click()
    expect(page.get_by_text("Twelve.")).to_be_visible()
    assert page.locator(".fe-said").nth(1).is_hidden()


def test_a_curve_is_drawn_by_sliders_or_by_hand_and_the_true_one_comes_after(page):
    form = forms(page).nth(2)
    form.get_by_role("slider", name="p = 3, angle").fill("40")
    assert form.locator(".fe-true").count() == 0
    box = form.locator(".fe-pad").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.95, box["y"] + box["height"] * 0.8)
    form.get_by_role("button").click()
    said = page.locator(".fe-said").nth(2).inner_text()
    assert said.startswith("You said: 11° at p = 1, 40° at p = 3") and not said.endswith("11° at p = 256")
    assert form.locator(".fe-true").count() == 1


def test_a_link_into_an_answer_unfolds_it(page, address):
    page.goto("about:blank")
    page.goto(f"{address}#place")
    assert page.locator(".fe-answer").nth(0).get_attribute("open") is not None


def test_nothing_moves_and_axe_finds_nothing(page):
    page.wait_for_timeout(300)
    assert page.evaluate("window.shifted ?? 0") < 0.05
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    found = Axe().run(page, context=".fe-predict", options={"preload": False})
    assert [f"{v['id']}: {[n['html'] for n in v['nodes']]}" for v in found.response["violations"]] == []


def test_on_paper_the_answer_follows(page):
    page.evaluate("document.querySelectorAll('details').forEach((d) => d.open = false)")
    page.emulate_media(media="print")
    expect(page.get_by_text("Twelve.")).to_be_visible()
    assert page.get_by_role("button").count() == 0


def test_without_javascript_there_is_a_plain_question_and_a_fold(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    form = forms(page).nth(0)
    expect(form.get_by_text("the second")).to_be_visible()
    assert page.locator(".fe-predict input:visible, .fe-predict button:visible").count() == 0
    page.get_by_text("Show me").nth(1).click()
    expect(page.get_by_text("Twelve.")).to_be_visible()
    context.close()
