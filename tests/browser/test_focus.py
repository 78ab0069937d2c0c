"""The lab `focus` on the built page: what it shows is what Python computes, however it is moved."""

import json
import math
import random

import numpy as np
import pytest

from flatten_edu.analysis import angle_degrees, entropy_bits, top1_share
from flatten_edu.data import patch_features, photo
from flatten_edu.functional import focused_map, linear_weights, softmax_weights
from flatten_edu.labs.focus.lab import FIGURE_4
from tests.browser.conftest import CHAPTER, INTRO, fragment
from tests.browser.in_page import pixels, views
from tests.browser.test_twins import double

PHOTO = fragment("focus", view="photo")
PAINTED = "document.querySelector('[data-name=photo_top1_focused]').dataset.value"


def weights_of(q, k, p) -> dict:
    """The first query's weights over the keys, by each kind."""
    phi = {"relu": (q.relu(), k.relu()), "focused": (focused_map(q, p), focused_map(k, p))}
    return {"softmax": softmax_weights(q, k)[0]} | {kind: linear_weights(*both)[0] for kind, both in phi.items()}


def expected(q, k, p) -> dict[str, float]:
    """Every figure of the plane, by Python's functions in float64."""
    q, k = double([q]), double(k)
    turned_q, turned_k = focused_map(q, p), focused_map(k, p)
    found = {"p": p, "norm_q_before": q.relu().norm(), "norm_q": turned_q.norm()}
    for kind, row in weights_of(q, k, p).items():
        found |= {f"entropy_{kind}": entropy_bits(row), f"top1_{kind}": top1_share(row)}
        found |= {f"weight_{kind}_k{j + 1}": weight for j, weight in enumerate(row)}
    for j in range(len(k)):
        name = f"k{j + 1}"
        found |= {f"norm_{name}_before": k[j].relu().norm(), f"norm_{name}": turned_k[j].norm()}
        found[f"angle_q_{name}_before"] = angle_degrees(q.relu(), k[j : j + 1].relu())[0]
        found[f"angle_q_{name}"] = angle_degrees(turned_q, turned_k[j : j + 1])[0]
    return {name: float(value) for name, value in found.items()}


def assert_shows(shown, q, k, p=None):
    wanted = expected(q, k, p or shown["p"])
    assert shown == pytest.approx(wanted, rel=1e-6, abs=1e-6, nan_ok=True)
    return shown


def test_random_vectors_show_what_python_says(reader):
    """One to six keys; now and then with negative entries, zeros, ties."""
    draw = random.Random(0)
    entry = lambda: draw.choice([round(draw.uniform(0, 1.2), 3), round(draw.uniform(-0.5, 1.2), 3), 0.0, 0.7])  # noqa: E731
    point = lambda: [entry(), entry()]  # noqa: E731
    cases = [
        {
            "q": point(),
            "k": [point() for _ in range(draw.randint(1, 6))],
            "p": draw.choice([1, 1.05, 2, 3, 8, 32.4, 256]),
        }
        for _ in range(100)
    ]
    for case, shown in zip(cases, views(reader().open(INTRO), cases), strict=True):
        assert_shows(shown["figures"], **case)
        assert "NaN" not in shown["text"]


SENTENCES = [
    ({"q": [-1, -0.2]}, "q has no positive entry: ReLU leaves nothing of it, and no attention is paid"),
    ({"k": [[-1, -1]]}, "No key has a positive entry"),
    ({"q": [1, 0], "k": [[0, 1]]}, "q is at right angles to every key"),
    ({"q": [1, 0.99], "k": [[1, 0.5]]}, "k₁ has its largest entry where q has it, and still moves away: a larger p"),
    ({"q": [1, 0.999], "k": [[1, 0.9]], "p": 256}, "still moves away. Most"),
    ({"p": 1}, "nothing is turned yet"),
]


def test_the_summary_is_true(reader):
    shown = views(reader().open(INTRO), [traits for traits, _ in SENTENCES])
    assert [words for (_, words), one in zip(SENTENCES, shown, strict=True) if words not in one["text"]] == []


def test_the_first_view_is_figure_4(reader):
    one = reader()
    one.open(INTRO)
    shown = assert_shows(one.outputs(), **FIGURE_4)
    for kind, printed in {"relu": [0.37, 0.19, 0.26, 0.18], "focused": [0.75, 0.11, 0.09, 0.05]}.items():
        assert [shown[f"weight_{kind}_k{j}"] for j in range(1, 5)] == pytest.approx(printed, abs=0.005)


def handle(page, name):
    return page.locator(f".fe-handle[data-vector='{name}']").first


def position(page, name) -> list[float]:
    return json.loads(f"[{handle(page, name).get_attribute('aria-valuetext')}]")


