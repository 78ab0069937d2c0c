"""Four later attentions: maps against loops, maps against the O(n) form with gradients, and what the book proves."""

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from flatten_edu.analysis import numerical_rank
from flatten_edu.functional import (
    inline_attention,
    inline_weights,
    linear_weights,
    mala_attention,
    mala_weights,
    pola_attention,
    pola_weights,
    polarise,
    rala_attention,
    rala_coefficients,
    rala_weights,
    softmax_weights,
)
from tests.helpers import TOLERANCE, assert_twins, tokens

DOUBLE = TOLERANCE[torch.float64]
SCALES = st.sampled_from([None, 1, 0.01])


@st.composite
def problems(draw, least=1):
    """phi_q, phi_k, v of one head: entries of phi from 0.1 on, so that no row's sum has lost its digits."""
    n, m = draw(st.integers(least, 6)), draw(st.integers(least, 6))
    d, e = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    q, k, v = tokens(draw(st.integers(0, 10**6)), (n, d), (m, d), (m, e))
    return q.abs() + 0.1, k.abs() + 0.1, v


PAIRS = {
    "inline": (inline_attention, inline_weights),
    "mala": (mala_attention, mala_weights),
    "rala": (rala_attention, rala_weights),
}


@pytest.mark.parametrize("name", PAIRS)
@given(problems(), st.sampled_from([torch.float64, torch.float32]))
def test_the_linear_form_equals_the_map_times_the_values(name, problem, dtype):
    attend, weights = PAIRS[name]
    assert_twins(attend, lambda q, k, v: weights(q, k) @ v, problem, dtype)


@given(problems(), st.sampled_from([1.0, 3.0, 2.5]))
def test_the_linear_form_of_polaformer_equals_its_two_maps(problem, power):
    q, k, v = problem
    q = q * torch.tensor([1.0, -1.0]).to(q)[torch.arange(q.numel()).reshape(q.shape) % 2]  # both signs

    def slow(q, k, v):
        same, opposite = pola_weights(q, k, power)
        first, second = v.tensor_split(2, dim=-1)
        return torch.cat([same @ first, opposite @ second], dim=-1)

    positive = polarise(q, k, power)
    assume(all((one @ positive[2].mT).sum(-1).min() > 1e-3 for one in positive[:2]))
    assert_twins(lambda *t: pola_attention(*t, power), slow, [q, k, v], torch.float64)


@given(problems(), SCALES)
def test_inline_and_mala_equal_their_formulas(problem, scale):
    phi_q, phi_k, _ = problem
    n, (m, f) = len(phi_q), phi_k.shape
    by = 1 / (m * f**0.5) if scale is None else scale
    inline, mala = inline_weights(phi_q, phi_k, scale), mala_weights(phi_q, phi_k, scale)
    for i in range(n):
        s = [by * float(phi_q[i] @ phi_k[j]) for j in range(m)]
        for j in range(m):
            assert float(inline[i, j]) == pytest.approx(s[j] - sum(s) / m + 1 / m, abs=1e-9)
            assert float(mala[i, j]) == pytest.approx((1 + 1 / sum(s)) * s[j] - sum(s) / m, abs=1e-9)


@given(problems())
def test_rala_equals_its_formula(problem):
    phi_q, phi_k, _ = problem
    m, f = phi_k.shape
    alpha = m * (phi_k @ phi_q.mean(0) / f**0.5).softmax(0)
    torch.testing.assert_close(rala_coefficients(phi_q, phi_k), alpha, **DOUBLE)
    similarity = phi_q @ phi_k.mT * alpha
    torch.testing.assert_close(rala_weights(phi_q, phi_k), similarity / similarity.sum(-1, keepdim=True), **DOUBLE)


@given(problems())
def test_rows_sum_to_one(problem):
    phi_q, phi_k, _ = problem
    for weights in [*(w(phi_q, phi_k) for _, w in PAIRS.values()), pola_weights(phi_q, phi_k)[0]]:
        torch.testing.assert_close(weights.sum(-1), torch.ones(len(phi_q)).to(phi_q), **DOUBLE)
    assert rala_coefficients(phi_q, phi_k).mean().item() == pytest.approx(1)


@given(problems(), SCALES)
def test_linear_inline_and_mala_lie_on_one_line(problem, scale):
    """u + t (p - u) with u = 1/m and p linear attention's row: t = 1, S and 1 + S."""
    phi_q, phi_k, _ = problem
    m, f = phi_k.shape
    total = (phi_q @ phi_k.mT).sum(-1, keepdim=True) * (1 / (m * f**0.5) if scale is None else scale)
    away = linear_weights(phi_q, phi_k) - 1 / m
    torch.testing.assert_close(inline_weights(phi_q, phi_k, scale), 1 / m + total * away, **DOUBLE)
    torch.testing.assert_close(mala_weights(phi_q, phi_k, scale), 1 / m + (1 + total) * away, **DOUBLE)


