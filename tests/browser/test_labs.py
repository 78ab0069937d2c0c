"""What every lab owes its reader: steps, reset, link, keyboard, touch, calm under a fuzz, nothing left behind."""

import gzip
import io
import json
import random
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from flatten_edu.labs import LABS
from flatten_edu.labs.frame.lab import STATIC
from flatten_edu.labs.frame.settings import allows
from tests.browser.axe import CONTRAST, in_the_dark, violations
from tests.browser.conftest import SITE, fragment
from tests.browser.in_page import COUNT_LISTENERS, COUNT_WORKERS, assert_within, frame_time, fuzz

LAB_JS_LIMIT = 60_000
MOVES = 400  # of a fuzz, each lab


def page_of(lab: str) -> str:
    return f"book/labs/{lab}.html"


@pytest.fixture(params=sorted(LABS))
def name(request):
    return request.param


def assert_same(now: dict[str, float], then: dict[str, float]) -> None:
    """What was shown then is shown now, but for times; a view that was opened since may have added figures."""
    then = {key: value for key, value in then.items() if not key.endswith("_ms")}
    assert then and {key: now.get(key) for key in then} == pytest.approx(then, nan_ok=True)


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


def test_three_steps_with_their_links_and_a_way_back(reader, name):
    one, again = reader(), reader()
    page = one.open(page_of(name))
    first = one.figures()
    steps = page.locator(".fe-step")
    assert steps.count() == 3
    seen, links = [], {}
    for i in range(3):
        steps.nth(i).click()
        shown = one.figures()
        assert steps.nth(i).get_attribute("aria-pressed") == "true"
        seen.append(page.locator(".fe-look[data-shown=true]").inner_text())
        assert_readable(page)
        page.wait_for_function(f"location.hash.includes('{name}.step={i + 1}')")
        links[page.url.removeprefix(one.site)] = shown
    assert len(set(seen)) == 3 and all(len(text) > 40 for text in seen)
    page.get_by_role("button", name="Reset").click()
    assert_same(one.figures(), first)
    expect(page.locator(".fe-look[data-shown=true]")).to_be_hidden()
    for link, shown in links.items():
        again.open(link)
        assert_same(shown, again.figures())


UNREACHED = """
(lab) => [...lab.querySelectorAll("button, input, select, [tabindex], a[href], summary")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.disabled)
  .filter((e) => e.tabIndex < 0 && !e.closest("[role=tablist]"))
  .map((e) => e.outerHTML.slice(0, 120));
"""


def test_the_keyboard_reaches_all_controls_and_moves_sliders(reader, name):
    page = reader().open(page_of(name))
    lab = page.locator(".fe-lab").first
    assert lab.evaluate(UNREACHED) == []
    count = lab.locator("button:visible, input:visible, summary:visible, [tabindex='0']:visible").count()
    page.locator(".fe-step").first.focus()
    inside = 1
    for _ in range(count + 5):
        page.keyboard.press("Tab")
        if not page.evaluate("!!document.activeElement.closest('.fe-lab')"):
            break
        inside += 1
    # a group of radio buttons and a list of tabs are one stop each
    assert 4 <= inside <= count + 1
    for slider in lab.locator("input[type=range]:visible:enabled").all():
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


WRONG_IN_FUZZ = "undefined|Infinity|null|\\[object"


def test_a_fuzz_ends_with_all_in_order(reader, name, measured):
    one = reader()
    page = one.open(page_of(name))
    first = one.figures()
    wrong = WRONG_IN_FUZZ if name == "precision" else f"NaN|{WRONG_IN_FUZZ}"
    assert fuzz(page, MOVES, seed=sum(map(ord, name)), wrong=wrong, wait=60) == []
    for width in (360, 768, 1600):
        page.set_viewport_size({"width": width, "height": 800})
        one.settle()
        assert_readable(page)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_role("button", name="Reset").click()
    assert_same(one.figures(), first)
    measured(f"lab {name}: fuzz", f"{MOVES} moves, no fault")


def test_nothing_sticks_out(reader, name):
    one = reader()
    page = one.open(page_of(name) + fragment(name, step=1))
    for width in (375, 768, 1280):
        page.set_viewport_size({"width": width, "height": 740})
        one.settle()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert_within(page.locator(".fe-lab").first)


def rules(name: str) -> dict[str, dict]:
    return LABS[name]().rules()


