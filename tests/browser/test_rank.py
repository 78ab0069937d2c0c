"""The lab `rank` on the built page: its maps, ranks and determinants are Python's, however it is moved."""

import random

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from flatten_edu.analysis import effective_rank, numerical_rank, rank_guarantee, spectrum, stable_rank
from flatten_edu.labs import RankLab
from flatten_edu.publish.mount import split_state
from tests.browser.conftest import fragment
from tests.browser.in_page import LAB, pixels
from tests.browser.test_twins import MAPS, line_of

PAGE = "book/labs/rank.html"


@pytest.fixture(autouse=True)
def few_threads():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def unfolded(one, path):
    """The page with all that the lab has in sight."""
    page = one.open(path)
    page.locator(".fe-more").evaluate("(fold) => { fold.open = true; }")
    return page


def settled(page):
    """Wait until the worker's findings are those of what is set, and painted."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_function("document.querySelector('.fe-findings').getAttribute('aria-busy') === 'false'")
    return page


def figures(one) -> dict[str, float]:
    settled(one.page)
    return one.outputs()


def expected(lab: RankLab) -> dict[str, float]:
    """What the lab shows of these traits, by Python's functions."""
    maps = lab.maps()
    found = {}
    for name in MAPS:
        matrix = getattr(maps, name)
        values = spectrum(matrix)
        found |= {
            f"rank_{name}": int(numerical_rank(matrix, line_of(matrix, lab.tolerance))),
            f"effective_{name}": float(effective_rank(matrix)), f"stable_{name}": float(stable_rank(matrix)),
            f"largest_{name}": float(values[0]),
        }  # fmt: skip
    bounds = rank_guarantee(maps.dwc, maps.u, maps.w)
    n, d = maps.u.shape
    return found | {"bound_low": bounds.lower_bound, "bound_high": bounds.upper_bound, "bound_linear": min(n, d)}


def assert_shows(one, **traits):
    shown, wanted = figures(one), expected(RankLab(**traits))
    assert {name: shown[name] for name in wanted} == pytest.approx(wanted, rel=1e-6, abs=1e-9, nan_ok=True)
    return shown


def test_the_first_view_is_what_the_text_says(reader):
    one = reader()
    unfolded(one, PAGE)
    shown = assert_shows(one)
    assert [shown[f"rank_{name}"] for name in MAPS] == [64, 196, 196, 196]
    assert (shown["bound_low"], shown["bound_high"], shown["wrong_entries"], shown["wrong_rows"]) == (132, 196, 378, 56)
    assert shown["log10_sum"] == pytest.approx(shown["log10_product"], rel=1e-9) and shown["lemma_gap"] < 1e-9


def test_what_the_argument_does_not_need_is_folded_away_unless_a_link_sets_it(reader):
    fold = reader().open(PAGE).locator(".fe-more")
    expect(fold.get_by_label("tolerance")).to_be_hidden()
    assert fold.evaluate("(e) => !e.open")
    page = reader().open(PAGE + fragment("rank", tolerance=0.1))
    expect(page.get_by_role("slider", name="tolerance")).to_be_visible()


def test_the_prose_has_the_lab_s_numbers(reader):
    """What the page says of a tolerance of a tenth."""
    one = reader()
    page = unfolded(one, PAGE)
    page.get_by_role("slider", name="tolerance").press("End")
    shown = assert_shows(one, tolerance=0.1)
    assert [shown[f"rank_{name}"] for name in ("softmax", "linear", "equivalent")] == [48, 33, 180]
    assert "48 of softmax’s 196 singular values are above it, 33 of the 64 of" in page.locator("main").inner_text()


