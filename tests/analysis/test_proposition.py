"""Where Proposition 1's inequality holds: examples, and what is proved, on vectors that hypothesis draws."""

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flatten_edu.analysis import angle_degrees, focused_cosine, proposition, widens_at_first
from flatten_edu.functional import focused_map

entries = st.one_of(st.just(0.0), st.integers(1, 100).map(lambda i: i / 100))


def pairs(low=2, high=8):
    return st.integers(low, high).flatmap(lambda d: st.tuples(*[st.lists(entries, min_size=d, max_size=d)] * 2))


def double(row):
    return torch.tensor(row, dtype=torch.float64)


def angle(x, y, p):
    return float(angle_degrees(focused_map(double(x), p), focused_map(double(y), p)))


def test_the_books_pair_is_further_apart_until_past_100():
    found = proposition(double([1, 0.99]), double([1, 0.5]))
    assert found.case == "same" and found.limit == 1
    ((start, end),) = found.fails
    assert start == 1 and end == found.holds_from == pytest.approx(110.989, abs=1e-3)
    assert found.worst_degrees == pytest.approx(42.54, abs=0.005) and 6.5 < found.worst_p < 8
    assert [round(angle([1, 0.99], [1, 0.5], p), 1) for p in (1, 2, 3, 8)] == [18.1, 30.4, 37.0, 42.5]
    assert angle([1, 0.99], [1, 0.5], end) == pytest.approx(angle([1, 0.99], [1, 0.5], 1.0), rel=1e-7)


def test_a_pair_with_other_largest_entries_may_come_closer():
    found = proposition(double([1, 0.9, 0.6]), double([0.9, 1, 0]))
    assert found.case == "different" and found.limit == 0 and found.fails[0][0] == 1
    assert angle([1, 0.9, 0.6], [0.9, 1, 0], 3.0) < angle([1, 0.9, 0.6], [0.9, 1, 0], 1.0)
    assert 3 < found.holds_from < 5


@pytest.mark.parametrize(
    ("x", "y", "case"),
    [
        ([1, 1], [1, 0.5], "tie"),
        ([1, 0.5], [2, 1], "parallel"),
        ([1, 0, 0], [0, 1, 0.5], "orthogonal"),
        ([3, 0, 0], [0.1, 0, 0], "parallel"),
    ],
)
def test_pairs_of_which_it_says_nothing_that_could_hold(x, y, case):
    found = proposition(double(x), double(y))
    assert (found.case, found.fails, found.holds_from) == (case, (), None)
    if case != "tie":
        assert found.limit == pytest.approx(focused_cosine(double(x), double(y), 5), abs=1e-12)


@given(pairs(), st.sampled_from([1.0, 1.5, 2.0, 3.0, 8.0, 100.0]))
def test_the_cosine_is_that_of_the_focused_vectors(pair, p):
    assume(any(pair[0]) and any(pair[1]))
    u, v = (focused_map(double(row), p) for row in pair)
    assert focused_cosine(*map(double, pair), p) == pytest.approx(
        float(u @ v / u.norm() / v.norm()), rel=1e-9, abs=1e-12
    )


@settings(max_examples=60)
@given(pairs())
def test_it_holds_outside_the_intervals_and_fails_within(pair):
    x, y = map(double, pair)
    assume(x.any() and y.any())
    found = proposition(x, y)
    if found.case not in ("same", "different"):
        return
    sign = 1 if found.case == "same" else -1
    first = focused_cosine(x, y, 1)
    for p in [1.02 * 1.3**i for i in range(21)]:
        if any(abs(p - end) < 1e-3 * p for run in found.fails for end in run):
            continue
        change = sign * (focused_cosine(x, y, p) - first)
        inside = any(a < p < b for a, b in found.fails)
        assert change <= 1e-12 if inside else change >= -1e-12
    if found.holds_from is not None:
        assert found.holds_from == (found.fails[-1][1] if found.fails else 1)


ratios = st.floats(0.001, 0.999)


@settings(max_examples=200)
@given(ratios, ratios)
def test_in_the_plane_there_is_one_interval_of_widening_from_1_on_or_none(a, b):
    """Proved in the book: for the same largest entry, with g(t) = t ln t / (1 + t^2)."""
    assume(abs(a - b) > 1e-3)
    rates = [t * math.log(t) / (1 + t * t) for t in (a, b)]
    assume(abs(rates[0] - rates[1]) > 0.01)  # or the interval is shorter than a step of the scan
    found = proposition(double([1, a]), double([1, b]))
    assert widens_at_first(a, b) == bool(found.fails)
    assert [start for start, _ in found.fails] in ([], [1.0])


@given(ratios, ratios)
def test_in_the_plane_different_largest_entries_move_apart_for_every_p(a, b):
    found = proposition(double([1, a]), double([b, 1]))
    assert (found.case, found.fails, found.holds_from) == ("different", (), 1.0)


@given(ratios)
def test_an_axis_draws_near_whatever_shares_it(a):
    assert not widens_at_first(a, 0) and proposition(double([1, a]), double([1, 0])).holds_from == 1


def test_what_it_refuses(readers_view):
    for x, y, words in [
        ([1, -0.1], [1, 1], r"entries >= 0, one of them above, got x = \[1.0, -0.1"),
        ([1, 0.5], [0, 0], "got y ="),
        ([1, 0.5], [1, math.nan], "got y ="),
        ([1, 0.5], [1, 0.5, 0.2], r"two vectors of one length, got \(2,\) and \(3,\)"),
    ]:
        with pytest.raises(ValueError, match=words):
            proposition(double(x), double(y))
    with pytest.raises(ValueError, match="ratios from 0 to below 1"):
        widens_at_first(1, 0.5)
