"""The lab `rank` on the built page: its maps, ranks and determinants are Python's, however it is moved."""

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from flatten_edu.analysis import effective_rank, numerical_rank, rank_guarantee, spectrum, stable_rank
from flatten_edu.labs import RankLab
from tests.browser.conftest import fragment
from tests.browser.in_page import given, move_at_once, pixels, views
from tests.browser.test_twins import MAPS, line_of

PAGE = "book/labs/rank.html"


@pytest.fixture(autouse=True)
def few_threads():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def expected(lab: RankLab) -> dict[str, float]:
    """What the lab shows of these traits, by Python's functions."""
    maps = lab.maps()
    found = {}
    for name in MAPS:
        matrix = getattr(maps, name)
        found |= {
            f"rank_{name}": int(numerical_rank(matrix, line_of(matrix, lab.tolerance))),
            f"effective_{name}": float(effective_rank(matrix)), f"stable_{name}": float(stable_rank(matrix)),
            f"largest_{name}": float(spectrum(matrix)[0]),
        }  # fmt: skip
    bounds = rank_guarantee(maps.dwc, maps.u, maps.w)
    n, d = maps.u.shape
    return found | {"bound_low": bounds.lower_bound, "bound_high": bounds.upper_bound, "bound_linear": min(n, d)}


def assert_shows(shown, lab):
    wanted = expected(lab)
    assert {name: shown[name] for name in wanted} == pytest.approx(wanted, rel=1e-6, abs=1e-9, nan_ok=True)
    return shown


def test_the_first_view_is_what_the_text_says(reader):
    one = reader()
    one.open(PAGE)
    shown = assert_shows(one.figures(), RankLab())
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
    page = one.open(PAGE + fragment("rank", tolerance=0.1))
    shown = assert_shows(one.figures(), RankLab(tolerance=0.1))
    assert [shown[f"rank_{name}"] for name in ("softmax", "linear", "equivalent")] == [48, 33, 180]
    assert "48 of softmax’s 196 singular values are above it, 33 of the 64 of" in page.locator("main").inner_text()


FIRST, FAILS, GAP = (step["set"] for step in RankLab.words()["steps"])
# Settings, what the lab or its step says of them, and ranks that the step names.
CASES = [
    (FIRST, "has full rank by itself", [64, 196, 196, 196]),
    (FAILS, "sends the vector of ones to zero", [64, 196, 195, 196]),
    (GAP, "can reach 190 at most, and does", [8, 182, 190, 196]),
    (GAP | {"d": 14}, "Here the low rank fills the gap", [14, 182, 196, 196]),
    ({"d": 8}, "has full rank by itself", [8, 196, 196, 196]),
    ({"convolution": "zero"}, "The kernel is zero: Meq is A alone, and its rank is at most d = 64", None),
    ({"convolution": "minus_impulse", "d": 8}, "has no positive entry, so its row of A is zero", None),
    ({"convolution": "minus_impulse"}, "‖(A − I)1‖ =", None),
    ({"d": 256}, "A has rank 196 by itself here", None),
    ({"tolerance": 0.1}, "of them count: the bounds are about exact ranks", None),
    ({"wrapped": True}, "378 entries of MDWC in 56 rows are wrong", None),
    (GAP | {"wrapped": True}, "13 entries of MDWC in 13 rows are wrong", [8, 195, 196, 196]),
    ({"grid": [7, 14], "d": 32, "seed": 3, "channel": 5, "p": 8}, "has full rank by itself", None),
]  # fmt: skip


def test_each_case_shows_what_python_says_and_the_message_that_fits(reader):
    shown = views(reader().open(PAGE), [traits for traits, *_ in CASES])
    for (traits, words, ranks), one in zip(CASES, shown, strict=True):
        assert_shows(one["figures"], RankLab(**traits))
        assert words in one["text"].replace("\n", ""), traits
        assert ranks in (None, [one["figures"][f"rank_{name}"] for name in MAPS])


def test_late_answers_never_stand_for_what_is_set(reader):
    """Ten changes at once: the worker answers some of them, and what stays is the last one's."""
    one = reader()
    move_at_once(one.open(PAGE + fragment("rank", seed=1)).get_by_role("slider", name="seed"), list(range(1, 11)))
    assert_shows(one.figures(), RankLab(seed=10))


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
    page = one.open(PAGE)
    assert_shows(one.figures(), RankLab())
    page.get_by_role("button", name="Built to fail").click()
    assert_shows(one.figures(), RankLab(convolution="minus_impulse"))


def test_tensors_that_were_given(reader):
    q, k, kernel = (torch.randn(*shape) for shape in [(1, 49, 8)] * 2 + [(8, 5, 5)])
    lab = RankLab(q=q, k=k, kernel=kernel, name="trained", about="From a test.")
    found = given(reader().open(PAGE), lab)
    assert_shows(found["figures"], lab)
    assert found["text"].count("trained\n") == 2 and "From a test." in found["text"]  # for tokens and for kernels


def test_maps_are_painted_as_they_are(reader):
    """A pixel an entry: the ground's colour where the convolution has a zero, colour where it has none."""
    one = reader()
    page = one.open(PAGE + fragment("rank", grid=[7, 7]))
    one.settle()
    painted = pixels(page.locator("canvas[data-kind=dwc]"))
    matrix = RankLab(grid=(7, 7)).maps().dwc.numpy()
    assert (painted[matrix == 0] == 255).all()
    strong = np.abs(matrix) > 0.1 * np.abs(matrix).max()
    assert (painted[strong & (matrix > 0)][:, 2] > painted[strong & (matrix > 0)][:, 0]).all()  # blue
    assert (painted[strong & (matrix < 0)][:, 0] > painted[strong & (matrix < 0)][:, 2]).all()  # orange
