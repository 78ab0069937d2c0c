"""The lab `sharpness` on the built page: what it shows is what Python computes, however it is moved."""

import random

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


TWINS = (
    """
async (cases) => {"""
    + LAB
    + """
  return cases.map(({ q, k, scale, p, divide, bits }) => {
    const rows = lab.rowsAt({ q, keys: k }, scale, p, divide);
    const found = { crossing_bits: lab.crossingScale(q, k, bits, divide) };
    found.curve = lab.entropyCurve(q, k, [scale], divide)[0];
    for (const [kind, row] of Object.entries(rows)) {
      found[`entropy_${kind}`] = row.entropy;
      found[`top1_${kind}`] = row.top1;
      if (k.length <= 12) row.weights.forEach((weight, j) => { found[`weight_${kind}_k${j + 1}`] = weight; });
      if (kind !== "softmax") found[`crossing_${kind}`] = row.crossing;
    }
    return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, String(value)]));
  });
}
"""
)


def random_case(draw: random.Random) -> dict:
    d, n = draw.randint(1, 16), draw.choice([2, 3, 5, 12, 40])
    # A query with a positive entry, and keys that share one with it: else the focused row is empty.
    entry = lambda: draw.choice([draw.gauss(0.3, 1), draw.gauss(0.3, 1), 0.0, 0.7])  # noqa: E731
    return {
        "q": [entry() for _ in range(d)], "k": [[entry() for _ in range(d)] for _ in range(n)],
        "scale": 2 ** draw.uniform(-3, 3), "p": draw.choice([1, 1.5, 2, 3, 8, 32.0]), "divide": draw.random() < 0.5,
        "bits": draw.uniform(0.05, 0.95) * torch.tensor(n).log2().item(),
    }  # fmt: skip


def test_every_twin_says_what_python_says(reader):
    page = reader().open(PAGE)
    draw = random.Random(0)
    cases = [random_case(draw) for _ in range(300)]
    finite = 0
    for case, found in zip(cases, page.evaluate(TWINS, cases), strict=True):
        q, k, divide = double(case["q"]), double(case["k"]), case["divide"]
        wanted = expected(q, k, case["scale"], float(case["p"]), divide)
        del wanted["scale"], wanted["p"]
        wanted["crossing_bits"] = crossing_scale(q, k, case["bits"], divide)
        wanted["curve"] = wanted["entropy_softmax"]
        shown = {name: number(value) for name, value in found.items()}
        n = torch.tensor(len(k)).log2().item()
        for kind in ("focused", "relu"):
            # Within rounding of the two ends of the entropy's range there is no such scale to agree on.
            if not 1e-6 < wanted[f"entropy_{kind}"] < n - 1e-6:
                del wanted[f"crossing_{kind}"], shown[f"crossing_{kind}"]
        assert shown == pytest.approx(wanted, rel=1e-6, abs=1e-9, nan_ok=True), case
        finite += 0 < wanted["crossing_bits"] < 1e9
    assert finite > 200


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
  const times = [];
  for (let i = 0; i < 60; i++) {
    const from = performance.now();
    model.set(i % 2 ? "p" : "scale", 1 + i / 10);
    await new Promise(requestAnimationFrame);
    await pause(0);
    times.push(performance.now() - from);
  }
  const text = el.innerText;
  remove();
  const left = [model.handlers.size, el.childElementCount];
  el.remove();
  return { before, text, shown, left, times: times.sort((a, b) => a - b) };
}
"""
)


def test_own_rows_and_trained_rows(reader, measured):
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
    times = found["times"]
    measured(
        "lab sharpness: an input to the next frame's end",
        f"median {times[30]:.1f} ms, slowest {times[-1]:.1f} ms (197 keys, d = 64; a frame is 16 ms)",
    )
    q, k = torch.rand(1, 4), torch.rand(20, 4)
    own = {name: list(pack(matrix=x)) for name, x in {"q": q, "k": k}.items()}
    found = page.evaluate(GIVE, [state | {"example": "own", "sets": []}, own])
    shown = {name: number(value) for name, value in found["shown"][0].items() if name != "row"}
    assert shown == pytest.approx(expected(q[0], k, 1.0, 3.0, True), rel=1e-6, abs=1e-9)
