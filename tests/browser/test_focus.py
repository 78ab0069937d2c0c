"""The lab `focus` on the built page: what it shows is what Python computes, however it is moved."""

import json
import math
import random

import numpy as np
import pytest
import torch

from flatten_edu.analysis import angle_degrees, entropy_bits, top1_share
from flatten_edu.data import patch_features, photo
from flatten_edu.functional import focused_map, linear_weights, softmax_weights
from tests.browser.conftest import CHAPTER, INTRO, fragment
from tests.browser.in_page import pixels


def expected(q, k, p) -> dict[str, float]:
    """Every figure of the plane, by Python's functions in float64."""
    q, k = torch.tensor([q], dtype=torch.float64), torch.tensor(k, dtype=torch.float64)
    turned_q, turned_k = focused_map(q, p), focused_map(k, p)
    weights = {
        "relu": linear_weights(q.relu(), k.relu())[0],
        "focused": linear_weights(turned_q, turned_k)[0],
        "softmax": softmax_weights(q, k)[0],
    }
    found = {"p": p, "norm_q_before": q.relu().norm(), "norm_q": turned_q.norm()}
    for kind, row in weights.items():
        found |= {f"entropy_{kind}": entropy_bits(row), f"top1_{kind}": top1_share(row)}
        found |= {f"weight_{kind}_k{j + 1}": weight for j, weight in enumerate(row)}
    for j in range(len(k)):
        name = f"k{j + 1}"
        found |= {f"norm_{name}_before": k[j].relu().norm(), f"norm_{name}": turned_k[j].norm()}
        found[f"angle_q_{name}_before"] = angle_degrees(q.relu(), k[j : j + 1].relu())[0]
        found[f"angle_q_{name}"] = angle_degrees(turned_q, turned_k[j : j + 1])[0]
    return {name: float(value) for name, value in found.items()}


def assert_shows(reader, q, k, lab=0):
    shown = {name: value for name, value in reader.outputs(lab).items() if not name.startswith("photo_")}
    assert shown == pytest.approx(expected(q, k, shown["p"]), rel=1e-6, abs=1e-6, nan_ok=True)
    return shown


def random_vectors(seed):
    """q and two to six keys; now and then with negative entries, zeros, ties."""
    draw = random.Random(seed)
    entry = lambda: draw.choice([round(draw.uniform(0, 1.2), 3), round(draw.uniform(-0.5, 1.2), 3), 0.0, 0.7])  # noqa: E731
    return [entry(), entry()], [[entry(), entry()] for _ in range(draw.randint(2, 6))]


@pytest.mark.parametrize("seed", range(8))
def test_moving_p_by_keyboard_shows_what_python_says(reader, seed):
    q, k = random_vectors(seed)
    one = reader()
    page = one.open(INTRO + fragment("focus", q=q, k=k))
    slider = page.get_by_role("slider", name="p, focusing factor")
    slider.focus()
    seen = []
    for keys in ["Home", "ArrowRight", *["ArrowRight"] * 3, *["PageUp"] * 8, "ArrowLeft", "End"]:
        slider.press(keys)
        seen.append(assert_shows(one, q, k)["p"])
    assert seen[0] == 1 and seen[-1] == 256 and len(set(seen)) == 15


def test_whole_numbers_are_reached_exactly_by_arrows_and_by_buttons(reader):
    one = reader()
    page = one.open(INTRO)
    slider = page.get_by_role("slider", name="p, focusing factor")
    slider.press("Home")
    seen = []
    for _ in range(160):
        seen.append(one.outputs()["p"])
        slider.press("ArrowRight")
    assert {1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 64, 128} <= set(seen)
    assert np.all(np.diff(seen) > 0)
    for p in [1, 2, 3, 4, 8]:
        page.get_by_role("button", name=f"p = {p}", exact=True).click()
        assert one.outputs()["p"] == p


def handle(page, name):
    return page.locator(f".fe-handle[data-vector='{name}']").first


def position(page, name) -> list[float]:
    return json.loads(f"[{handle(page, name).get_attribute('aria-valuetext')}]")


FIGURE_4 = {"q": [0.39, 0.94], "k": [[0.43, 0.86], [0.55, 0.3], [0.97, 0.32], [0.85, 0.14]]}


def test_the_first_view_is_figure_4(reader):
    one = reader()
    one.open(INTRO)
    shown = assert_shows(one, **FIGURE_4)
    for kind, printed in {"relu": [0.37, 0.19, 0.26, 0.18], "focused": [0.75, 0.11, 0.09, 0.05]}.items():
        assert [shown[f"weight_{kind}_k{j}"] for j in range(1, 5)] == pytest.approx(printed, abs=0.005)


