"""The labs' mathematics, function by function, against Python's on random input of many sizes."""

import numpy as np
import pytest
import torch

from flatten_edu.analysis import angle_degrees, entropy_bits, largest_coordinate, top1_share
from flatten_edu.functional import focused_map, linear_weights, softmax_weights
from tests.browser.conftest import INTRO
from tests.browser.in_page import call


@pytest.fixture
def browser_says(reader):
    """browser_says(function, calls): the function's value for each list of arguments, as a list."""
    page = reader().open(INTRO)

    def said(name, calls):
        return [value if isinstance(value, list) else [value] for value in call(page, name, calls)]

    return said


def vectors(count, seed):
    """Vectors of 1 to 64 entries from tiny to large, some of them zero, tied or negative."""
    draw = np.random.default_rng(seed)
    for _ in range(count):
        row = draw.normal(size=draw.integers(1, 65)) * 10.0 ** draw.integers(-4, 5)
        row[draw.random(row.shape) < 0.2] = 0
        yield np.where(draw.random(row.shape) < 0.1, np.abs(row).max(), row).tolist()


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def close(found, wanted):
    for f, w in zip(found, wanted, strict=True):
        assert f == pytest.approx(w.reshape(-1).tolist(), rel=1e-6, abs=1e-12, nan_ok=True)


def test_focused_map(browser_says):
    calls = [[x, p] for x in vectors(60, 0) for p in [1, 1.05, 2, 3, 8, 32.4, 256]]
    close(browser_says("focusedMap", calls), [focused_map(double(x), float(p)) for x, p in calls])


def pairs(count, seed):
    draw = np.random.default_rng(seed)
    for x in vectors(count, seed):
        yield x, draw.permutation(x).tolist()


def test_angle(browser_says):
    calls = [[x, y] for x, y in pairs(300, 1)]
    close(browser_says("angleDegrees", calls), [angle_degrees(double(x), double(y)) for x, y in calls])


@pytest.mark.parametrize("name", ["softmaxWeights", "linearWeights"])
def test_weights(browser_says, name):
    draw = np.random.default_rng(2)
    shapes = draw.integers(1, 12, size=(200, 2))
    calls = [[draw.normal(size=d).tolist(), draw.normal(size=(m, d)).tolist()] for m, d in shapes]
    if name == "linearWeights":
        calls = [[np.maximum(q, 0).tolist(), np.maximum(k, 0).tolist()] for q, k in calls]
    python = {"softmaxWeights": softmax_weights, "linearWeights": linear_weights}[name]
    close(browser_says(name, calls), [python(double([q]), double(k)) for q, k in calls])


@pytest.mark.parametrize(
    ("name", "python"),
    [("entropyBits", entropy_bits), ("top1Share", top1_share), ("largestCoordinate", largest_coordinate)],
)
def test_measures_of_a_row(browser_says, name, python):
    rows = [np.maximum(x, 0) for x in vectors(300, 3)]
    rows = [(row / row.sum() if row.sum() else row).tolist() for row in rows]
    close(browser_says(name, [[row] for row in rows]), [python(double(row)).double() for row in rows])


def test_the_sliders_scale(browser_says):
    stops = list(range(161))
    p = [row[0] for row in browser_says("stopToP", [[stop] for stop in stops])]
    assert [row[0] for row in browser_says("pToStop", [[value] for value in p])] == pytest.approx(stops)
    assert p[0] == 1 and p[-1] == 256 and {1.0, 2.0, 3.0, 4.0, 8.0} <= set(p)


def test_bad_p_is_refused(browser_says):
    with pytest.raises(Exception, match="focusedMap needs a finite p > 0, got 0"):
        browser_says("focusedMap", [[[1, 2], 0]])
