"""Attention weights against their slow twins, figure 4 of the paper, and bad input."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from flatten_edu.functional import focused_map, linear_weights, softmax_weights
from flatten_edu.functional.reference import linear_weights_loop, softmax_weights_loop


@st.composite
def queries_and_keys(draw):
    n, m, d = draw(st.integers(1, 5)), draw(st.integers(1, 6)), draw(st.integers(1, 5))
    numbers = st.lists(st.floats(-5, 5), min_size=d, max_size=d)
    return [torch.tensor(draw(st.lists(numbers, min_size=r, max_size=r)), dtype=torch.float64) for r in (n, m)]


@given(queries_and_keys())
def test_softmax_equals_its_slow_twin(tokens):
    q, k = tokens
    slow = torch.tensor([softmax_weights_loop(row, k.tolist()) for row in q.tolist()], dtype=torch.float64)
    torch.testing.assert_close(softmax_weights(q, k), slow, rtol=1e-10, atol=1e-12)


@given(queries_and_keys())
def test_linear_equals_its_slow_twin(tokens):
    q, k = (t.relu() for t in tokens)
    slow = torch.tensor([linear_weights_loop(row, k.tolist()) for row in q.tolist()], dtype=torch.float64)
    torch.testing.assert_close(linear_weights(q, k), slow, rtol=1e-10, atol=1e-12)


@given(queries_and_keys(), st.floats(0.01, 100))
def test_the_length_of_a_query_changes_nothing_in_linear_attention(tokens, length):
    q, k = (focused_map(t, 3) for t in tokens)
    torch.testing.assert_close(linear_weights(length * q, k), linear_weights(q, k), rtol=1e-9, atol=1e-12)


def test_figure_4_of_the_paper():
    q = torch.tensor([[0.39, 0.94]])
    k = torch.tensor([[0.43, 0.86], [0.55, 0.30], [0.97, 0.32], [0.85, 0.14]])
    for p, printed in {1: [0.37, 0.19, 0.26, 0.18], 3: [0.75, 0.11, 0.09, 0.05]}.items():
        weights = linear_weights(focused_map(q, p), focused_map(k, p))
        torch.testing.assert_close(weights[0], torch.tensor(printed), rtol=0, atol=0.005)


def test_a_query_that_sees_nothing_attends_to_nothing():
    assert linear_weights(torch.zeros(1, 2), torch.ones(3, 2)).tolist() == [[0.0, 0.0, 0.0]]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("kind", [softmax_weights, linear_weights])
def test_half_precision_does_not_overflow(dtype, kind):
    x = torch.full((3, 64), 1e4, dtype=dtype)
    torch.testing.assert_close(kind(x, x), torch.full((3, 3), 1 / 3, dtype=dtype), rtol=1e-2, atol=0)


def test_leading_dimensions_broadcast():
    q, k = torch.rand(2, 1, 4, 3), torch.rand(5, 6, 3)
    assert linear_weights(q, k).shape == softmax_weights(q, k).shape == (2, 5, 4, 6)


ONES = torch.ones(2, 3)


@pytest.mark.parametrize("kind", [softmax_weights, linear_weights])
@pytest.mark.parametrize(
    ("q", "k", "error", "words"),
    [
        (ONES, torch.ones(2, 4), ValueError, r"same feature dimension d .* \(2, 3\), .* \(2, 4\)"),
        (torch.ones(3), ONES, ValueError, r"shape \[..., tokens, d\]"),
        (torch.ones(2, 2, 3), torch.ones(3, 2, 3), ValueError, "leading dimensions that broadcast"),
        (ONES.int(), ONES, TypeError, r"floating-point numbers in \w+, got torch.int32"),
        (ONES, ONES.double(), TypeError, "one dtype"),
        (ONES * torch.nan, ONES, ValueError, r"finite numbers, got \w+\[0, 0\] = nan"),
    ],
)
def test_says_what_was_wanted_and_what_came(readers_view, kind, q, k, error, words):
    with pytest.raises(error, match=words):
        kind(q, k)


def test_linear_attention_asks_for_a_feature_map():
    with pytest.raises(ValueError, match=r"entries >= 0, got -1 in phi_k: apply a feature map first"):
        linear_weights(ONES, -ONES)