STEPS = [
    ("Figure 5, in kind", {}, [64, 196, 196, 196], [
        "196 for softmax, 64 for A, 196 for the sum", "the convolution has 196 by itself", "has full rank by itself",
    ]),
    ("Built to fail", {"convolution": "minus_impulse"}, [64, 196, 195, 196], [
        "64 plus rank 196 gives 195", "sends the vector of ones to zero",
    ]),
    ("A gap too wide", {"convolution": "right_neighbour", "d": 8}, [8, 182, 190, 196], [
        "rank 182: it lacks 14", "fills 8 of them: 190", "can reach 190 at most, and does",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("label", "traits", "ranks", "words"), STEPS, ids=[step[0] for step in STEPS])
def test_a_guided_step_shows_what_its_text_says(reader, label, traits, ranks, words):
    one = reader()
    page = unfolded(one, PAGE + fragment("rank", p=8, tolerance=0.1, seed=4, wrapped=True))
    page.get_by_role("button", name=label).click()
    shown = assert_shows(one, **traits)
    assert [shown[f"rank_{name}"] for name in MAPS] == ranks
    text = page.locator(".fe-lab").inner_text().replace("\n", "")
    for word in words:
        assert word in text
    page.get_by_role("button", name="Reset").click()
    assert_shows(one)


def test_raising_d_to_14_closes_the_gap_as_the_step_says(reader):
    one = reader()
    page = unfolded(one, PAGE)
    page.get_by_role("button", name="A gap too wide").click()
    slider = page.get_by_role("slider", name="d, features of a head")
    seen = {}
    for _ in range(4):
        shown = figures(one)
        seen[shown["d"]] = shown["rank_equivalent"]
        slider.press("ArrowRight")
    assert seen == {8: 190, 10: 192, 12: 194, 14: 196}


def test_the_first_thing_to_try_does_what_it_says(reader):
    one = reader()
    page = unfolded(one, PAGE)
    slider = page.get_by_role("slider", name="d, features of a head")
    while one.outputs()["d"] > 8:
        slider.press("ArrowLeft")
    shown = assert_shows(one, d=8)
    assert (shown["rank_linear"], shown["rank_equivalent"]) == (8, 196)


@pytest.mark.parametrize(
    ("traits", "words"),
    [
        ({"convolution": "zero"}, "The kernel is zero: Meq is A alone, and its rank is at most d = 64"),
        ({"convolution": "minus_impulse", "d": 8}, "has no positive entry, so its row of A is zero"),
        ({"convolution": "minus_impulse"}, "‖(A − I)1‖ ="),
        ({"convolution": "right_neighbour"}, "Here the low rank fills the gap"),
        ({"d": 256}, "A has rank 196 by itself here"),
        ({"tolerance": 0.1}, "of them count: the bounds are about exact ranks"),
        ({"wrapped": True}, "378 entries of MDWC in 56 rows are wrong"),
    ],
)
def test_the_message_fits_the_case(reader, traits, words):
    one = reader()
    page = unfolded(one, PAGE + fragment("rank", **traits))
    assert_shows(one, **traits)
    assert words in page.locator(".fe-summary p").first.inner_text()


def test_a_wrapped_singular_kernel_gains_a_rank_that_the_convolution_has_not(reader):
    one = reader()
    page = unfolded(one, PAGE + fragment("rank", convolution="right_neighbour"))
    assert figures(one)["rank_dwc"] == 182
    page.get_by_role("checkbox").click()
    shown = figures(one)
    assert (shown["rank_dwc"], shown["wrong_entries"], shown["wrong_rows"]) == (195, 13, 13)


@pytest.mark.parametrize("seed", range(4))
def test_moving_controls_by_keyboard_shows_what_python_says(reader, seed):
    draw = random.Random(seed)
    one = reader()
    page = unfolded(one, PAGE)
    sliders = {"d": "d, features of a head", "p": "p, focusing factor", "channel": "channel of the kernel",
               "seed": "seed of the random numbers", "tolerance": "tolerance"}  # fmt: skip
    traits = {"grid": (14, 14)}
    for _ in range(6):
        trait = draw.choice([*sliders, "grid", "convolution"])
        if trait in sliders:
            slider = page.get_by_role("slider", name=sliders[trait])
            if slider.count():
                slider.press(draw.choice(["ArrowLeft", "ArrowRight", "PageUp", "Home", "PageDown"]))
        else:
            group = page.get_by_role("group", name="grid" if trait == "grid" else "kernel of the convolution")
            group.get_by_role("radio", checked=True).press(draw.choice(["ArrowLeft", "ArrowRight"]))
        settled(page)
        traits = read_traits(page, one.outputs())
        if traits["p"] < 20:
            assert_shows(one, **traits)


def read_traits(page, shown) -> dict:
    state = {name: shown[name] for name in ("p", "tolerance")} | {
        name: int(shown[name]) for name in ("d", "seed", "channel")
    }
    for group, trait in {"grid": "grid", "kernel of the convolution": "convolution"}.items():
        state[trait] = page.get_by_role("group", name=group).get_by_role("radio", checked=True).get_attribute("value")
    return state | {"grid": tuple(map(int, state["grid"].split("x")))}


def test_late_answers_never_stand_for_what_is_set(reader):
    """Ten changes at once: the worker answers some of them, and what stays is the last one's."""
    one = reader()
    page = unfolded(one, PAGE)
    page.get_by_role("slider", name="seed").evaluate("""(slider) => {
      for (let i = 1; i <= 10; i++) {
        slider.value = i;
        slider.dispatchEvent(new Event("input", { bubbles: true }));
      }
    }""")
    assert_shows(one, seed=10)


@pytest.mark.parametrize(
    "worker",
    [
        "constructor() { throw new Error('no workers here'); }",
        "constructor() { setTimeout(() => this.onerror(new Event('error')), 20); } postMessage() {} terminate() {}",
    ],
    ids=["refused", "failing"],
)
def test_without_workers_the_page_computes_by_itself(reader, worker):
    one = reader()
    one.page.add_init_script(f"window.Worker = class {{ {worker} }};")
    page = unfolded(one, PAGE)
    assert_shows(one)
    page.get_by_role("button", name="Built to fail").click()
    assert_shows(one, convolution="minus_impulse")


GIVE = (
    """
async (own) => {"""
    + LAB
    + """
  const model = modelOf(own);
  window.give = (found) => Object.entries(found).forEach(([name, values]) => model.set(name, asBytes(values)));
  const el = document.createElement("div");
  document.querySelector(".fe-mount").replaceChildren(el);
  lab.default.render({ model, el });
}
"""
)


def test_data_that_were_promised_are_waited_for(reader):
    """Trained data come after the first paint: until then the lab says so; then it shows their maps."""
    q, k, kernel = (
        torch.randn(*shape, generator=torch.Generator().manual_seed(1)) for shape in [(1, 49, 8)] * 2 + [(8, 5, 5)]
    )
    lab = RankLab(q=q, k=k, kernel=kernel, name="trained", about="From a test.")
    state, buffers = split_state(lab)
    one = reader()
    page = unfolded(one, PAGE)
    page.evaluate(GIVE, state)
    expect(page.get_by_text("have not arrived yet")).to_be_visible()
    page.evaluate("give", {name: list(content) for name, content in buffers.items()})
    settled(page)
    shown, wanted = one.outputs(), expected(lab)
    assert {name: shown[name] for name in wanted} == pytest.approx(wanted, rel=1e-6)
    assert page.locator(".fe-segments label:visible", has_text="trained").count() == 2  # for tokens and for kernels
    expect(page.get_by_text("From a test.")).to_be_visible()
    expect(page.get_by_text("have not arrived yet")).to_be_hidden()


def test_maps_are_painted_as_they_are(reader):
    """A pixel an entry: the ground's colour where the convolution has a zero, colour where it has none."""
    one = reader()
    page = unfolded(one, PAGE + fragment("rank", grid=[7, 7]))
    settled(page)
    painted = pixels(page.locator("canvas[data-kind=dwc]"))
    matrix = RankLab(grid=(7, 7)).maps().dwc.numpy()
    assert (painted[matrix == 0] == 255).all()
    strong = np.abs(matrix) > 0.1 * np.abs(matrix).max()
    assert (painted[strong & (matrix > 0)][:, 2] > painted[strong & (matrix > 0)][:, 0]).all()  # blue
    assert (painted[strong & (matrix < 0)][:, 0] > painted[strong & (matrix < 0)][:, 2]).all()  # orange