def middle(page, name) -> tuple[float, float]:
    box = handle(page, name).locator(".fe-knob").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag_to(one, name, dx, dy):
    """Drag a handle by so many pixels of the screen."""
    x, y = middle(one.page, name)
    one.page.mouse.move(x, y)
    one.page.mouse.down()
    one.page.mouse.move(x + dx, y + dy, steps=6)
    one.page.mouse.up()
    one.frame()


@pytest.mark.parametrize(("name", "by"), [("q", "mouse"), ("k1", "touch"), ("k3", "keyboard"), ("q", "touch")])
def test_dragging_a_vector_shows_what_python_says(reader, name, by):
    one = reader(has_touch=by == "touch")
    page = one.open(INTRO)
    before, (x, y) = position(page, name), middle(page, name)
    if by == "keyboard":
        for key in ["ArrowDown", "ArrowDown", "Shift+ArrowLeft", "ArrowRight"]:
            handle(page, name).press(key)
    elif by == "mouse":
        drag_to(one, name, -30, 20)
    else:
        touch = one.context.new_cdp_session(page)
        for kind, points in [("Start", [(0, 0)]), ("Move", [(-20, 10)]), ("Move", [(-30, 20)]), ("End", [])]:
            touch.send("Input.dispatchTouchEvent", {
                "type": f"touch{kind}", "touchPoints": [{"x": x + dx, "y": y + dy} for dx, dy in points],
            })  # fmt: skip
    one.frame()
    after = position(page, name)
    if by == "keyboard":
        assert after == pytest.approx([before[0] - 0.09, before[1] - 0.02], abs=1e-9)
    else:
        assert after[0] < before[0] - 0.05 and after[1] < before[1] - 0.03
    points = [FIGURE_4["q"], *FIGURE_4["k"]]
    points[int(name[1:] or 0)] = after
    assert_shows(one.outputs(), points[0], points[1:])


def test_the_button_loads_a_pair_that_moves_apart(reader):
    one = reader()
    page = one.open(INTRO)
    page.get_by_role("button", name="A pair moves apart").click()
    shown = one.outputs()
    assert (shown["angle_q_k1_before"], shown["angle_q_k1"]) == pytest.approx((18.1, 37.0), abs=0.05)
    assert page.locator("[data-name=group_k1]").get_attribute("data-value") == "same"
    assert page.locator("[data-name=verdict_k1]").get_attribute("data-value") == "apart"
    page.get_by_role("slider", name="p, focusing factor").press("End")
    one.frame()
    assert page.locator("[data-name=verdict_k1]").get_attribute("data-value") == "closer"


def test_the_photograph_shows_what_python_says(reader):
    one = reader()
    page = one.open(INTRO + PHOTO)
    page.wait_for_function(PAINTED)
    tokens = patch_features(photo("chelsea")).double()
    slider = page.get_by_role("slider", name="p, focusing factor")
    picker = page.get_by_role("slider", name="query patch")
    canvas = page.locator(".fe-maps canvas").nth(2)
    side = canvas.bounding_box()["width"] / 14
    acts = [
        lambda: None, lambda: slider.press("PageUp"), lambda: slider.press("End"), lambda: picker.press("ArrowDown"),
        lambda: canvas.click(position={"x": 2.5 * side, "y": 1.5 * side}),
    ]  # fmt: skip
    for act, wanted in zip(acts, [75, 75, 75, 89, 16], strict=True):
        act()
        shown = one.outputs()
        patch = int(picker.get_attribute("aria-valuenow"))
        assert patch == wanted
        for kind, row in weights_of(tokens[patch : patch + 1], tokens, shown["p"]).items():
            assert shown[f"photo_entropy_{kind}"] == pytest.approx(entropy_bits(row).item(), rel=1e-6)
            assert shown[f"photo_top1_{kind}"] == pytest.approx(top1_share(row).item(), rel=1e-6)


def brightness(page, kind) -> np.ndarray:
    """The mean light of each patch of a map, as painted."""
    image = pixels(page.locator(f".fe-maps canvas[data-kind={kind}]")).mean(-1)
    return image.reshape(14, 24, 14, 24)[:, 6:18, :, 6:18].mean((1, 3)).ravel()


def test_the_maps_paint_their_weights(reader):
    one = reader()
    page = one.open(INTRO + fragment("focus", view="photo", p=1, patch=75))
    page.wait_for_function(PAINTED)
    one.frame()
    at_1 = brightness(page, "focused")
    assert at_1 == pytest.approx(brightness(page, "relu"))
    page.get_by_role("button", name="p = 8", exact=True).click()
    one.frame()
    tokens = patch_features(photo("chelsea"))
    fewer = linear_weights(focused_map(tokens, 8), focused_map(tokens, 8))[75] < 0.02
    assert brightness(page, "focused")[fewer.numpy()].mean() < 0.7 * at_1[fewer.numpy()].mean()


