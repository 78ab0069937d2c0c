"""The mathematics of the lab `rank`, worker and all, against Python's on hundreds of random settings."""

import base64
import hashlib
import random

import numpy as np
import pytest
import torch

from flatten_edu.analysis import (
    determinant_lemma,
    effective_rank,
    numerical_rank,
    rank_guarantee,
    spectrum,
    stable_rank,
)
from flatten_edu.data import hash_noise
from flatten_edu.functional import dwc_matrix, wrapped_dwc_matrix
from flatten_edu.labs import RankLab
from flatten_edu.publish.mount import split_state
from tests.browser.in_page import LAB, call
from tests.browser.test_rank import MAPS, PAGE, few_threads, line_of  # noqa: F401 (a fixture of both files)

GRIDS = [(1, 2), (4, 4), (5, 3), (2, 9), (7, 7), (6, 9), (7, 14), (10, 10), (14, 14)]
# LAPACK's values and these may differ by so much of the largest; a value that near to the tolerance is undecided.
FLOOR = 1e-13


STUDY = (
    """
async ([cases, given]) => {"""
    + LAB
    + """
  const { CaseMaker, SpectrumCache, bounds, numericalRank, effectiveRank, stableRank } = lab;
  const view = (key) => key && asBytes(atob(given[key]).split("").map((c) => c.charCodeAt(0)));
  const number = (x) => (Number.isFinite(x) ? x : String(x));
  return cases.map((traits) => {
    const state = { ...traits };
    state.tokens = view(traits.tokens);
    const made = new CaseMaker().make({ get: (name) => state[name] });
    const { spectra, lemma } = new SpectrumCache().answer(made);
    const names = Object.keys(spectra);
    const tolerance = state.tolerance || undefined;
    const per = (f) => Object.fromEntries(names.map((name) => [name, f(spectra[name])]));
    return {
      spectra: per((s) => [...s]), ranks: per((s) => numericalRank(s)), chosen: per((s) => numericalRank(s, tolerance)),
      effective: per((s) => number(effectiveRank(s))), stable: per((s) => number(stableRank(s))),
      bounds: bounds(spectra.linear, spectra.dwc, spectra.equivalent), wrong: made.wrong, ones: made.ones,
      checks: names.map((name) => made.maps[name].reduce((sum, v, i) => sum + v * Math.cos(i), 0)),
      lemma: lemma && Object.values(lemma).map(({ sign, log10 }) => [sign, number(log10)]),
    };
  });
}
"""
)


def random_setting(draw: random.Random, given: bool) -> RankLab:
    common = {
        "p": draw.choice([1.0, 1.5, 3.0, 3.0, 8.0, 32.0]),
        "convolution": draw.choice(
            ["random"] * 4 + ["zero", "minus_impulse", "right_neighbour"] + ["given"] * 4 * given
        ),
        "wrapped": draw.random() < 0.3,
        "channel": draw.randrange(70),
        "tolerance": draw.choice([0.0, 0.0, 1e-12, 1e-6, 1e-3, 0.01, 0.1]),
        "seed": draw.choice([draw.randrange(100), draw.randrange(2**32)]),
    }
    rows, columns = draw.choice(GRIDS)
    if not given:
        return RankLab(grid=(rows, columns), d=draw.choice([1, 2, 4, 8, 16, 32, 64, 128, 256]), **common)
    n, d, heads, layers = rows * columns, draw.choice([1, 3, 16, 40]), draw.choice([1, 2]), draw.choice([1, 3])
    generator = torch.Generator().manual_seed(common["seed"] % 2**31)
    dtype = draw.choice([torch.float16, torch.float32, torch.float64])
    q, k = (torch.randn(layers, heads, n, d, generator=generator).to(dtype) for _ in range(2))
    kernel = torch.randn(layers, d, draw.choice([1, 3, 5]), draw.choice([1, 3, 7]), generator=generator).to(dtype)
    own = {"layer": draw.randrange(4), "head": draw.randrange(3)}
    return RankLab(q=q, k=k, kernel=kernel, **common | own | {"grid": (rows, columns)})


def sent(lab: RankLab, files: dict[str, str]) -> dict:
    """A lab's state, with its bytes put among the files under a key: many labs have the same."""
    state, buffers = split_state(lab)
    for name, content in buffers.items():
        state[name] = hashlib.sha256(content).hexdigest()
        files[state[name]] = base64.b64encode(content).decode()
    return state


def on_the_line(matrix, tolerance) -> bool:
    """Whether rounding decides a rank: a singular value within the floor of the tolerance."""
    values = spectrum(matrix)
    floor = min(FLOOR * float(values[0]), 0.05 * line_of(matrix, tolerance))
    return bool(((values - line_of(matrix, tolerance)).abs() < floor).any())


