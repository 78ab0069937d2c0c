"""The lab `proof` on its page: what it shows is what Python finds for the pair, however it is moved."""

import math
import random
import re

import numpy as np
import pytest
import torch

from flatten_edu.analysis import angle_degrees, focused_cosine, largest_coordinate, proposition
from flatten_edu.functional import focused_map
from tests.browser.conftest import fragment
from tests.browser.in_page import guided, views
from tests.browser.test_twins import double, positive_pairs

PAGE = "book/labs/proof.html"
FIRST = {"x": [1, 0.99], "y": [1, 0.5], "p": 3}


def number(value) -> float:
    return math.nan if value is None else float(value)


def expected(x, y, p, **_) -> dict[str, float]:
    """Every figure of the lab, by Python's functions in float64."""
    x, y = double(x), double(y)
    fx, fy = focused_map(x, p), focused_map(y, p)
    found = {"p": p, "norm_x": x.norm(), "norm_fx": fx.norm(), "norm_y": y.norm(), "norm_fy": fy.norm()}
    found |= {
        "inner_first": x @ y,
        "inner": fx @ fy,
        "angle_first": angle_degrees(x, y),
        "angle": angle_degrees(fx, fy),
    }
    zero = not (x.any() and y.any())
    first, now = (math.nan if zero else focused_cosine(x, y, factor) for factor in (1, p))
    found |= {"cosine_first": first, "cosine": now, "compare_first": first}
    found |= {"product_x": x.norm(), "product_y": y.norm(), "product_cosine": now, "product_inner": fx @ fy}
    found["product_first"] = first
    for name, vector, focused in (("x", x, fx), ("y", y, fy)):
        powers = (vector / vector.max()) ** p
        for i in range(len(vector)):
            found |= {f"{name}_{i + 1}": vector[i], f"power_{name}_{i + 1}": powers[i]}
        at = int(largest_coordinate(vector))
        axis = torch.zeros_like(vector)
        axis[max(at, 0)] = 1
        found[f"to_axis_{name}"] = math.nan if at < 0 else (focused / focused.norm() - axis).norm()
    verdict = None if zero else proposition(x, y)
    for name, trait in {"limit": "limit", "holds_from": "holds_from", "worst_p": "worst_p"}.items():
        found[name] = number(verdict and getattr(verdict, trait))
    found["worst_degrees"] = number(verdict and verdict.worst_degrees)
    return {name: float(value) for name, value in found.items()}


def assert_shows(shown, **traits):
    """Of a reader, or one of `views`."""
    figures, text = shown.values() if isinstance(shown, dict) else (shown.outputs(), "")
    wanted = expected(**({"p": figures["p"]} | traits))
    assert set(figures) - {"d"} == set(wanted)
    assert {name: figures[name] for name in wanted} == pytest.approx(wanted, rel=1e-6, abs=1e-9, nan_ok=True)
    assert not re.search("NaN|undefined|Infinity", text)
    return figures


def test_the_first_view(reader):
    one = reader()
    page = one.open(PAGE)
    assert_shows(one, **FIRST)
    assert (
        page.locator(".fe-fails").count() == 1 and "for 1 < p < 111" in page.locator(".fe-summary p").first.inner_text()
    )


def test_hundreds_of_random_pairs_show_what_python_finds(reader):
    draw = random.Random(3)
    cases = [
        {"x": x, "y": y, "p": draw.choice([1, 1.05, 2, 3, 5.6, 8, 32, 256]), "stage": draw.randint(1, 5)}
        for x, y in positive_pairs(np.random.default_rng(3), 250)
    ]
    for case, shown in zip(cases, views(reader().open(PAGE), cases), strict=True):
        assert_shows(shown, **case)
        x, y = double(case["x"]), double(case["y"])
        if x.any() and y.any() and proposition(x, y).case == "tie":
            assert "single largest entry" in shown["text"]


SENTENCES = [
    ([0, 0], [1, 0.5], "x is zero and has no direction"),
    ([0, 0], [0, 0], "x and y are zero and have no direction"),
    ([1, 1], [2, 2], "Neither vector has a single largest entry"),
    ([1, 0.5], [0.7, 0.7], "y has no single largest entry"),
    ([1, 0.5], [0.5, 0.25], "the same way at every p"),
    ([1, 0], [0, 0.25], "stay at right angles"),
    ([1, 0.25], [1, 0.1], "Same largest entry"),
    ([1, 0.25], [1, 0.1], "every p > 1 in the plot will do"),
    ([1, 0.25], [0.1, 1], "Different largest entries"),
    ([1, 0.999], [1, 0.99], "it takes a p beyond 256"),
]