@pytest.mark.parametrize("name", ["q", "k1", "k3"])
@pytest.mark.parametrize("by", ["mouse", "touch", "keyboard"])
def test_dragging_a_vector_shows_what_python_says(reader, name, by):
    one = reader(has_touch=by == "touch")
    page = one.open(INTRO)
    before = position(page, name)
    target = handle(page, name)
    box = target.locator(".fe-knob").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    if by == "keyboard":
        target.focus()
        for key in ["ArrowDown", "ArrowDown", "Shift+ArrowLeft", "ArrowRight"]:
            target.press(key)
    elif by == "mouse":
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 30, y + 20, steps=5)
        page.mouse.up()
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
    moved = {"q": FIGURE_4["q"], "k": list(FIGURE_4["k"])}
    if name == "q":
        moved["q"] = after
    else:
        moved["k"][int(name[1]) - 1] = after
    assert_shows(one, **moved)


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


def test_a_query_that_relu_removes_is_told_so(reader):
    one = reader()
    page = one.open(INTRO + fragment("focus", q=[-0.2, -0.1]))
    shown = assert_shows(one, [-0.2, -0.1], FIGURE_4["k"])
    assert math.isnan(shown["angle_q_k1"]) and shown["weight_focused_k1"] == 0
    assert "no attention is paid" in page.locator(".fe-summary").inner_text()
    assert "NaN" not in page.locator(".fe-lab").inner_text()


def test_the_photograph_shows_what_python_says(reader):
    one = reader()
    page = one.open(INTRO)
    page.get_by_role("tab", name="Photograph").click()
    page.wait_for_function("document.querySelector('[data-name=photo_top1_focused]').dataset.value")
    tokens = patch_features(photo("chelsea")).double()
    slider = page.get_by_role("slider", name="p, focusing factor")
    picker = page.get_by_role("slider", name="query patch")
    patch = int(picker.get_attribute("aria-valuenow"))
    for act in [
        lambda: None,
        lambda: slider.press("PageUp"),
        lambda: slider.press("End"),
        lambda: picker.press("ArrowDown"),
    ]:
        act()
        shown = one.outputs()
        patch_now = int(picker.get_attribute("aria-valuenow"))
        query, p = tokens[patch_now : patch_now + 1], shown["p"]
        weights = {
            "softmax": softmax_weights(query, tokens)[0],
            "relu": linear_weights(query.relu(), tokens.relu())[0],
            "focused": linear_weights(focused_map(query, p), focused_map(tokens, p))[0],
        }
        for kind, row in weights.items():
            assert shown[f"photo_entropy_{kind}"] == pytest.approx(entropy_bits(row).item(), rel=1e-6)
            assert shown[f"photo_top1_{kind}"] == pytest.approx(top1_share(row).item(), rel=1e-6)
    assert patch_now == patch + 14


@pytest.mark.parametrize("kind", ["picker", "map"])
def test_a_click_on_the_photograph_chooses_the_query(reader, kind):
    one = reader()
    page = one.open(INTRO + fragment("focus", view="photo"))
    page.wait_for_function("document.querySelector('[data-name=photo_top1_focused]').dataset.value")
    canvas = page.locator(".fe-maps canvas").nth(0 if kind == "picker" else 2)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    canvas.click(position={"x": box["width"] * 2.5 / 14, "y": box["height"] * 1.5 / 14})
    one.frame()
    assert page.get_by_role("slider", name="query patch").get_attribute("aria-valuenow") == str(14 + 2)


def brightness(page, kind) -> np.ndarray:
    """The mean light of each patch of a map, as painted."""
    image = pixels(page.locator(f".fe-maps canvas[data-kind={kind}]")).mean(-1)
    return image.reshape(14, 24, 14, 24)[:, 6:18, :, 6:18].mean((1, 3)).ravel()


def test_the_maps_paint_their_weights(reader):
    one = reader()
    page = one.open(INTRO + fragment("focus", view="photo", p=1, patch=75))
    page.wait_for_function("document.querySelector('[data-name=photo_top1_focused]').dataset.value")
    one.frame()
    at_1 = brightness(page, "focused")
    assert at_1 == pytest.approx(brightness(page, "relu"))
    page.get_by_role("button", name="p = 8", exact=True).click()
    one.frame()
    tokens = patch_features(photo("chelsea"))
    fewer = linear_weights(focused_map(tokens, 8), focused_map(tokens, 8))[75] < 0.02
    assert brightness(page, "focused")[fewer.numpy()].mean() < 0.7 * at_1[fewer.numpy()].mean()


def test_a_link_brings_back_the_view(reader):
    one = reader(permissions=["clipboard-read", "clipboard-write"])
    page = one.open(INTRO)
    page.get_by_role("button", name="A pair moves apart").click()
    page.get_by_role("button", name="p = 8", exact=True).click()
    page.get_by_role("button", name="Copy a link").click()
    page.wait_for_function("document.querySelector('.fe-lab').textContent.includes('Link copied')")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(one.site) and link == page.url
    shown = one.outputs()
    one.open(link.removeprefix(one.site))
    assert one.outputs() == shown


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


