"""Exponents and crossovers: known laws are recovered, with noise within what the error says."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatten_edu.bench import crossover, fit_slope

SIZES = [49, 196, 784, 3136, 12544]
EXPONENTS = st.floats(0.2, 3)
CONSTANTS = st.floats(1e-9, 1e-3)


def law(constant, exponent, sizes=SIZES):
    return {n: constant * n**exponent for n in sizes}


@given(CONSTANTS, EXPONENTS)
def test_a_power_law_is_recovered(constant, exponent):
    slope = fit_slope(law(constant, exponent))
    assert slope.exponent == pytest.approx(exponent, abs=1e-9)
    assert slope.error == pytest.approx(0, abs=1e-6) and (slope.smallest, slope.largest) == (49, 12544)


@given(CONSTANTS, EXPONENTS, st.integers(0, 10**6))
def test_noise_moves_the_exponent_by_a_few_of_its_errors(constant, exponent, seed):
    noise = np.random.default_rng(seed).normal(0, 0.05, 12)
    sizes = [2**k for k in range(4, 16)]
    values = {n: constant * n**exponent * math.exp(e) for n, e in zip(sizes, noise, strict=True)}
    slope = fit_slope(values)
    assert slope.error > 0 and abs(slope.exponent - exponent) < 8 * slope.error


def test_small_sizes_are_left_out_and_too_few_have_no_slope():
    values = law(1.0, 2.0) | {49: 1e9}
    assert fit_slope(values, smallest=196).exponent == pytest.approx(2)
    assert fit_slope({784: 1.0, 3136: 4.0}).error is None
    assert fit_slope({784: 1.0}) is None and fit_slope(values, smallest=12544) is None and fit_slope({}) is None
    assert str(fit_slope({784: 1.0, 3136: 4.0})) == "1.00 over N = 784..3136"


def crossing(fast, slow):
    """Of curves without noise."""
    return crossover({n: [t] for n, t in fast.items()}, {n: [t] for n, t in slow.items()}, draws=1).n


@given(CONSTANTS, st.floats(0.3, 1.4), st.floats(0.3, 1.4), st.floats(60, 12000))
def test_two_laws_cross_where_they_are_equal(constant, exponent, gap, where):
    slow = law(constant, exponent + gap)
    fast = law(constant * where**gap, exponent)
    assert crossing(fast, slow) == pytest.approx(where, rel=1e-6)


@given(CONSTANTS, EXPONENTS, st.floats(1.01, 5))
def test_laws_that_do_not_cross_say_so(constant, exponent, times):
    low, high = law(constant, exponent), law(times * constant, exponent)
    assert crossing(low, high) == 0 and crossing(high, low) == math.inf
    assert crossing(low, low) == math.inf  # equal is not below


def test_the_last_crossing_counts():
    slow = dict.fromkeys(SIZES, 1.0)
    fast = dict(zip(SIZES, [0.5, 2.0, 0.5, 2.0, 0.5], strict=True))
    assert 3136 < crossing(fast, slow) < 12544


def test_curves_without_a_common_size():
    with pytest.raises(ValueError, match=r"no size is in both curves: \[1\] and \[2\]"):
        crossover({1: [1.0]}, {2: [1.0]})


def repeats(values, spread, seed, count=15):
    generator = np.random.default_rng(seed)
    return {n: list(value * np.exp(generator.normal(0, spread, count))) for n, value in values.items()}


@given(st.floats(100, 8000), st.integers(0, 10**6))
def test_the_interval_holds_the_crossover(where, seed):
    fast = repeats(law(1e-6 * where, 1), 0.03, seed)
    slow = repeats(law(1e-6, 2), 0.03, seed + 1)
    found = crossover(fast, slow, draws=200)
    assert found.low <= found.n <= found.high
    assert found.low / 1.1 < where < 1.1 * found.high  # 200 draws of 15 repeats: nearly always well within
    assert crossover(fast, slow, draws=200) == found  # the same draws


def test_more_noise_widens_the_interval():
    widths = []
    for spread in (0.01, 0.1):
        found = crossover(repeats(law(1e-3, 1), spread, 1), repeats(law(1e-6, 2), spread, 2))
        widths.append(found.high / found.low)
    assert 1 < widths[0] < widths[1]


@pytest.mark.parametrize(
    ("fast", "slow", "said"),
    [
        ({49: [1.0], 196: [1.0]}, {49: [2.0], 196: [2.0]}, "at every N measured, from 49 on"),
        ({49: [3.0], 196: [3.0]}, {49: [2.0], 196: [2.0]}, "not up to N = 196"),
        ({49: [2.0], 196: [2.0]}, {49: [1.0], 196: [4.0]}, "from N = 98 on"),
        ({49: [2.0], 196: [1.0, 1.0, 9.0]}, {49: [1.0], 196: [4.0]}, r"from N = \d+ on \(\d+ to above 196\)"),
    ],
)
def test_a_crossover_in_words(fast, slow, said):
    assert re.fullmatch(said, str(crossover(fast, slow)))