@given(problems(least=2), st.floats(1.5, 10))
def test_a_longer_query_has_the_same_row_in_linear_attention_and_in_rala_but_not_in_inline_and_mala(problem, length):
    phi_q, phi_k, _ = problem
    longer = length * phi_q
    torch.testing.assert_close(linear_weights(longer, phi_k), linear_weights(phi_q, phi_k), **DOUBLE)
    spread = (phi_q @ phi_k.mT).std(-1)
    assume((spread > 1e-3).all())
    for weights in (inline_weights, mala_weights):
        assert not torch.allclose(weights(longer, phi_k), weights(phi_q, phi_k), rtol=0, atol=1e-6)


@given(st.integers(0, 10**6))
def test_inline_tells_two_queries_apart_where_softmax_does(seed):
    """Both fail on queries whose products with all keys differ by one number: here the keys lie in a plane x_0 = 1."""
    q, step = tokens(seed, (1, 3), (1, 3))
    keys = tokens(seed + 1, (8, 3))[0]
    for weights in (softmax_weights, inline_weights):
        assert not torch.allclose(weights(q, keys), weights(q + step, keys), atol=1e-9)
    keys[:, 0] = 1.0
    along = torch.tensor([[2.5, 0.0, 0.0]], dtype=torch.float64)
    for weights in (softmax_weights, inline_weights):
        torch.testing.assert_close(weights(q, keys), weights(q + along, keys), **DOUBLE)


def test_none_of_the_four_lifts_the_bound_on_the_rank():
    q, k = tokens(0, (40, 6), (40, 6))
    phi_q, phi_k = q.abs(), k.abs()
    assert numerical_rank(linear_weights(phi_q, phi_k)) == numerical_rank(rala_weights(phi_q, phi_k)) == 6
    assert numerical_rank(inline_weights(phi_q, phi_k)) == numerical_rank(mala_weights(phi_q, phi_k)) == 7
    assert [int(numerical_rank(one)) for one in pola_weights(q, k)] == [12, 12]


@given(st.integers(0, 10**6))
def test_the_two_streams_of_polaformer_hold_the_product_itself(seed):
    q, k = tokens(seed, (4, 3), (5, 3))
    same, opposite, keys = polarise(q, k, power=1)
    torch.testing.assert_close(same @ keys.mT - opposite @ keys.mT, q @ k.mT, **DOUBLE)


def test_polaformer_takes_a_learned_power_a_channel():
    q, k, v = tokens(0, (5, 3), (6, 3), (6, 4))
    power = torch.tensor([1.0, 2.0, 3.5], dtype=torch.float64, requires_grad=True)
    pola_attention(q, k, v, power).square().sum().backward()
    assert power.grad.isfinite().all() and power.grad.abs().min() > 0
    by_hand = torch.stack([q[:, c].relu() ** power[c] for c in range(3)], dim=-1)
    torch.testing.assert_close(polarise(q, k, power)[0][:, :3], by_hand, **DOUBLE)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_summed_in_float32(dtype):
    q, k, v = (t.abs().to(dtype) * 50 for t in tokens(0, (4, 8), (3000, 8), (3000, 6)))
    calls = [inline_attention, mala_attention, rala_attention, pola_attention]
    for attend in calls:
        found, exact = attend(q, k, v), attend(q.double(), k.double(), v.double())
        assert found.dtype == dtype and found.isfinite().all()
        assert (found.double() - exact).norm() < 0.01 * exact.norm()


def test_a_query_that_sees_nothing():
    q, k, v = torch.zeros(1, 2), torch.rand(3, 2), torch.rand(3, 4)
    torch.testing.assert_close(inline_weights(q, k), torch.full((1, 3), 1 / 3))
    torch.testing.assert_close(inline_attention(q, k, v)[0], v.mean(0))
    for attend, weights in [PAIRS["mala"], PAIRS["rala"]]:
        assert weights(q, k).tolist() == [[0.0] * 3] and attend(q, k, v).tolist() == [[0.0] * 4]


def test_leading_dimensions_broadcast():
    q, k, v = torch.rand(2, 1, 4, 3), torch.rand(5, 6, 3), torch.rand(5, 6, 2)
    for attend, weights in PAIRS.values():
        assert attend(q, k, v).shape == (2, 5, 4, 2) and weights(q, k).shape == (2, 5, 4, 6)
    assert pola_attention(q, k, v).shape == (2, 5, 4, 2)


@pytest.mark.parametrize("call", [inline_weights, mala_weights, rala_weights, pola_weights, rala_coefficients])
def test_errors_say_what_was_wanted_and_what_came(readers_view, call):
    with pytest.raises(ValueError, match=r"same feature dimension d .* \(2, 3\), .* \(2, 4\)"):
        call(torch.ones(2, 3), torch.ones(2, 4))
    with pytest.raises(TypeError, match="one dtype"):
        call(torch.ones(2, 3), torch.ones(2, 3).double())


@pytest.mark.parametrize("attend", [inline_attention, mala_attention, rala_attention, pola_attention])
def test_attention_wants_a_value_a_key(readers_view, attend):
    with pytest.raises(ValueError, match=r"as many values as keys"):
        attend(torch.ones(2, 3), torch.ones(2, 3), torch.ones(3, 3))