def test_the_sentence_is_true(reader):
    shown = views(reader().open(PAGE), [{"x": x, "y": y, "stage": 4} for x, y, _ in SENTENCES])
    for (x, y, words), one in zip(SENTENCES, shown, strict=True):
        assert words in one["text"]
        assert_shows(one, x=x, y=y)


def test_each_entry_is_a_slider_for_the_keyboard(reader):
    one = reader()
    page = one.open(PAGE)
    x = [1, 0.99]
    slider = page.get_by_role("slider", name="x₂")
    for key, to in [("ArrowLeft", 0.98), ("PageDown", 0.88), ("Home", 0), ("End", 1), ("ArrowLeft", 0.99)]:
        slider.press(key)
        x[1] = assert_shows(one, x=[1, one.outputs()["x_2"]], y=[1, 0.5])["x_2"]
        assert x[1] == pytest.approx(to)
    page.get_by_role("slider", name="y₁").press("Home")
    assert_shows(one, x=x, y=[0, 0.5])


def test_dimensions_come_with_a_zero_and_go(reader):
    one = reader()
    page = one.open(PAGE)
    slider = page.get_by_role("slider", name="d, entries a vector has")
    before = one.outputs()
    slider.press("End")
    after = assert_shows(one, x=[1, 0.99, *[0] * 6], y=[1, 0.5, *[0] * 6])
    assert after["d"] == 8 and after["angle"] == pytest.approx(before["angle"])
    page.get_by_role("slider", name="x₈").press("End")
    assert_shows(one, x=[1, 0.99, *[0] * 5, 1], y=[1, 0.5, *[0] * 6])
    slider.press("Home")
    assert_shows(one, **FIRST)


def test_the_readers_own_scale(reader):
    """Sliders reach as far as the vectors do, and a step is a hundredth of that."""
    one = reader()
    page = one.open(PAGE + fragment("proof", x=[130, 20], y=[4, 90]))
    assert_shows(one, x=[130, 20], y=[4, 90])
    page.get_by_role("slider", name="y₁").press("ArrowRight")
    assert_shows(one, x=[130, 20], y=[6, 90])


def test_the_guided_steps_show_what_their_text_says(reader):
    one = reader()
    page = one.open(PAGE)
    text = guided(page, 0)
    shown = assert_shows(one, **FIRST)
    assert f"from {shown['angle_first']:.1f}° to {shown['angle']:.1f}°" in text
    assert f"near p = {shown['worst_p']:.2g}, with {shown['worst_degrees']:.1f}°" in text
    assert f"from p = {shown['holds_from']:.4g} on" in text
    text = guided(page, 1)
    shown = assert_shows(one, x=[1, 0.25], y=[1, 0.1], p=3)
    assert f"from {shown['angle_first']:.1f}° to {shown['angle']:.1f}°" in text and shown["holds_from"] == 1
    for _ in range(4):
        page.get_by_role("slider", name="x₂").press("PageUp")
    one.frame()
    assert page.locator(".fe-fails").count() == 1
    text = guided(page, 2)
    shown = assert_shows(one, x=[1, 0.9, 0.6], y=[0.9, 1, 0], p=3)
    assert f"{shown['angle']:.1f}° after {shown['angle_first']:.1f}°" in text
    assert f"from p = {shown['holds_from']:.4g} on" in text


def test_the_reader_walks_through_the_proof(reader):
    one = reader()
    page = one.open(PAGE)
    following, back = (page.get_by_role("button", name=name) for name in ("Next step of the proof", "Back one step"))
    for stage in range(1, 6):
        assert page.locator(".fe-proof [aria-expanded=true]").inner_text().startswith(str(stage))
        assert page.locator(".fe-stage-body:visible").count() == 1
        assert following.is_disabled() == (stage == 5) and back.is_disabled() == (stage == 1)
        if stage < 5:
            following.press("Enter")
            one.frame()
    page.locator(".fe-stage").nth(1).click()
    page.wait_for_function("document.querySelectorAll('.fe-stage')[1].getAttribute('aria-expanded') === 'true'")


def test_the_shading_is_where_it_fails(reader):
    one = reader()
    page = one.open(PAGE + fragment("proof", x=[1, 0.9, 0.6], y=[0.9, 1, 0]))
    one.frame()
    box = page.locator(".fe-fails").evaluate("(r) => [+r.getAttribute('x'), +r.getAttribute('width')]")
    start, width = 30, 360 - 46 - 30
    end = proposition(double([1, 0.9, 0.6]), double([0.9, 1, 0])).fails[0][1]
    assert box == pytest.approx([start, width * math.log2(end) / 8], abs=0.01)


def test_a_link_with_two_lengths_fills_up_with_zeros(reader):
    one = reader()
    one.open(PAGE + fragment("proof", x=[1, 0.5, 0.2]))
    assert_shows(one, x=[1, 0.5, 0.2], y=[1, 0.5, 0])
