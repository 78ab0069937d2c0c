"""Attention and its weights against slow twins (outputs and gradients), figure 4 of the paper, and bad input."""

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from flatten_edu.functional import (
    FEATURE_MAPS,
    attention_matrix,
    cheaper_order,
    feature_map,
    focused_map,
    linear_attention,
    linear_weights,
    softmax_attention,
    softmax_weights,
)
from tests.functional.loops import linear_attention_loop, softmax_attention_loop
from tests.helpers import TOLERANCE, assert_twins, tokens

DTYPES = st.sampled_from([torch.float64, torch.float32])
FACTORS = st.sampled_from([1, 2, 3, 4, 8, 32, 2.5])


@st.composite
def problems(draw):
    """q, k, v of one head, and a key mask or None; N = 1, d = 1 and M != N among them."""
    n, m, d, e = draw(st.integers(1, 5)), draw(st.integers(1, 5)), draw(st.integers(1, 4)), draw(st.integers(1, 3))
    seed = draw(st.integers(0, 10**6))
    mask = draw(st.none() | st.lists(st.booleans(), min_size=m, max_size=m))
    q, k, v = tokens(seed, (n, d), (m, d), (m, e))
    return q, k, v, None if mask is None else torch.tensor(mask)


@given(problems(), DTYPES)
def test_softmax_attention_equals_its_twin(problem, dtype):
    *qkv, mask = problem
    assert_twins(lambda *t: softmax_attention(*t, mask), lambda *t: softmax_attention_loop(*t, mask), qkv, dtype)


def well_conditioned(phi_q, phi_k, mask, dtype):
    """Whether no query is nearly at right angles to all keys: there the sum that divides has lost its digits."""
    kept = phi_k if mask is None else phi_k[mask]
    total = phi_q @ kept.sum(0)
    size = phi_q.norm(dim=-1) * kept.norm(dim=-1).sum()
    return bool(((total == 0) | (total > {torch.float32: 0.1, torch.float64: 1e-3}[dtype] * size)).all())


@given(
    problems(),
    DTYPES,
    st.sampled_from(sorted(FEATURE_MAPS)),
    FACTORS,
    st.sampled_from(["auto", "qk_first", "kv_first"]),
)
def test_linear_attention_equals_its_twin_in_each_order(problem, dtype, name, p, order):
    q, k, v, mask = problem
    phi = feature_map(name)
    phi_q, phi_k = phi(q, k, mask, p)
    assume(not phi.normalised or well_conditioned(phi_q, phi_k, mask, dtype))
    assert_twins(
        lambda *t: linear_attention(*t, mask, order, phi.normalised),
        lambda *t: linear_attention_loop(*t, mask, phi.normalised),
        [phi_q, phi_k, v],
        dtype,
    )


@given(problems(), st.sampled_from([1e-6, 0.1]))
def test_linear_attention_with_eps_equals_its_twin(problem, eps):
    q, k, v, mask = problem
    assume(well_conditioned(q.relu(), k.relu(), mask, torch.float64))
    assert_twins(
        lambda *t: linear_attention(*t, mask, eps=eps),
        lambda *t: linear_attention_loop(*t, mask, eps=eps),
        [q.relu(), k.relu(), v],
        torch.float64,
    )


@given(problems(), st.sampled_from(["softmax", *sorted(FEATURE_MAPS)]), FACTORS)
def test_the_matrix_times_the_values_is_the_attention(problem, kind, p):
    q, k, v, mask = problem
    matrix = attention_matrix(q, k, kind, mask, p)
    if kind == "softmax":
        out = softmax_attention(q, k, v, mask)
    else:
        phi = feature_map(kind)
        out = linear_attention(*phi(q, k, mask, p), v, mask, normalised=phi.normalised)
    values = v if mask is None else v * mask[:, None]
    torch.testing.assert_close(matrix @ values, out, **TOLERANCE[torch.float64])


@given(problems(), st.sampled_from(["softmax", *sorted(FEATURE_MAPS)]))
def test_a_masked_key_is_as_good_as_none(problem, kind):
    """Also where it holds NaN."""
    q, k, v, _ = problem
    padded_k, padded_v = (torch.cat([t, torch.full((2, t.shape[1]), torch.nan, dtype=t.dtype)]) for t in (k, v))
    mask = torch.tensor([True] * len(k) + [False] * 2)
    torch.testing.assert_close(attention_matrix(q, padded_k, kind, mask)[:, : len(k)], attention_matrix(q, k, kind))
    if kind == "softmax":
        torch.testing.assert_close(softmax_attention(q, padded_k, padded_v, mask), softmax_attention(q, k, v))


