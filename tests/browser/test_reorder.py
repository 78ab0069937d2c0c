"""The lab `reorder` on its page: what it shows is what Python counts and multiplies, however it is moved."""

import random
import re

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from flatten_edu.functional import attention_cost, cheaper_order, multiply_adds_after
from flatten_edu.labs.reorder.lab import EXAMPLE
from tests.browser.conftest import fragment
from tests.browser.in_page import guided, views
from tests.browser.test_twins import double

PAGE = "book/labs/reorder.html"
ORDERS = ["qk_first", "kv_first"]
DTYPES = {"float32": torch.float32, "float16": torch.float16}


def expected_scale(n, d, dtype="float32", **_) -> dict[str, float]:
    """Every figure of the first view, by Python's functions."""
    costs = {order: attention_cost(n, d, order) for order in ORDERS}
    found = {"n": n, "d": d}
    for order, cost in costs.items():
        found |= {
            f"{name}_{order}": getattr(cost, name) for name in ("first", "second", "multiply_adds", "intermediate")
        }
        found[f"bytes_{order}"] = cost.intermediate * DTYPES[dtype].itemsize
    qk, kv = costs.values()
    return found | {
        f"ratio_{name}": getattr(qk, name) / getattr(kv, name) for name in ("multiply_adds", "intermediate")
    }


def expected_steps(at, order, normalised=False) -> dict[str, float]:
    """Every figure of the second view on the book's example."""
    n, d, e = 6, 3, 3 + normalised
    total = attention_cost(n, d, order, e).intermediate + n * e
    at = min(at, total)
    found = {"at": at, "entries": total, "done": multiply_adds_after(at, n, d, order, e), "difference": 0}
    return found | {f"total_{order}": attention_cost(n, d, order, e).multiply_adds for order in ORDERS}


def assert_shows(shown, wanted):
    """What a reader, or one of `views`, shows is what is wanted, to the last digit."""
    figures, text = shown.values() if isinstance(shown, dict) else (shown.outputs(), "")
    assert {name: figures[name] for name in wanted} == wanted
    assert not re.search("NaN|undefined|Infinity", text)


def test_all_token_counts_of_vision_are_stops(bare):
    stops = bare("reorder").evaluate("[lab.N_STOPS, lab.D_STOPS]")
    assert {6, 16, 49, 64, 196, 197, 784, 1024, 3136, 4096, 12544, 16384} <= set(stops[0])
    assert [(row[0], row[-1], row == sorted(row)) for row in stops] == [(4, 16384, True), (1, 256, True)]


def test_the_marker_on_the_chart_is_the_slider(reader):
    one = reader()
    page = one.open(PAGE)
    marker = page.get_by_role("slider", name="N, marker on the chart")
    for key, n in [("Home", 4), ("ArrowRight", 6), ("PageUp", 16), ("ArrowLeft", 12), ("ArrowUp", 16), ("End", 16384)]:
        marker.press(key)
        assert_shows(one, expected_scale(n, 64))
        assert marker.get_attribute("aria-valuenow") == str(n)
    chart = page.locator(".fe-chart")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] - 10, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, middle, steps=4)
    page.mouse.up()
    n = int(one.outputs()["n"])
    assert 49 <= n <= 256
    page.mouse.move(box["x"] + box["width"] * 0.9, middle)
    assert_shows(one, expected_scale(n, 64))


def test_hundreds_of_random_settings_show_what_python_counts(reader):
    draw = random.Random(0)
    cases = [
        {"n": draw.choice([draw.randint(4, 16384), draw.randint(4, 300)]), "d": draw.randint(1, 256)}
        | {"dtype": draw.choice(list(DTYPES)), "order": draw.choice(ORDERS)}
        for _ in range(300)
    ]
    for case, shown in zip(cases, views(reader().open(PAGE), cases), strict=True):
        n, d = case["n"], case["d"]
        assert_shows(shown, expected_scale(**case))
        if n != d:
            cheap = {"qk_first": "(QKᵀ)V takes", "kv_first": "Q(KᵀV) takes"}[cheaper_order(n, n, d, d)]
            assert cheap in shown["text"]


def test_the_matrices_are_drawn_to_scale(reader):
    one = reader()
    page = one.page
    for n, d, order in [(196, 64, "qk_first"), (196, 64, "kv_first"), (16, 256, "qk_first"), (64, 64, "kv_first")]:
        one.open(PAGE + fragment("reorder", n=n, d=d, order=order))
        sides = page.locator(".fe-scale rect").evaluate_all(
            "(all) => all.map((r) => [+r.getAttribute('height'), +r.getAttribute('width')])"
        )
        middle = [n, n] if order == "qk_first" else [d, d]
        wanted = np.array(
            [[n, d], [d, n], [n, d], *([middle, [n, d]] if order == "qk_first" else [[n, d], middle]), [n, d]]
        )
        units = np.array(sides) / wanted
        assert np.ptp(units) < 1e-9 * units.max()


