"""The lab `recall` on the built page: what it shows is what Python computes, in the worker and in the charts."""

import io
import random

import pytest
import torch
from PIL import Image

from flatten_edu.analysis import correlation_bound, recall, recall_bound
from flatten_edu.labs import RecallLab
from flatten_edu.labs.frame.tensors import unpack
from flatten_edu.publish.mount import split_state
from tests.browser.conftest import fragment
from tests.browser.in_page import given
from tests.browser.test_twins import CALL

PAGE = "book/labs/recall.html"
NUMBERS = ["weight", "contrast", "correlation", "right"]


def panels(lab: RecallLab) -> dict[str, float]:
    """Every figure of the three pictures, by Python in float64."""
    kinds = {"softmax": ("softmax", 1), "linear": ("relu", 1), "focused": ("focused", lab.p)}
    found = {name: lab.recall(*kind) for name, kind in kinds.items()}
    return {f"{number}_{name}": getattr(one, number) for name, one in found.items() for number in NUMBERS}


def shown(one) -> dict[str, float]:
    return {name: value for name, value in one.figures().items() if name.split("_")[0] in NUMBERS}


def test_the_first_view_and_the_steps_show_what_they_say(reader):
    one = reader()
    page = one.open(PAGE)
    assert shown(one) == pytest.approx(panels(RecallLab()), rel=1e-6, abs=1e-9)
    assert one.outputs()["bound"] == recall_bound(64, 196)
    page.get_by_role("button", name="A fog").click()
    fog = shown(one)
    figures = [fog[name] for name in ("weight_linear", "contrast_linear", "weight_focused", "contrast_focused")]
    assert figures == pytest.approx([0.015, 0.022, 0.040, 0.079], abs=5e-4)
    page.get_by_role("button", name="The fog lifted").click()
    lifted = shown(one)
    assert lifted == pytest.approx(panels(RecallLab(removed=True)), rel=1e-6, abs=1e-9)
    assert [round(lifted[f"correlation_{name}"], 2) for name in ("linear", "focused")] == [0.49, 0.47]
    page.get_by_role("button", name="p = 8", exact=True).click()
    assert shown(one)["weight_focused"] > lifted["weight_focused"]
    assert one.outputs()["correlation_focused"] < lifted["correlation_focused"]
    page.get_by_role("button", name="Another's place").click()
    moved = RecallLab(removed=True, kernel="own place", asked="in another order")
    assert shown(one) == pytest.approx(panels(moved), rel=1e-6, abs=1e-9)
    assert round(one.outputs()["correlation_focused"], 2) == 0.01
    page.get_by_role("radio", name="its own value").check()
    assert shown(one)["correlation_focused"] > 0.995
    page.get_by_role("button", name="Reset").click()
    assert shown(one) == pytest.approx(panels(RecallLab()), rel=1e-6, abs=1e-9)


TWINS = """(kind, p, traits, { picture, tokens }) => {
  const bytes = (values) => values && new DataView(Uint8Array.from(values).buffer);
  const all = { ...traits, picture: bytes(picture), tokens: bytes(tokens) };
  const setting = new lab.Settings({ get: (name) => all[name] }).make();
  const question = { key: setting.key, store: setting.store(), kind, p, removed: traits.removed };
  const reader = new lab.Reader();
  const { out, ...numbers } = reader.answer({ ...question, weightAlone: false });
  const { weight } = reader.answer({ ...question, weightAlone: true });
  return { ...numbers, weight_alone: weight, check: out.reduce((sum, x, i) => sum + x * Math.cos(i), 0) };
}"""


def random_lab(draw: random.Random) -> RecallLab:
    traits = {
        "side": draw.choice([14, 10, 7, 7]), "d": draw.choice([16, 24, 64, 128]), "seed": draw.randrange(100),
        "noise": draw.choice([0.0, 0.3, 1.0]), "length": 2 ** draw.uniform(-3, 3), "removed": draw.random() < 0.5,
        "values": draw.choice(["photo", "noise"]), "kernel": draw.choice(["none", "own place", "mean", "random"]),
        "asked": draw.choice(["in place", "in another order"]), "p": draw.choice([1.0, 1.5, 3.0, 8.0, 32.0, 256.0]),
    }  # fmt: skip
    if draw.random() < 0.3:
        rows, columns, d, e = draw.randint(2, 6), draw.randint(1, 7), draw.randint(1, 9), draw.randint(1, 20)
        generator = torch.Generator().manual_seed(draw.randrange(1000))
        shapes = {"q": (rows * columns, d), "k": (rows * columns, d), "v": (rows * columns, e)}
        own = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
        return RecallLab(**traits, **own, grid=(rows, columns))
    return RecallLab(**traits)