def test_unmounting_brings_back_the_still_picture(reader):
    one = reader()
    page = one.open(INTRO)
    script = page.locator("script[src*='mount.js']").get_attribute("src")
    again = f"""async () => {{
      const {{ mount }} = await import(new URL({json.dumps(script)}, document.baseURI));
      const host = document.createElement("div");
      host.className = "fe-mount";
      host.dataset.lab = "focus";
      host.innerHTML = document.querySelector(".fe-mount").innerHTML;
      host.querySelector(".fe-live").remove();
      document.body.append(host);
      const seen = (selector) => [...host.querySelectorAll(selector)].filter((e) => e.checkVisibility()).length;
      const states = [];
      for (let i = 0; i < 2; i++) {{
        const unmount = await mount(host);
        states.push(seen(".fe-lab"), seen(".fe-still"));
        unmount();
        states.push(seen(".fe-lab"), seen(".fe-still"));
      }}
      return states;
    }}"""
    assert page.evaluate(again) == [1, 0, 0, 1] * 2


def drag_to(one, name, dx, dy, steps=6):
    """Drag a handle by so many pixels of the screen."""
    box = handle(one.page, name).locator(".fe-knob").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    one.page.mouse.move(x, y)
    one.page.mouse.down()
    one.page.mouse.move(x + dx, y + dy, steps=steps)
    one.page.mouse.up()
    one.frame()


def test_a_vector_that_was_made_small_can_grow_again(reader):
    one = reader()
    page = one.open(INTRO + fragment("focus", k=[[0.3, 0.2]]))
    plane = page.locator(".fe-plane").bounding_box()
    for _ in range(2):
        box = handle(page, "q").locator(".fe-knob").bounding_box()
        drag_to(one, "q", plane["x"] + 80 - box["x"], plane["y"] + plane["height"] - 90 - box["y"])
    small = math.hypot(*position(page, "q"))
    drag_to(one, "q", 200, -200)
    assert math.hypot(*position(page, "q")) > max(0.6, 3 * small)


def test_a_far_vector_stays_under_the_pointer(reader):
    one = reader()
    page = one.open(INTRO + fragment("focus", q=[8, 6]))
    box = handle(page, "q").locator(".fe-knob").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(12):
        page.mouse.move(x - 25 + i % 2, y + 10)
        one.frame()
    held = handle(page, "q").locator(".fe-knob").bounding_box()
    assert (held["x"], held["y"]) == pytest.approx((box["x"] - 24, box["y"] + 10), abs=3)
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


@pytest.mark.parametrize(
    ("traits", "words"),
    [
        ({"q": [-1, -0.2]}, "q has no positive entry"),
        ({"k": [[-1, -1]]}, "No key has a positive entry"),
        ({"q": [1, 0], "k": [[0, 1]]}, "q is at right angles to every key"),
        (
            {"q": [1, 0.99], "k": [[1, 0.5]]},
            "k₁ has its largest entry where q has it, and still moves away: a larger p",
        ),
        ({"q": [1, 0.999], "k": [[1, 0.9]], "p": 256}, "still moves away. Most"),
        ({"p": 1}, "nothing is turned yet"),
    ],
)
def test_the_summary_is_true(reader, traits, words):
    one = reader()
    page = one.open(INTRO + fragment("focus", **traits))
    one.frame()
    assert words in page.locator(".fe-summary p").first.inner_text()
    assert "NaN" not in page.locator(".fe-lab").evaluate("(lab) => lab.outerHTML.replaceAll(/data-value=.NaN./g, '')")


def test_a_link_to_the_second_lab_leads_there(reader):
    one = reader()
    page = one.open(CHAPTER + fragment("focus-2", p=8), labs=False)
    page.wait_for_function("document.querySelectorAll('.fe-mount[data-lab=focus]')[1].dataset.state === 'ready'")
    lab = page.locator(".fe-mount[data-lab=focus]").nth(1)
    assert lab.locator("[data-name=p]").get_attribute("data-value") == "8"
    page.wait_for_function(
        "Math.abs(document.querySelectorAll('.fe-mount[data-lab=focus]')[1].getBoundingClientRect().top) < 400"
    )
    page.evaluate("location.hash = 'focus-2.p=4'")
    page.wait_for_function(
        "document.querySelectorAll('.fe-mount[data-lab=focus]')[1].querySelector('[data-name=p]').dataset.value === '4'"
    )


def test_without_a_clipboard_the_link_is_shown(reader):
    one = reader()
    one.page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page = one.open(INTRO)
    page.get_by_role("button", name="p = 8", exact=True).click()
    page.get_by_role("button", name="Copy a link").click()
    address = page.get_by_role("textbox", name="link to this view")
    assert address.input_value() == page.url and "focus.p=8" in page.url


def test_the_link_to_the_next_lab_takes_p_along(reader):
    one = reader()
    page = one.open("book/labs/focus.html")
    page.get_by_role("button", name="p = 8", exact=True).click()
    one.frame()
    assert page.locator(".fe-lab .fe-open a").get_attribute("href").endswith("/proof.html#proof.p=8")
    page.locator(".fe-lab .fe-open a").click()
    page.wait_for_function("document.querySelector('.fe-lab[data-lab=proof] [data-name=p]')?.dataset.value === '8'")