def allowed(rule: dict, draw: random.Random):
    """A value that a setting may have."""
    match rule["kind"]:
        case "number":
            return rule["least"] * (rule["most"] / rule["least"]) ** draw.random()
        case "whole":
            return draw.randint(rule["least"], rule["most"])
        case "choice":
            return draw.choice(rule["of"])
        case "flag":
            return draw.random() < 0.5
        case "vector":
            least = max(rule["least"], -2)
            return [round(draw.uniform(least, 2), 3) for _ in range(rule["length"][0])]
        case "rows":
            columns = rule["columns"][0]
            return [[round(draw.uniform(-2, 2), 3) for _ in range(columns)] for _ in range(rule["rows"][1])]
    return draw.choice([[4, 4], [7, 7], [7, 14]])


def forbidden(rule: dict) -> list:
    """Values that a setting may not have: beyond its ends, of another kind, cut short."""
    match rule["kind"]:
        case "number":
            return [rule["least"] / 2 if rule["least"] > 0 else rule["least"] - 1, rule["most"] * 2, "3", True, None]
        case "whole":
            return [rule["least"] - 1, rule["most"] + 1, rule["least"] + 0.5, "3", True]
        case "choice":
            return ["none of them", 777, None]
        case "flag":
            return [1, "true", None]
        case "vector":
            long = [1] * (rule["length"][1] + 1)
            return [long, [1], [rule["least"] - 1] * rule["length"][0], ["a", 1], 3]
        case "rows":
            return [[], [[1] * (rule["columns"][1] + 1)], [[1, 2], [3]], [["a", 1]], [1e9]]
    return [[4], [200, 200], [0, 4], 14, "4x4"]


def test_python_and_the_page_allow_the_same(name):
    """Of each setting: what a link may bring is what Python takes, word for word in the lab's rules."""
    described = re.search(r'<script type="application/json">(.*?)</script>', (SITE / page_of(name)).read_text())[1]
    assert json.loads(described)["state"]["_rules"] == json.loads(json.dumps(rules(name)))
    for setting, rule in rules(name).items():
        assert not [value for value in forbidden(rule) if allows(rule, value)], setting


def test_a_broken_link_gives_the_first_view(reader, name):
    """Opened, and in a tab where the lab shows something else."""
    one = reader()
    page = one.open(page_of(name))
    first = one.figures()
    for nth in range(5):
        bad = {setting: forbidden(rule)[nth % len(forbidden(rule))] for setting, rule in rules(name).items()}
        link = fragment(name, **bad) + f"&{name}.step=[1&x.y=1&{name}"
        if nth == 0:
            one.open(page_of(name) + link)
        else:
            page.locator(".fe-step").nth(nth % 3).click()
            one.settle()
            page.evaluate("(link) => { location.hash = link; }", link)
        assert_same(one.figures(), first)
        assert not page.locator(".fe-look[data-shown=true]").count()


def test_a_link_restores_exactly_what_it_names(reader, name):
    """A link to another view in the same tab takes back what it does not name; a section's anchor changes nothing."""
    one, again = reader(), reader()
    page = one.open(page_of(name))
    first = one.figures()
    for seed in range(2):
        draw = random.Random(seed)
        settings = {setting: allowed(rule, draw) for setting, rule in rules(name).items()}
        if name in ("proof", "reorder"):  # matrices that must fit one another come together or not at all
            settings = {setting: value for setting, value in settings.items() if setting not in "qkvxy"}
        if name == "maps":
            settings |= {"inside": False, "by_value": False, "block": 1, "picture": 0}  # or weights would be fetched
        settings.pop("device", None)  # WebGPU is not everywhere
        link = fragment(name, **settings)
        again.open(page_of(name) + link)
        shown = again.figures()
        page.evaluate("(link) => { location.hash = link; }", link)
        assert_same(one.figures(), shown)
        page.evaluate("location.hash = 'what-is-measured'")
        assert_same(one.figures(), shown)
        page.evaluate("location.hash = ''")
        assert_same(one.figures(), first)


def test_a_step_of_a_slider_takes_no_longer_than_a_few_frames(reader, name, measured):
    """The budget is one frame; a busy machine may take several, and what takes a second is a fault."""
    one = reader()
    page = one.open(page_of(name))
    one.settle()
    median = frame_time(page, ".fe-lab input[type=range]:enabled")
    measured(f"lab {name}: script and layout a step of its first slider", f"median {median:.1f} ms (goal 16)")
    assert median < 100