def test_a_side_too_thin_to_see_is_said(reader):
    one = reader()
    page = one.open(PAGE + fragment("reorder", n=16384, d=16))
    one.frame()
    widths = page.locator(".fe-scale rect").evaluate_all("(all) => all.map((r) => +r.getAttribute('width'))")
    assert min(widths) == 1 and "of a pixel; it is drawn as 1" in page.locator(".fe-summary p").first.inner_text()
    assert "of a pixel" not in reader().open(PAGE).locator(".fe-summary p").first.inner_text()


def test_the_guided_steps_show_what_their_text_says(reader):
    one = reader()
    page = one.open(PAGE)
    text = guided(page, 0)
    assert_shows(one, expected_scale(196, 64))
    figures = one.outputs()
    for name in ["intermediate_qk_first", "intermediate_kv_first", "multiply_adds_qk_first", "multiply_adds_kv_first"]:
        assert f"{figures[name]:,.0f}" in text
    text = guided(page, 1)
    assert_shows(one, expected_scale(49, 32))
    assert f"{one.outputs()['ratio_multiply_adds']:.2f} times" in text
    slider = page.get_by_role("slider", name="N, tokens")
    while one.outputs()["n"] > 32:
        slider.press("ArrowLeft")
    assert one.outputs()["n"] == 32 and "exactly the same" in page.locator(".fe-summary p").first.inner_text()
    slider.press("ArrowLeft")
    assert one.outputs()["ratio_multiply_adds"] < 1
    text = guided(page, 2)
    for order in ORDERS:
        assert f"{one.outputs()[f'total_{order}']:.0f}" in text


def minus(value: float) -> str:
    return f"{value:g}".replace("-", "−")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("normalised", [False, True])
def test_each_entry_of_the_example(reader, order, normalised):
    q, k, v = (double(rows) for rows in EXAMPLE.values())
    if normalised:
        v = torch.cat([v, torch.ones(6, 1, dtype=v.dtype)], -1)
    middle = q @ k.mT if order == "qk_first" else k.mT @ v
    values = [*middle.flatten().tolist(), *(q @ k.mT @ v).flatten().tolist()]
    cases = [
        {"view": "steps", "order": order, "normalised": normalised, "at": at, "step": 0}
        for at in range(len(values) + 1)
    ]
    found = views(reader().open(PAGE), cases)
    for at, shown in enumerate(found):
        assert_shows(shown, expected_steps(at, order, normalised))
        assert not at or f"= {minus(values[at - 1])}." in shown["text"]


def test_a_readers_own_numbers(reader):
    draw = np.random.default_rng(3)
    cases = []
    for _ in range(60):
        n, d, e = draw.integers(1, 9), draw.integers(1, 5), draw.integers(1, 5)
        q, k, v = (np.round(draw.normal(size=size), 3).tolist() for size in [(n, d), (n, d), (n, e)])
        cases.append({"view": "steps", "q": q, "k": k, "v": v, "order": draw.choice(ORDERS).item(), "at": 104})
    for case, shown in zip(cases, views(reader().open(PAGE), cases), strict=True):
        n, d, e = len(case["q"]), len(case["q"][0]), len(case["v"][0])
        cost = attention_cost(n, d, case["order"], e)
        done = dict.fromkeys(["done", f"total_{case['order']}"], cost.multiply_adds)
        assert_shows(shown, done | {"at": cost.intermediate + n * e})
        assert 0 <= shown["figures"]["difference"] < 1e-12


def test_the_buttons_step_forward_and_back(reader):
    one = reader()
    page = one.open(PAGE + fragment("reorder", view="steps"))
    for name, at in [("Forward one", 1), ("Forward one", 2), ("Back one", 1), ("End", 54), ("Start", 0)]:
        page.get_by_role("button", name=name).click()
        assert_shows(one, expected_steps(at, "qk_first"))
    page.get_by_role("slider", name="entries computed").press("End")
    assert_shows(one, expected_steps(54, "qk_first"))
    assert page.get_by_role("button", name="Forward one").is_disabled()
    assert page.locator(".fe-empty").count() == 0 and page.locator(".fe-band").count() == 2


def test_a_change_of_order_keeps_what_is_done_within_what_there_is(reader):
    one = reader()
    page = one.open(PAGE + fragment("reorder", view="steps", at=54))
    assert_shows(one, expected_steps(54, "qk_first"))
    page.get_by_role("radio", name="Q(KᵀV)").press("Space")
    assert_shows(one, expected_steps(54, "kv_first"))
    page.get_by_role("button", name="Back one entry").click()
    assert_shows(one, expected_steps(26, "kv_first"))


def test_play_goes_on_by_itself_and_pauses(reader):
    one = reader()
    page = one.open(PAGE + fragment("reorder", view="steps"))
    play = page.get_by_role("button", name="Play")
    play.click()
    page.wait_for_function("document.querySelector('[data-name=at]').dataset.value >= 2")
    play.click()
    at = one.outputs()["at"]
    page.wait_for_timeout(800)
    assert one.outputs()["at"] == at and play.get_attribute("aria-pressed") == "false"


def test_reduced_motion_steps_but_does_not_play(reader):
    page = reader(reduced_motion="reduce").open(PAGE + fragment("reorder", view="steps"))
    expect(page.get_by_role("button", name="Forward one entry")).to_be_visible()
    assert page.get_by_role("button", name="Play").count() == 0