def test_two_labs_on_one_page_do_not_disturb_each_other(reader):
    one = reader()
    page = one.open(CHAPTER)
    labs = page.locator(".fe-lab[data-lab=focus]")
    assert labs.count() == 2 and page.locator(".fe-lab").count() == 4  # `proof` stands between them
    second = one.outputs(2)
    labs.nth(0).get_by_role("button", name="p = 8", exact=True).click()
    assert one.outputs(0)["p"] == 8 and one.outputs(2) == second
    labs.nth(1).get_by_role("button", name="p = 2", exact=True).click()
    assert one.outputs(0)["p"] == 8 and one.outputs(2)["p"] == 2
    page.wait_for_function("location.hash.includes('focus-2.p=2')")
    ids = page.evaluate("[...document.querySelectorAll('.fe-lab [id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids)) > 0


def test_a_link_to_the_second_lab_leads_there(reader):
    page = reader().open(CHAPTER + fragment("focus-2", p=8), labs=False)
    second = "document.querySelectorAll('.fe-mount[data-lab=focus]')[1]"
    page.wait_for_function(f"{second}.querySelector('.fe-lab [data-name=p]')?.dataset.value === '8'")
    page.wait_for_function(f"Math.abs({second}.getBoundingClientRect().top) < 400")
    page.wait_for_function(f"{second}.dataset.state === 'ready'")
    page.evaluate("location.hash = 'focus-2.p=4'")
    page.wait_for_function(f"{second}.querySelector('[data-name=p]').dataset.value === '4'")


def test_a_vector_that_was_made_small_can_grow_again(reader):
    one = reader()
    page = one.open(INTRO + fragment("focus", k=[[0.3, 0.2]]))
    plane = page.locator(".fe-plane").bounding_box()
    for _ in range(2):
        x, y = middle(page, "q")
        drag_to(one, "q", plane["x"] + 90 - x, plane["y"] + plane["height"] - 80 - y)
    small = math.hypot(*position(page, "q"))
    drag_to(one, "q", 200, -200)
    assert math.hypot(*position(page, "q")) > max(0.6, 3 * small)


def test_a_far_vector_stays_under_the_pointer(reader):
    one = reader()
    page = one.open(INTRO + fragment("focus", q=[8, 6]))
    x, y = middle(page, "q")
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(12):
        page.mouse.move(x - 25 + i % 2, y + 10)
        one.frame()
    assert middle(page, "q") == pytest.approx((x - 24, y + 10), abs=3)
    page.mouse.up()


def test_q_dragged_far_out_moves_softmax_alone(reader):
    one = reader()
    one.open(INTRO)
    before = one.outputs()
    drag_to(one, "q", 250 * 0.39, -250 * 0.94)
    after = one.outputs()
    assert after["norm_q"] > 1.5
    assert after["top1_softmax"] > before["top1_softmax"] + 0.03
    assert after["top1_focused"] == pytest.approx(before["top1_focused"], abs=0.02)


def test_arrow_keys_move_one_coordinate_and_leave_the_other(reader):
    one = reader()
    page = one.open(INTRO + fragment("focus", q=[-0.5, 0.9]))
    for key in ["ArrowUp", "ArrowDown", "ArrowUp", "ArrowUp"]:
        handle(page, "q").press(key)
    one.frame()
    assert position(page, "q") == pytest.approx([-0.5, 0.92])


@pytest.mark.parametrize("clipboard", [True, False])
def test_the_link_to_this_view_is_copied_or_shown(reader, clipboard):
    one = reader(permissions=["clipboard-read", "clipboard-write"])
    if not clipboard:
        one.page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page = one.open(INTRO)
    page.get_by_role("button", name="p = 8", exact=True).click()
    page.get_by_role("button", name="Copy a link").click()
    if clipboard:
        page.get_by_text("Link copied").wait_for()
        link = page.evaluate("navigator.clipboard.readText()")
    else:
        link = page.get_by_role("textbox", name="link to this view").input_value()
    assert link == page.url and "focus.p=8" in link


def test_the_link_to_the_next_lab_takes_p_along(reader):
    one = reader()
    page = one.open("book/labs/focus.html")
    page.get_by_role("button", name="p = 8", exact=True).click()
    one.frame()
    assert page.locator(".fe-lab .fe-open a").get_attribute("href").endswith("/proof.html#proof.p=8")
    page.locator(".fe-lab .fe-open a").click()
    page.wait_for_function("document.querySelector('.fe-lab[data-lab=proof] [data-name=p]')?.dataset.value === '8'")