CHOSEN = """
(lab) => [...lab.querySelectorAll("button[aria-pressed=true], button[aria-selected=true], .fe-segments input:checked + span")]
  .filter((e) => e.checkVisibility()).map((e) => {
    const peers = [...(e.closest(".fe-segments, [role=tablist], [role=group]")?.querySelectorAll("button, span") ?? [])]
      .filter((other) => other !== e && other.checkVisibility() && !other.closest("[aria-pressed=true]")
        && other.previousElementSibling?.checked !== true && other.tagName === e.tagName);
    const ground = getComputedStyle(e).backgroundColor;
    return peers.every((other) => getComputedStyle(other).backgroundColor !== ground) || e.outerHTML;
  }).filter((found) => found !== true)
"""  # noqa: E501


MARKS = """
(lab) => new Set([...lab.querySelectorAll("svg :is(path, circle, rect)")].filter((e) => e.checkVisibility())
  .flatMap((e) => [getComputedStyle(e).stroke, getComputedStyle(e).fill])).size
"""


def test_forced_colours_keep_what_is_chosen_and_the_data(reader, name):
    one = reader(forced_colors="active")
    page = one.open(page_of(name))
    page.locator(".fe-step").first.click()
    one.settle()
    lab = page.locator(".fe-lab").first
    assert lab.evaluate(CHOSEN) == []
    assert lab.evaluate(MARKS) > 2 or not lab.locator("svg").count()


def test_the_saved_picture_is_what_is_seen(reader, name):
    """Compared with a photograph of the screen, patch by patch: type may fall a fraction of a pixel elsewhere."""
    one = reader(viewport={"width": 1280, "height": 2400})  # all of it at once: no bar of the page lies over it
    page = one.open(page_of(name) + fragment(name, step=1))
    one.settle()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save picture").click()
    lab = page.locator(".fe-lab").first
    saved = Image.open(download.value.path()).convert("L")
    seen = Image.open(io.BytesIO(lab.screenshot())).convert("L")
    assert download.value.suggested_filename == f"{name}.png" and saved.width == 2 * seen.width
    saved = saved.reduce(2)
    box = (16, 16, seen.width - 16, saved.height - 24)
    found, wanted = (np.array(one.resize((40, 40), Image.Resampling.BOX, box), dtype=float) for one in (saved, seen))
    assert np.abs(found - wanted).mean() < 4 and np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.9


BLOCKED = """
([x, y]) => {
  const touches = [];
  for (let at = document.elementFromPoint(x, y); at; at = at.parentElement) {
    touches.push(getComputedStyle(at).touchAction);
  }
  return touches.some((touch) => touch === "none" || touch === "pan-x");
}
"""


# A page goes on scrolling for a while after a swipe: what lay at a place no longer does.
AT_REST = """
() => new Promise((done) => {
  let before = -1;
  const look = () => scrollY === before ? done() : (before = scrollY, setTimeout(look, 100));
  look();
})
"""


def test_a_swipe_scrolls_the_page_and_a_tap_chooses(reader, name):
    one = reader(viewport={"width": 375, "height": 740}, has_touch=True, is_mobile=True)
    page = one.open(page_of(name) + ('#focus.view="photo"' if name == "focus" else ""))
    one.settle()
    shown = one.outputs()
    session = one.context.new_cdp_session(page)
    for surface in page.locator(".fe-lab :is(svg, canvas):visible").all()[:4]:
        surface.evaluate("(surface) => surface.scrollIntoView({ block: 'center', behavior: 'instant' })")
        page.evaluate(AT_REST)
        box = surface.bounding_box()
        x, y = box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.6
        # A slider that stays in view may cover the drawing: a swipe over it moves it, as it should.
        assert not page.evaluate("([x, y]) => document.elementFromPoint(x, y).matches('[type=range]')", [x, y])
        blocked = page.evaluate(BLOCKED, [x, y])
        for kind, dy in [("touchStart", 0), ("touchMove", -30), ("touchMove", -90), ("touchEnd", None)]:
            points = [] if dy is None else [{"x": x, "y": y + dy}]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        assert not blocked
        page.evaluate(AT_REST)
    assert_same(one.outputs(), shown)


@pytest.mark.parametrize("width", [1280, 375])
def test_a_lab_s_place_is_kept_from_the_start(reader, name, width, measured):
    """What stands below a lab stands there before the lab has started, while its data come, and when it is ready."""
    one = reader(viewport={"width": width, "height": 900})
    held = []
    one.page.route("**/_static/labs/*.js", lambda route: held.append(route))
    one.page.goto(one.site + page_of(name))
    host = one.page.locator(".fe-mount").first
    before = host.bounding_box()["height"]
    host.scroll_into_view_if_needed()
    one.page.wait_for_timeout(100)
    for route in held:
        route.continue_()
    one.page.wait_for_selector(".fe-mount[data-state=ready]")
    mounted = host.bounding_box()["height"]
    one.settle()
    after = host.bounding_box()["height"]
    measured(f"lab {name}, {width} px: height before, mounted, ready", f"{before:.0f}, {mounted:.0f}, {after:.0f} px")
    assert max(abs(mounted - before), abs(after - before)) < 12