@given(problems(), st.floats(0.01, 100))
def test_the_length_of_a_query_changes_nothing_in_linear_attention(problem, length):
    q, k = (focused_map(t, 3) for t in problem[:2])
    torch.testing.assert_close(linear_weights(length * q, k), linear_weights(q, k), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", sorted(FEATURE_MAPS))
def test_rows_of_each_map_sum_to_one(name):
    q, k = tokens(0, (7, 5), (9, 5))
    torch.testing.assert_close(attention_matrix(q, k, name).sum(-1), torch.ones(7, dtype=q.dtype))


def test_efficient_attention_with_a_mask_takes_its_softmax_over_the_other_keys():
    q, k = tokens(0, (3, 4), (6, 4))
    mask = torch.tensor([True] * 4 + [False] * 2)
    torch.testing.assert_close(
        attention_matrix(q, k, "efficient", mask)[:, :4], attention_matrix(q, k[:4], "efficient")
    )


def test_figure_4_of_the_paper():
    q = torch.tensor([[0.39, 0.94]])
    k = torch.tensor([[0.43, 0.86], [0.55, 0.30], [0.97, 0.32], [0.85, 0.14]])
    for p, printed in {1: [0.37, 0.19, 0.26, 0.18], 3: [0.75, 0.11, 0.09, 0.05]}.items():
        torch.testing.assert_close(attention_matrix(q, k, "focused", p=p)[0], torch.tensor(printed), rtol=0, atol=0.005)


def test_a_query_that_sees_nothing_attends_to_nothing():
    assert linear_weights(torch.zeros(1, 2), torch.ones(3, 2)).tolist() == [[0.0, 0.0, 0.0]]
    assert linear_attention(torch.zeros(1, 2), torch.ones(3, 2), torch.ones(3, 4)).tolist() == [[0.0] * 4]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("kind", [softmax_weights, linear_weights])
def test_half_precision_does_not_overflow(dtype, kind):
    x = torch.full((3, 64), 1e4, dtype=dtype)
    torch.testing.assert_close(kind(x, x), torch.full((3, 3), 1 / 3, dtype=dtype), rtol=1e-2, atol=0)


def test_without_keys_there_is_nothing_to_attend_to():
    q, k, v = torch.ones(2, 3), torch.ones(0, 3), torch.ones(0, 4)
    assert linear_attention(q, k, v).equal(torch.zeros(2, 4)) and linear_weights(q, k).shape == (2, 0)


def test_leading_dimensions_broadcast():
    q, k, v = torch.rand(2, 1, 4, 3), torch.rand(5, 6, 3), torch.rand(5, 6, 2)
    assert linear_weights(q, k).shape == softmax_weights(q, k).shape == (2, 5, 4, 6)
    assert linear_attention(q, k, v).shape == softmax_attention(q, k, v).shape == (2, 5, 4, 2)


def test_auto_takes_the_order_with_fewer_multiplications():
    assert cheaper_order(196, 196, 64, 64) == "kv_first"
    assert cheaper_order(49, 49, 64, 64) == "qk_first"
    assert cheaper_order(64, 64, 64, 64) == "qk_first"  # a tie


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
def test_weights_say_what_was_wanted_and_what_came(readers_view, kind, q, k, error, words):
    with pytest.raises(error, match=words):
        kind(q, k)


@pytest.mark.parametrize("kind", [softmax_attention, linear_attention])
@pytest.mark.parametrize(
    ("v", "mask", "error", "words"),
    [
        (torch.ones(3, 3), None, ValueError, r"as many values as keys, got k \(2, 3\) and v \(3, 3\)"),
        (ONES.double(), None, TypeError, "one dtype, got k torch.float32, v torch.float64"),
        (ONES, torch.ones(2), TypeError, "boolean key_mask, True for keys that count, got torch.float32"),
        (ONES, torch.ones(5, dtype=torch.bool), ValueError, r"key_mask \[..., 2\] for k \(2, 3\), got \(5,\)"),
    ],
)
def test_attention_says_what_was_wanted_and_what_came(readers_view, kind, v, mask, error, words):
    with pytest.raises(error, match=words):
        kind(ONES, ONES, v, mask)


def test_unknown_names_are_answered_with_the_known_ones(readers_view):
    with pytest.raises(ValueError, match=r"no feature map 'gelu'; there are efficient, elu1, focused, relu"):
        attention_matrix(ONES, ONES, "gelu")
    with pytest.raises(ValueError, match="no order 'vk_first'; there are auto, kv_first, qk_first"):
        linear_attention(ONES, ONES, ONES, order="vk_first")


def test_linear_weights_ask_for_a_feature_map():
    with pytest.raises(ValueError, match=r"similarities >= 0, got -3: apply a feature map"):
        linear_weights(ONES, -ONES)