def test_random_settings_give_what_python_gives(bare):
    draw = random.Random(0)
    labs = [random_lab(draw) for _ in range(40)]
    cases, wanted = [], []
    for lab in labs:
        kind = draw.choice(["softmax", "focused"])
        traits, buffers = split_state(lab)
        cases.append([kind, lab.p, traits, {name: list(x) for name, x in buffers.items()}])
        found = lab.recall(kind)
        check = (found.out.flatten() * torch.cos(torch.arange(found.out.numel(), dtype=torch.float64))).sum().item()
        wanted.append({n: getattr(found, n) for n in NUMBERS} | {"weight_alone": found.weight, "check": check})
    for lab, found, there in zip(labs, bare("recall").evaluate(CALL, [TWINS, cases]), wanted, strict=True):
        assert found == pytest.approx(there, rel=1e-6, abs=1e-8), lab.traits()


POINTS = """
(lab) => [...lab.querySelectorAll(".fe-chart")].map((chart) => Object.fromEntries(
  [...chart.querySelectorAll(".fe-line")].map((line) => [line.dataset.kind, line.getAttribute("d")])))
"""


def heights(path: str) -> list[float]:
    """The values of a line's points, from its path on a scale from 0 to 1."""
    return [1 - (float(point.split(",")[1]) - 24) / (174 - 24) for point in path[1:].split("L")]


@pytest.mark.parametrize("curve", ["weight", "correlation", "right"])
def test_the_charts_draw_python_s_numbers(reader, curve):
    one = reader()
    page = one.open(PAGE + fragment("recall", curve=curve, values="noise", removed=True, p=8, side=7, d=32))
    one.settle()
    against_p, against_n = page.locator(".fe-lab").evaluate(POINTS)
    lab = RecallLab(values="noise", removed=True, side=7, d=32)
    wanted = [getattr(lab.recall("focused", 2 ** (i / 2)), curve) for i in range(17)]
    assert heights(against_p["focused"]) == pytest.approx(wanted, abs=1e-4)
    assert heights(against_p["softmax"]) == pytest.approx([getattr(lab.recall("softmax"), curve)] * 2, abs=1e-4)
    for side, at in {7: 3, 10: 6, 14: 10}.items():
        lab.side = side
        for name, kind in {"softmax": ("softmax", 1), "linear": ("relu", 1), "focused": ("focused", 8)}.items():
            found = heights(against_n[name])
            assert len(found) == 13 and found[at] == pytest.approx(getattr(lab.recall(*kind), curve), abs=1e-4)
    bounds = {"weight": recall_bound(32, 49), "correlation": correlation_bound(32, 49)}
    assert bool(against_p["bound"]) == (curve in bounds)
    if curve in bounds:
        assert heights(against_p["bound"])[0] == pytest.approx(bounds[curve], abs=1e-4)


def test_a_photograph_of_the_reader_s_own_stays_with_the_page(reader):
    one = reader()
    sent = []
    one.page.on("request", lambda request: sent.append(request.method))
    page = one.open(PAGE)
    pixels = torch.randint(0, 256, (140, 140, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8).numpy()
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    file = {"name": "a.png", "mimeType": "image/png", "buffer": content.getvalue()}
    page.get_by_label("Your own picture").set_input_files(file)
    page.get_by_role("radio", name="your picture").wait_for()
    lab = RecallLab(image=pixels)
    assert (unpack(lab.picture)["picture"].numpy() == pixels).all()
    assert shown(one) == pytest.approx(panels(lab), rel=1e-6, abs=1e-9)
    assert set(sent) == {"GET"}
    page.get_by_label("Your own picture").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"no"})
    page.get_by_text("a.txt cannot be read as a picture").wait_for()
    page.wait_for_timeout(400)
    again = reader()
    again.open(page.url.removeprefix(one.site))
    assert shown(again) == pytest.approx(panels(RecallLab()), rel=1e-6, abs=1e-9)  # a link cannot carry the file
    again.page.get_by_text("Your file stayed with the page that you left").wait_for()


def test_the_reader_s_own_tensors(reader):
    k, error = torch.randn(2, 12, 8, generator=torch.Generator().manual_seed(0))
    v = torch.randn(12, 5, generator=torch.Generator().manual_seed(1))
    lab = RecallLab(q=k + 0.1 * error, k=k, v=v, grid=(3, 4), kernel="mean", asked="in another order", removed=True)
    found = given(reader().open(PAGE), lab)
    assert "stored: 12 values" in found["text"] and "N, values\n" not in found["text"]
    wanted = panels(lab)
    assert {name: found["figures"][name] for name in wanted} == pytest.approx(wanted, rel=1e-6, abs=1e-9)
    alone = recall((k + 0.1 * error).double(), k.double(), v.double(), "focused", 3)
    assert found["figures"]["weight_focused"] == pytest.approx(alone.weight)
