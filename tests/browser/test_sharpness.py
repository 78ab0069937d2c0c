"""The lab `sharpness` on the built page: what it shows is what Python computes, however it is moved."""

import pytest
import torch

from flatten_edu.analysis import crossing_scale, entropy_bits, scaled_softmax_weights, top1_share
from flatten_edu.functional import focused_map, linear_weights
from flatten_edu.labs import SharpnessLab
from flatten_edu.labs.frame.tensors import pack
from flatten_edu.labs.sharpness.lab import EXAMPLES
from tests.browser.in_page import given, views
from tests.browser.test_twins import double

PAGE = "book/labs/sharpness.html"


def expected(q, k, scale, p, divide) -> dict[str, float]:
    """Every figure of the lab, by Python's functions in float64, from the vectors multiplied by the scale."""
    q, k = double(q), double(k)
    rows = {
        "softmax": scaled_softmax_weights(q, k, scale, divide),
        "relu": linear_weights(focused_map(scale * q[None], 1.0), focused_map(scale * k, 1.0))[0],
        "focused": linear_weights(focused_map(scale * q[None], p), focused_map(scale * k, p))[0],
    }
    found = {"scale": scale, "p": p}
    for kind, row in rows.items():
        found |= {f"entropy_{kind}": entropy_bits(row), f"top1_{kind}": top1_share(row)}
        if len(k) <= 12:
            found |= {f"weight_{kind}_k{j + 1}": weight for j, weight in enumerate(row)}
        if kind != "softmax":
            found[f"crossing_{kind}"] = crossing_scale(q, k, entropy_bits(row).item(), divide)
    return {name: float(value) for name, value in found.items()}


def assert_shows(shown, q, k, scale=1.0, p=3.0, divide=False):
    shown = {name: value for name, value in shown.items() if name != "row"}
    assert shown == pytest.approx(expected(q, k, scale, p, divide), rel=1e-6, abs=1e-9, nan_ok=True)
    return shown


def test_the_guided_steps_show_what_they_say(reader):
    one = reader()
    page = one.open(PAGE)
    shown = assert_shows(one.outputs(), **EXAMPLES["issue"])
    assert shown["top1_softmax"] > 0.9999 and shown["top1_focused"] == pytest.approx(0.417, abs=5e-4)
    page.get_by_role("button", name="The issue's example").click()
    shown = assert_shows(one.outputs(), **EXAMPLES["issue"])
    figures = [shown[name] for name in ["entropy_softmax", "weight_focused_k2", "weight_focused_k4", "entropy_focused"]]
    assert figures == pytest.approx([0.00, 0.417, 0.396, 1.77], abs=0.005)
    assert "softmax is sharper" in page.locator(".fe-summary").inner_text()
    page.get_by_role("button", name="The same, shorter").click()
    shown = assert_shows(one.outputs(), **EXAMPLES["issue"], scale=1 / 8)
    figures = [shown[name] for name in ["entropy_softmax", "entropy_focused", "crossing_focused"]]
    assert figures == pytest.approx([2.26, 1.77, 0.21], abs=0.005)
    assert "the focused row is sharper" in page.locator(".fe-summary").inner_text()
    page.get_by_role("button", name="Figure 4").click()
    shown = assert_shows(one.outputs(), **EXAMPLES["figure"], divide=True)
    figures = [shown[name] for name in ["entropy_focused", "entropy_softmax"]]
    assert figures == pytest.approx([1.19, 1.98], abs=0.005)
    assert shown["crossing_focused"] == pytest.approx(2.7, abs=0.05)
    printed = [0.75, 0.11, 0.09, 0.05]
    assert [shown[f"weight_focused_k{j}"] for j in range(1, 5)] == pytest.approx(printed, abs=0.005)
    page.get_by_role("button", name="p = 8", exact=True).click()
    assert one.outputs()["crossing_focused"] > shown["crossing_focused"]


def test_scaling_moves_softmax_alone(reader):
    scales = [2 ** (i / 8) for i in range(-24, 25)]
    seen = [one["figures"] for one in views(reader().open(PAGE), [{"scale": scale} for scale in scales])]
    falling = [shown["entropy_softmax"] for shown in seen]
    assert falling == sorted(falling, reverse=True)
    for scale, shown in zip(scales, seen, strict=True):
        assert_shows(shown, **EXAMPLES["issue"], scale=scale)
        for name in ["entropy_focused", "top1_focused", "entropy_relu", "weight_focused_k2", "crossing_focused"]:
            assert shown[name] == pytest.approx(seen[0][name], rel=1e-12)
        assert (shown["entropy_softmax"] < shown["entropy_focused"]) == (scale > shown["crossing_focused"])


def test_other_settings_show_what_python_says(reader):
    cases = [{"divide": True}, {"example": "figure", "divide": True}, {"example": "figure", "p": 1.0}]
    for case, shown in zip(cases, views(reader().open(PAGE), cases), strict=True):
        assert_shows(shown["figures"], **EXAMPLES[case.pop("example", "issue")], **case)
    assert shown["figures"]["entropy_focused"] == pytest.approx(shown["figures"]["entropy_relu"])


def test_own_rows_and_trained_rows(reader):
    page = reader().open(PAGE)
    torch.manual_seed(0)
    rows = [torch.rand(6, 4), torch.randn(198, 64)]
    sets = [{"name": name, "n": len(x) - 1, "d": x.shape[1]} for name, x in zip("ab", rows, strict=True)]
    for row, (q, *k) in enumerate(rows):
        lab = SharpnessLab(example="trained", row=row, divide=True, sets=sets, rows=pack(a=rows[0], b=rows[1]))
        found = given(page, lab)
        assert_shows(found["figures"], q, torch.stack(k), divide=True)
    assert "197 keys" in found["text"]
    q, k = torch.rand(4), torch.rand(20, 4)
    assert_shows(given(page, SharpnessLab(q=q, k=k))["figures"], q, k, divide=True)