@pytest.mark.parametrize("given", [False, True], ids=["random", "given"])
def test_hundreds_of_settings_give_what_python_gives(reader, measured, given):
    draw = random.Random(0)
    labs = [random_setting(draw, given) for _ in range(60 if given else 300)]
    page = reader().open(PAGE)
    files: dict[str, str] = {}
    cases = [sent(lab, files) for lab in labs]
    found = page.evaluate(STUDY, [cases, files])
    furthest, undecided, unequal, ranks, lemmas = 0.0, 0, 0, 0, 0
    for lab, browser in zip(labs, found, strict=True):
        maps = lab.maps()
        n = len(maps.linear)
        for i, name in enumerate(MAPS):
            matrix = getattr(maps, name)
            values = spectrum(matrix)
            weight = torch.cos(torch.arange(n * n, dtype=torch.float64)).reshape(n, n)
            assert browser["checks"][i] == pytest.approx(
                float((matrix * weight).sum()), abs=1e-9 * max(1, float(values[0]))
            )
            if values[0] > 0:
                gap = np.abs(np.array(browser["spectra"][name]) - values.numpy()).max() / float(values[0])
                furthest = max(furthest, gap)
            for key, tolerance in {"ranks": 0.0, "chosen": lab.tolerance}.items():
                wanted = int(numerical_rank(matrix, line_of(matrix, tolerance)))
                ranks += 1
                if on_the_line(matrix, tolerance):
                    undecided += 1
                    assert abs(browser[key][name] - wanted) <= 1
                    unequal += browser[key][name] != wanted
                else:
                    assert browser[key][name] == wanted, (name, lab.convolution, lab.grid, lab.d, lab.p)
            for key, measure in {"effective": effective_rank, "stable": stable_rank}.items():
                assert float(browser[key][name]) == pytest.approx(float(measure(matrix)), rel=1e-6, nan_ok=True)
        lemmas += assert_guarantees(maps, browser, n)
        exact, drawn = (
            dwc(lab._kernel(len(maps.w[0])).double(), tuple(lab._tokens()[2]))
            for dwc in (dwc_matrix, wrapped_dwc_matrix)
        )
        assert browser["wrong"] == {"entries": int((exact != drawn).sum()), "rows": int((exact != drawn).any(1).sum())}
        assert browser["ones"] == pytest.approx(float(maps.equivalent.sum(1).norm()), rel=1e-6, abs=1e-12)
    assert furthest < FLOOR < 1e-6 and undecided < 0.02 * ranks
    measured(
        f"lab rank, {'given' if given else 'random'}: twins",
        f"{len(labs)} settings, {ranks - unequal} of {ranks} ranks equal ({undecided} lie on the tolerance), "
        f"singular values within {furthest:.0e} of the largest, {lemmas} determinants",
    )


def assert_guarantees(maps, browser, n) -> int:
    """Bounds and, where they are defined, both sides of the lemma."""
    python = rank_guarantee(maps.dwc, maps.u, maps.w)
    found = browser["bounds"]
    if any(on_the_line(matrix, 0) for matrix in (maps.dwc, maps.linear, maps.equivalent)):
        return 0
    assert (found["dwc"], found["linear"], found["sum"]) == (python.dwc_rank, python.linear_rank, python.sum_rank)
    assert (found["low"], found["high"]) == (python.lower_bound, python.upper_bound)
    assert (browser["lemma"] is None) == (python.dwc_rank < n)
    if browser["lemma"] is None or python.sum_rank < n:
        return 0
    lemma = determinant_lemma(maps.dwc, maps.u, maps.w)
    wanted = [lemma.sign, lemma.log10, lemma.dwc_sign, lemma.dwc_log10, lemma.small_sign, lemma.small_log10]
    assert [number for side in browser["lemma"] for number in side] == pytest.approx(wanted, rel=1e-6, abs=1e-6)
    return 1


def test_the_generator_is_python_s_bit_for_bit(reader):
    page = reader().open(PAGE)
    calls = [[0, 0, 3, 5], [7, 1, 20, 64], [2**32 - 1, 2**31, 9, 9], [99, 2, 256, 25], [2**31, 3, 1, 1]]
    for case, numbers in zip(calls, call(page, "hashNoise", calls), strict=True):
        assert numbers == hash_noise(*case).reshape(-1).tolist()


def test_hard_matrices(reader):
    """Zeros, nilpotent, graded, repeated and tiny: where iterations of other programs have failed to end."""
    n = 40
    draw = np.random.default_rng(0)
    shift = np.eye(n, k=1)
    graded = np.diag(10.0 ** -np.arange(n)) @ draw.normal(size=(n, n))
    matrices = [
        np.zeros((n, n)), np.eye(n), shift, shift @ shift, np.ones((n, n)), graded, graded.T, 1e-300 * np.eye(n),
        1e150 * shift, np.triu(np.ones((n, n))), np.diag(np.r_[1.0, np.zeros(n - 1)]), draw.normal(size=(n, n)) ** 9,
        np.outer(draw.normal(size=n), draw.normal(size=n)), np.eye(n) - 1 / n,
    ]  # fmt: skip
    page = reader().open(PAGE)
    calls = [[matrix.ravel().tolist(), n] for matrix in matrices]
    found = call(page, "singularValues", calls)
    for matrix, values in zip(matrices, found, strict=True):
        wanted = np.linalg.svd(matrix, compute_uv=False)
        assert np.abs(np.array(values) - wanted).max() <= 1e-13 * max(wanted[0], 1e-320)
