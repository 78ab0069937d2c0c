"""What every lab owes its reader: steps, reset, link, keyboard, touch, calm under a fuzz, nothing left behind."""

import gzip
import random

import pytest

from flatten_edu.labs import LABS
from flatten_edu.labs.frame.lab import STATIC
from tests.browser.conftest import SITE
from tests.browser.in_page import COUNT_LISTENERS

LAB_JS_LIMIT = 60_000
MOVES = 400  # of a fuzz, each lab


def page_of(lab: str) -> str:
    return f"book/labs/{lab}.html"


@pytest.fixture(params=sorted(LABS))
def name(request):
    return request.param


def figures(one) -> dict[str, float]:
    """What the lab shows, once what it computes in the background has come."""
    settle(one)
    return one.outputs()


def settle(one) -> None:
    one.frame()  # a lab says that it is busy when it draws, not when it is clicked
    one.page.wait_for_load_state("networkidle")
    one.page.wait_for_function("document.querySelectorAll('.fe-lab [aria-busy=true]').length === 0", timeout=60_000)
    one.frame()


def assert_same(now: dict[str, float], then: dict[str, float]) -> None:
    """What was shown then is shown now, but for times; a view that was opened since may have added figures."""
    then = {key: value for key, value in then.items() if not key.endswith("_ms")}
    assert then and {key: now.get(key) for key in then} == pytest.approx(then, nan_ok=True)


def test_each_lab_has_a_page():
    assert all((SITE / page_of(lab)).exists() for lab in LABS)


def test_the_bundle_is_small(name, measured):
    size = len(gzip.compress((STATIC / f"{name}.js").read_bytes()))
    measured(f"lab {name}: JS", f"{size / 1000:.1f} kB gzipped (limit {LAB_JS_LIMIT // 1000})")
    assert size <= LAB_JS_LIMIT


PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def test_the_first_paint_waits_for_nothing(reader, name, measured):
    one = reader()
    one.page.route("**/*.bin", lambda route: route.abort())  # what arrives later is not needed for it
    one.page.on("console", lambda m: one.faults.clear())
    page = one.open(page_of(name))
    measured(f"lab {name}: first paint", f"{page.evaluate(PAINTED):.0f} ms after navigation, on loopback")
    assert page.locator(".fe-step").count() == 3
    assert_readable(page)
    one.faults.clear()  # the data that were kept back are reported, as they should be


def test_three_steps_and_a_way_back(reader, name):
    one = reader()
    page = one.open(page_of(name))
    first = figures(one)
    steps = page.locator(".fe-step")
    assert steps.count() == 3
    seen = []
    for i in range(3):
        steps.nth(i).click()
        figures(one)
        assert steps.nth(i).get_attribute("aria-pressed") == "true"
        seen.append(page.locator(".fe-look").inner_text())
        assert_readable(page)
    assert len(set(seen)) == 3 and all(len(text) > 40 for text in seen)
    page.get_by_role("button", name="Reset").click()
    assert_same(figures(one), first)
    assert not page.locator(".fe-look").is_visible()


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_link_restores_a_step(reader, name, step):
    one = reader()
    page = one.open(page_of(name))
    page.locator(".fe-step").nth(step - 1).click()
    shown = figures(one)
    page.wait_for_function(f"location.hash.includes('{name}.step={step}')")
    link = page.url.removeprefix(one.site)
    again = reader()
    again.open(link)
    assert_same(shown, figures(again))


UNREACHED = """
(lab) => [...lab.querySelectorAll("button, input, select, [tabindex], a[href], summary")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.disabled)
  .filter((e) => e.tabIndex < 0 && !e.closest("[role=tablist]"))
  .map((e) => e.outerHTML.slice(0, 120));
"""


def test_all_controls_can_be_reached_by_tab(reader, name):
    page = reader().open(page_of(name))
    lab = page.locator(".fe-lab").first
    assert lab.evaluate(UNREACHED) == []
    count = lab.locator("button:visible, input:visible, select:visible, [tabindex='0']:visible").count()
    page.locator(".fe-step").first.focus()
    inside = 1
    for _ in range(count + 5):
        page.keyboard.press("Tab")
        if not page.evaluate("!!document.activeElement.closest('.fe-lab')"):
            break
        inside += 1
    # a group of radio buttons and a list of tabs are one stop each
    assert 4 <= inside <= count + 1


def test_sliders_move_by_keyboard(reader, name):
    page = reader().open(page_of(name))
    for slider in page.locator(".fe-lab input[type=range]:visible:enabled").all():
        before = slider.input_value()
        slider.focus()
        slider.press("ArrowRight" if before != slider.get_attribute("max") else "ArrowLeft")
        assert slider.input_value() != before
        assert slider.get_attribute("aria-valuetext")
        assert slider.get_attribute("data-lm-suppress-shortcuts") == "true"


SMALL = """
(lab) => [...lab.querySelectorAll("button, input[type=range], select, .fe-segments span, label.fe-check")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }))
  .map((e) => [e.getBoundingClientRect(), e.outerHTML.slice(0, 90)])
  .filter(([box]) => box.height < 40 || box.width < 40)
  .map(([box, html]) => `${Math.round(box.width)} x ${Math.round(box.height)} ${html}`);
"""