LOOK = """
(lab) => [...lab.querySelectorAll("*")].map((e) => {
  const { width, height } = e.getBoundingClientRect();
  const { display, color, backgroundColor, fill, stroke, strokeWidth, fontSize, margin, padding } = getComputedStyle(e);
  return [e.tagName, e.getAttribute("class"), width, height, display, color, backgroundColor, fill, stroke, strokeWidth,
    fontSize, margin, padding].join(" ");
})
"""


def test_another_lab_s_style_changes_nothing(reader, name):
    """A page may hold several labs, whose classes have the same names."""
    one = reader()
    page = one.open(page_of(name))
    one.settle()
    lab = page.locator(".fe-lab").first
    before = lab.evaluate(LOOK)
    page.add_style_tag(content="".join((STATIC / f"{other}.css").read_text() for other in LABS if other != name))
    one.frame()
    assert [(old, new) for old, new in zip(before, lab.evaluate(LOOK), strict=True) if old != new] == []


def test_axe_finds_nothing_in_a_step(reader, name):
    one = reader(color_scheme="light")
    page = one.open(page_of(name))
    page.locator(".fe-step").nth(2).click()
    one.settle()
    found = violations(page, ".fe-lab")
    in_the_dark(page)
    assert found + violations(page, ".fe-lab", CONTRAST) == []


def test_a_press_of_a_step_moves_nothing_and_its_sentence_stays_true(reader, name):
    one = reader()
    page = one.open(page_of(name))
    one.settle()
    body = page.locator(".fe-body").first
    top = body.bounding_box()["y"]
    for i in range(3):
        page.locator(".fe-step").nth(i).click()
        one.settle()
        assert body.bounding_box()["y"] == pytest.approx(top)
        assert page.locator(".fe-moved-on:visible").count() == 0
    slider = page.locator(".fe-lab input[type=range]:visible:enabled").first
    slider.press("ArrowLeft" if slider.input_value() == slider.get_attribute("max") else "ArrowRight")
    page.locator(".fe-moved-on:visible").wait_for()


MOUNT = """
async () => {
  const host = document.querySelector(".fe-mount");
  const { mount } = await import(document.querySelector("script[src*='mount.js']").src);
  const twin = document.createElement("div");
  twin.className = "fe-mount";
  twin.dataset.lab = host.dataset.lab;
  twin.append(...[...host.children].filter((e) => !e.matches(".fe-live")).map((e) => e.cloneNode(true)));
  document.body.append(twin);
  const seen = () => [".fe-lab", ".fe-still"].map((part) => twin.querySelector(part)?.checkVisibility() ?? false);
  const count = () => [...left(), window.workers];
  const before = count();
  const unmount = await mount(twin);
  await new Promise(requestAnimationFrame);
  const [during, mounted] = [count(), seen()];
  [...twin.querySelectorAll("button")].find((button) => ["Play", "Next"].includes(button.textContent))?.click();
  twin.querySelector("input[type=range]").dispatchEvent(new Event("input", { bubbles: true }));
  unmount();
  const [after, unmounted] = [count(), seen()];
  twin.remove();
  return [during[0] - before[0], after.map((number, i) => number - before[i]), mounted, unmounted];
}
"""


def test_mounting_again_and_again_leaves_nothing(reader, name, measured):
    one = reader()
    one.page.add_init_script(COUNT_LISTENERS)
    one.page.add_init_script(COUNT_WORKERS)
    page = one.open(page_of(name))
    one.settle()
    session = one.context.new_cdp_session(page)

    def heap() -> float:
        for _ in range(2):
            session.send("HeapProfiler.collectGarbage")
        return session.send("Runtime.getHeapUsage")["usedSize"] / 1e6

    added, left, mounted, unmounted = page.evaluate(MOUNT)
    assert added > 5 and left == [0, 0, 0]
    assert (mounted, unmounted) == ([True, False], [False, True])  # the lab, and its still picture
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
    expect(page.get_by_text("where JavaScript runs, you can move it").first).to_be_visible()
    page.emulate_media(media="print")
    expect(still).to_be_visible()
