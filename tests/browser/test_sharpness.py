"""The lab `sharpness` on the built page: what it shows is what Python computes, however it is moved."""

import pytest
import torch

from flatten_edu.analysis import crossing_scale, entropy_bits, scaled_softmax_weights, top1_share
from flatten_edu.functional import focused_map, linear_weights
from flatten_edu.labs.frame.tensors import pack
from flatten_edu.labs.sharpness.lab import EXAMPLES
from tests.browser.in_page import LAB

PAGE = "book/labs/sharpness.html"
FIRST = {"example": "issue", "scale": 1.0, "p": 3.0, "divide": False}


def double(x):
    return torch.as_tensor(x, dtype=torch.float64)


def number(text: str) -> float:
    return float(text.replace("Infinity", "inf"))


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


def outputs(one) -> dict[str, float]:
    return {name: value for name, value in one.outputs().items() if name != "row"}


def assert_shows(one, state) -> dict[str, float]:
    example = EXAMPLES[state["example"]]
    shown = outputs(one)
    wanted = expected(example["q"], example["k"], shown["scale"], shown["p"], state["divide"])
    assert shown == pytest.approx(wanted, rel=1e-6, abs=1e-9, nan_ok=True)
    assert (shown["scale"], shown["p"]) == pytest.approx((state["scale"], state["p"]))
    return shown


def test_the_first_view_is_the_issue_s_example(reader):
    one = reader()
    page = one.open(PAGE)
    shown = assert_shows(one, FIRST)
    assert shown["top1_softmax"] > 0.9999 and shown["top1_focused"] == pytest.approx(0.417, abs=5e-4)
    assert "softmax is sharper" in page.locator(".fe-summary").inner_text()


def test_the_guided_steps_show_what_they_say(reader):
    one = reader()
    page = one.open(PAGE)
    page.get_by_role("button", name="The issue's example").click()
    shown = assert_shows(one, FIRST)
    figures = [shown[name] for name in ["entropy_softmax", "weight_focused_k2", "weight_focused_k4", "entropy_focused"]]
    assert figures == pytest.approx([0.00, 0.417, 0.396, 1.77], abs=0.005)
    page.get_by_role("button", name="The same, shorter").click()
    shown = assert_shows(one, FIRST | {"scale": 1 / 8})
    figures = [shown[name] for name in ["entropy_softmax", "entropy_focused", "crossing_focused"]]
    assert figures == pytest.approx([2.26, 1.77, 0.21], abs=0.005)
    assert "the focused row is sharper" in page.locator(".fe-summary").inner_text()
    page.get_by_role("button", name="Figure 4").click()
    shown = assert_shows(one, {"example": "figure", "divide": True, "scale": 1.0, "p": 3.0})
    figures = [shown[name] for name in ["entropy_focused", "entropy_softmax"]]
    assert figures == pytest.approx([1.19, 1.98], abs=0.005) and shown["crossing_focused"] == pytest.approx(
        2.7, abs=0.05
    )
    printed = [0.75, 0.11, 0.09, 0.05]
    assert [shown[f"weight_focused_k{j}"] for j in range(1, 5)] == pytest.approx(printed, abs=0.005)
    before = shown["crossing_focused"]
    page.get_by_role("button", name="p = 8", exact=True).click()
    assert outputs(one)["crossing_focused"] > before
    page.get_by_role("button", name="Reset").click()
    assert_shows(one, FIRST)


def test_scaling_moves_softmax_alone(reader):
    one = reader()
    page = one.open(PAGE)
    slider = page.get_by_role("slider", name="s, scale of q and k")
    slider.press("Home")
    seen = []
    for _ in range(49):
        seen.append(outputs(one))
        slider.press("ArrowRight")
    scales = [shown["scale"] for shown in seen]
    assert scales == pytest.approx([2 ** (i / 8) for i in range(-24, 25)])
    falling = [shown["entropy_softmax"] for shown in seen]
    assert falling == sorted(falling, reverse=True)
    for shown in seen:
        for name in ["entropy_focused", "top1_focused", "entropy_relu", "weight_focused_k2", "crossing_focused"]:
            assert shown[name] == pytest.approx(seen[0][name], rel=1e-12)
        above = shown["scale"] > shown["crossing_focused"]
        assert (shown["entropy_softmax"] < shown["entropy_focused"]) == above


def test_the_other_controls_by_keyboard(reader):
    one = reader()
    page = one.open(PAGE)
    page.get_by_role("checkbox", name="softmax divides by").press("Space")
    assert_shows(one, FIRST | {"divide": True})
    page.get_by_role("radio", name="the issue's").press("ArrowRight")
    assert_shows(one, FIRST | {"example": "figure", "divide": True})
    page.get_by_role("slider", name="p, focusing factor").press("Home")
    shown = assert_shows(one, FIRST | {"example": "figure", "divide": True, "p": 1.0})
    assert shown["entropy_focused"] == pytest.approx(shown["entropy_relu"])


GIVE = (
    """
async ([own, found]) => {"""
    + LAB
    + """
  const model = modelOf(own);
  const [el, remove] = mountOn(model);
  const before = el.innerText;
  for (const [name, values] of Object.entries(found)) model.set(name, asBytes(values));
  await frame();
  const shown = [figuresIn(el)];
  const sliders = [...el.querySelectorAll("input[type=range]")];
  const slider = sliders.find((i) => i.parentElement.textContent.includes("trained row") && i.checkVisibility());
  if (slider) { slider.value = 1; slider.dispatchEvent(new Event("input")); await frame(); shown.push(figuresIn(el)); }
  const text = el.innerText;
  remove();
  const left = [model.handlers.size, el.childElementCount];
  el.remove();
  return { before, text, shown, left };
}
"""
)


def test_own_rows_and_trained_rows(reader):
    page = reader().open(PAGE)
    torch.manual_seed(0)
    sets = [torch.rand(6, 4), torch.randn(198, 64)]
    numbers = list(pack(a=sets[0], b=sets[1]))
    state = FIRST | {"example": "trained", "row": 0, "step": 0, "divide": True}
    state["sets"] = [{"name": "a", "n": 5, "d": 4}, {"name": "b", "n": 197, "d": 64}]
    found = page.evaluate(GIVE, [state, {"rows": numbers}])
    assert "have not arrived yet" in found["before"] and "197 keys" in found["text"] and found["left"] == [0, 0]
    for one, shown in zip(sets, found["shown"], strict=True):
        shown = {name: number(value) for name, value in shown.items() if name != "row"}
        assert shown == pytest.approx(expected(one[0], one[1:], 1.0, 3.0, True), rel=1e-6, abs=1e-9)
    q, k = torch.rand(1, 4), torch.rand(20, 4)
    own = {name: list(pack(matrix=x)) for name, x in {"q": q, "k": k}.items()}
    found = page.evaluate(GIVE, [state | {"example": "own", "sets": []}, own])
    shown = {name: number(value) for name, value in found["shown"][0].items() if name != "row"}
    assert shown == pytest.approx(expected(q[0], k, 1.0, 3.0, True), rel=1e-6, abs=1e-9)