def test_targets_are_large_enough_for_a_finger(reader, name):
    page = reader(viewport={"width": 375, "height": 740}, has_touch=True, is_mobile=True).open(page_of(name))
    assert page.locator(".fe-lab").first.evaluate(SMALL) == []


WRONG = ["NaN", "Infinity", "undefined", "[object", "null"]


def assert_readable(page) -> None:
    lab = page.locator(".fe-lab").first
    about_nan = lab.get_attribute("data-lab") == "precision"  # NaN and Inf are what it shows
    text = lab.inner_text()
    assert not [word for word in WRONG[2 * about_nan :] if word in text]


MOVE = """
([kind, i, r]) => {
  const lab = document.querySelector(".fe-lab");
  const visible = (selector) => [...lab.querySelectorAll(selector)].filter((e) => e.checkVisibility() && !e.disabled);
  const pick = (selector) => { const all = visible(selector); return all[i % Math.max(all.length, 1)]; };
  if (kind === "range") {
    const e = pick("input[type=range]");
    if (!e) return;
    e.value = Math.round(Number(e.min) + r * (e.max - e.min));
    e.dispatchEvent(new Event("input", { bubbles: true }));
  } else if (kind === "select") {
    const e = pick("select");
    if (!e) return;
    e.selectedIndex = Math.floor(r * e.options.length);
    e.dispatchEvent(new Event("change", { bubbles: true }));
  } else if (kind === "press") {
    const e = pick("[tabindex='0'], [role=slider], button[role=tab]");
    const keys = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"];
    e?.dispatchEvent(new KeyboardEvent("keydown", { key: keys[Math.floor(r * 6)], bubbles: true, cancelable: true }));
  } else {
    const all = visible("button, input[type=radio], input[type=checkbox]");
    const e = all[i % all.length];
    if (!e.textContent.includes("link")) e.click();
  }
}
"""


def test_a_fuzz_ends_with_all_in_order(reader, name, measured):
    draw = random.Random(sum(map(ord, name)))
    one = reader()
    page = one.open(page_of(name))
    first = figures(one)
    for move in range(MOVES):
        kind = draw.choices(["range", "click", "press", "select"], [5, 3, 2, 1])[0]
        where = draw.choice([0.0, 0.999, draw.random()])
        page.evaluate(MOVE, [kind, draw.randrange(10_000), where])
        if move % 20 == 0:
            page.set_viewport_size({"width": draw.choice([360, 375, 768, 1280, 1600]), "height": 800})
            one.frame()
            assert_readable(page)
    settle(one)
    assert_readable(page)
    page.get_by_role("button", name="Reset").click()
    assert_same(figures(one), first)
    measured(f"lab {name}: fuzz", f"{MOVES} moves, no fault")


MOUNT = """
async () => {
  const host = document.querySelector(".fe-mount");
  const { mount } = await import(document.querySelector("script[src*='mount.js']").src);
  const twin = document.createElement("div");
  twin.className = "fe-mount";
  twin.dataset.lab = host.dataset.lab;
  twin.append(host.querySelector("script[type='application/json']").cloneNode(true));
  document.body.append(twin);
  const before = listeners();
  const unmount = await mount(twin);
  await new Promise(requestAnimationFrame);
  const during = listeners();
  unmount();
  const left = listeners() - before;
  twin.remove();
  return [during - before, left];
}
"""


def test_mounting_again_and_again_leaves_nothing(reader, name, measured):
    one = reader()
    one.page.add_init_script(COUNT_LISTENERS)
    page = one.open(page_of(name))
    settle(one)
    session = one.context.new_cdp_session(page)

    def heap() -> float:
        for _ in range(2):
            session.send("HeapProfiler.collectGarbage")
        return session.send("Runtime.getHeapUsage")["usedSize"] / 1e6

    added, left = page.evaluate(MOUNT)
    assert added > 5 and left == 0
    for _ in range(3):
        page.evaluate(MOUNT)
    before = heap()
    for _ in range(12):
        page.evaluate(MOUNT)
    grown = heap() - before
    measured(f"lab {name}: heap after 12 mounts", f"{grown:+.2f} MB")
    assert grown < 3


def test_nothing_moves_by_itself_where_motion_is_unwelcome(reader, name):
    page = reader(reduced_motion="reduce").open(page_of(name))
    page.locator(".fe-step").nth(1).click()
    running = "document.getAnimations().filter((a) => a.effect?.target?.closest?.('.fe-lab')).length"
    assert page.evaluate(running) == 0


def test_without_javascript_and_on_paper_there_is_a_picture(reader, name):
    page = reader(java_script_enabled=False).open(page_of(name), labs=False)
    still = page.locator(".fe-still img").first
    assert still.bounding_box()["width"] > 280 and len(still.get_attribute("alt")) > 40
    page.emulate_media(media="print")
    assert still.is_visible()
