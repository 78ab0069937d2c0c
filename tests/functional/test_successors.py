"""The maps of later attentions: against loops, against forms without a map, and what the book proves of them."""

import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from flatten_edu.analysis import numerical_rank
from flatten_edu.functional import (
    inline_weights,
    linear_attention,
    linear_weights,
    mala_weights,
    mhla_weights,
    nala_features,
    nearest_circulant,
    pola_weights,
    rala_coefficients,
    rala_weights,
    softmax_weights,
)
from tests.helpers import TOLERANCE, assert_twins, tokens

DOUBLE = TOLERANCE[torch.float64]
GRIDS = st.tuples(st.integers(1, 4), st.integers(1, 5))
SEEDS = st.integers(0, 10**6)


@st.composite
def problems(draw, least=1):
    """phi_q, phi_k, v of one head: entries of phi from 0.1 on, so that no row's sum has lost its digits."""
    n, m = draw(st.integers(least, 6)), draw(st.integers(least, 6))
    d, e = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    q, k, v = tokens(draw(SEEDS), (n, d), (m, d), (m, e))
    return q.abs() + 0.1, k.abs() + 0.1, v


def inline_without_a_map(q, k, v):
    return q @ ((k - k.mean(-2, keepdim=True)).mT @ v) / (k.shape[-2] * k.shape[-1] ** 0.5) + v.mean(-2, keepdim=True)


PAIRS = {
    "inline": (inline_weights, inline_without_a_map),
    "mala": (
        mala_weights,
        lambda q, k, v: linear_attention(q, k, v) + inline_without_a_map(q, k, v) - v.mean(-2, keepdim=True),
    ),
    "rala": (rala_weights, lambda q, k, v: linear_attention(q, rala_coefficients(q, k)[..., None] * k, v)),
    "pola, same sign": (lambda q, k: pola_weights(q, k)[0], lambda q, k, v: linear_attention(q**3, k**3, v)),
}


@pytest.mark.parametrize("name", PAIRS)
@given(problems(), st.sampled_from([torch.float64, torch.float32]))
def test_the_map_times_the_values_equals_the_form_without_a_map(name, problem, dtype):
    weights, attend = PAIRS[name]
    assert_twins(attend, lambda q, k, v: weights(q, k) @ v, problem, dtype)


@given(problems())
def test_each_equals_its_formula(problem):
    phi_q, phi_k, _ = problem
    m, f = phi_k.shape
    inline, mala = inline_weights(phi_q, phi_k), mala_weights(phi_q, phi_k)
    for i in range(len(phi_q)):
        s = [float(phi_q[i] @ phi_k[j]) / (m * f**0.5) for j in range(m)]
        for j in range(m):
            assert float(inline[i, j]) == pytest.approx(s[j] - sum(s) / m + 1 / m, abs=1e-9)
            assert float(mala[i, j]) == pytest.approx((1 + 1 / sum(s)) * s[j] - sum(s) / m, abs=1e-9)
    alpha = m * (phi_k @ phi_q.mean(0) / f**0.5).softmax(0)
    torch.testing.assert_close(rala_coefficients(phi_q, phi_k), alpha, **DOUBLE)
    similarity = phi_q @ phi_k.mT * alpha
    torch.testing.assert_close(rala_weights(phi_q, phi_k), similarity / similarity.sum(-1, keepdim=True), **DOUBLE)


@given(SEEDS)
def test_the_two_maps_of_polaformer_hold_the_products_of_like_and_of_unlike_signs(seed):
    q, k = tokens(seed, (4, 3), (5, 3))
    like = q[:, None] * k > 0
    power = torch.tensor([1.0, 2.0, 3.5], dtype=torch.float64)  # one per channel, as PolaFormer learns it
    products = (q[:, None] * k).abs() ** power
    for rows, which in zip(pola_weights(q, k, power), (like, ~like), strict=True):
        s = (products * which).sum(-1)
        total = s.sum(-1, keepdim=True)
        torch.testing.assert_close(rows, s / total.where(total > 0, 1.0), **DOUBLE)


@given(SEEDS)
def test_nala_s_features_are_its_formula_entry_by_entry(seed):
    q, k = tokens(seed, (4, 3), (5, 3))
    phi_q, phi_k = nala_features(q, k)
    for i in range(4):
        length = float(q[i].norm())
        power = 3 * (0.5 + math.tanh(length))
        for c in range(3):
            entry = float(q[i, c]) / length
            assert float(phi_q[i, c]) == pytest.approx(max(entry, 0) ** power, abs=1e-12)
            assert float(phi_q[i, 3 + c]) == pytest.approx(max(-entry, 0) ** power, abs=1e-12)
    torch.testing.assert_close(phi_k, torch.cat([(k**3).relu(), (-(k**3)).relu()], -1), **DOUBLE)


@given(problems())
def test_linear_inline_and_mala_lie_on_one_line(problem):
    """u + t (p - u) with u = 1/m and p linear attention's row: t = 1, S and 1 + S."""
    phi_q, phi_k, _ = problem
    m, f = phi_k.shape
    total = (phi_q @ phi_k.mT).sum(-1, keepdim=True) / (m * f**0.5)
    away = linear_weights(phi_q, phi_k) - 1 / m
    torch.testing.assert_close(inline_weights(phi_q, phi_k), 1 / m + total * away, **DOUBLE)
    torch.testing.assert_close(mala_weights(phi_q, phi_k), 1 / m + (1 + total) * away, **DOUBLE)


@given(problems(least=2), st.floats(1.5, 10))
def test_a_longer_query_has_the_same_row_in_linear_attention_but_not_in_inline_and_mala(problem, length):
    phi_q, phi_k, _ = problem
    longer = length * phi_q
    torch.testing.assert_close(linear_weights(longer, phi_k), linear_weights(phi_q, phi_k), **DOUBLE)
    assume(((phi_q @ phi_k.mT).std(-1) > 1e-3).all())
    for weights in (inline_weights, mala_weights):
        assert not torch.allclose(weights(longer, phi_k), weights(phi_q, phi_k), rtol=0, atol=1e-6)


@given(SEEDS)
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


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_summed_in_float32(name, dtype):
    q, k = (t.abs().to(dtype) * 50 for t in tokens(0, (4, 8), (3000, 8)))
    found, exact = PAIRS[name][0](q, k), PAIRS[name][0](q.double(), k.double())
    assert found.dtype == dtype and (found.double() - exact).norm() < 0.01 * exact.norm()


def test_a_query_that_sees_nothing():
    q, k = torch.zeros(1, 2, requires_grad=True), torch.rand(3, 2)
    torch.testing.assert_close(inline_weights(q, k), torch.full((1, 3), 1 / 3))
    phi_q, phi_k = nala_features(q, k)
    for rows in (mala_weights(q, k), rala_weights(q, k), phi_q @ phi_k.mT):
        assert rows.tolist() == [[0.0] * 3]
    phi_q.sum().backward()
    assert q.grad.isfinite().all()


@st.composite
def blocked(draw):
    """phi_q, phi_k, v, the blocks of shuffled tokens, and a mix."""
    count = draw(st.integers(1, 3))
    sizes = draw(st.lists(st.integers(1, 4), min_size=count, max_size=count))
    q, k, v, mix = tokens(draw(SEEDS), *[(sum(sizes), d) for d in (3, 3, 2)], (count, count))
    order = torch.randperm(sum(sizes), generator=torch.Generator().manual_seed(draw(SEEDS)))
    blocks = torch.arange(count).repeat_interleave(torch.tensor(sizes))[order]
    return q.abs() + 0.1, k.abs() + 0.1, v, blocks, mix.abs() + 0.1


@given(blocked())
def test_mhla_equals_its_formula_by_a_state_per_block(problem):
    phi_q, phi_k, v, blocks, mix = problem
    members = [blocks == b for b in range(len(mix))]
    states = torch.stack([phi_k[at].mT @ v[at] for at in members])
    sums = torch.stack([phi_k[at].sum(0) for at in members])
    found = mhla_weights(phi_q, phi_k, blocks, mix) @ v
    for i, row in enumerate(found):
        w = mix[blocks[i]]
        state, total = (w[:, None, None] * states).sum(0), (w[:, None] * sums).sum(0)
        torch.testing.assert_close(row, phi_q[i] @ state / (phi_q[i] @ total), **DOUBLE)


@given(blocked(), SEEDS)
def test_mhla_s_rank_and_its_mean_weight_on_targets_are_bounded_by_the_blocks(problem, seed):
    """Theorem `theorem-blocks`: each key asked once, in any order."""
    phi_q, phi_k, _, blocks, mix = problem
    weights, f = mhla_weights(phi_q, phi_k, blocks, mix), phi_k.shape[-1]
    bound = min(blocks.bincount().clamp(max=f).sum().item(), f * int(numerical_rank(mix)))
    assert numerical_rank(weights) <= bound
    target = torch.randperm(len(weights), generator=torch.Generator().manual_seed(seed))
    assert weights[torch.arange(len(weights)), target].mean() <= bound / len(weights) + 1e-12


def test_the_bound_of_the_blocks_is_reached_where_linear_attention_stops_at_d_of_D():
    d, count = 4, 5
    axes, blocks = torch.eye(d).repeat(count, 1).double(), torch.arange(count).repeat_interleave(d)
    for mix, mean in [(torch.eye(count), 1.0), (torch.ones(count, count), 1 / count)]:
        assert mhla_weights(axes, axes, blocks, mix).diagonal().mean().item() == pytest.approx(mean)
    assert linear_weights(axes, axes).diagonal().mean().item() == pytest.approx(d / (d * count))


@given(GRIDS, SEEDS)
def test_the_nearest_circulant_map_is_a_projection_and_that_of_the_logits_is_circulant_attention(grid, seed):
    """By Fourier transforms: each offset's mean logit, softmax, and its sum with the values."""
    n = grid[0] * grid[1]
    q, k, v = tokens(seed, (n, 3), (n, 3), (n, 2))
    weights = softmax_weights(q, k)
    near = nearest_circulant(weights, grid)
    torch.testing.assert_close(nearest_circulant(near, grid), near, **DOUBLE)
    other = nearest_circulant(q @ k.mT / 3**0.5, grid).softmax(-1)
    assert ((weights - near) * other).sum().item() == pytest.approx(0, abs=1e-9)  # what is left is orthogonal to it

    def transform(x):
        return torch.fft.rfft2(x.unflatten(0, grid), dim=(0, 1))

    spectrum = (transform(q).conj() * transform(k)).sum(-1)
    row = (torch.fft.irfft2(spectrum, s=grid) / (n * 3**0.5)).flatten().softmax(0)
    torch.testing.assert_close(row, other[0], **DOUBLE)
    out = torch.fft.irfft2(transform(row[:, None]).conj() * transform(v), s=grid, dim=(0, 1))
    torch.testing.assert_close(out.flatten(0, 1), other @ v, **DOUBLE)


@pytest.mark.parametrize("call", [inline_weights, mala_weights, rala_weights, pola_weights, nala_features])
def test_errors_say_what_was_wanted_and_what_came(readers_view, call):
    with pytest.raises(ValueError, match=r"same feature dimension d .* \(2, 3\), .* \(2, 4\)"):
        call(torch.ones(2, 3), torch.ones(2, 4))
    with pytest.raises(TypeError, match="one dtype"):
        call(torch.ones(2, 3), torch.ones(2, 3).double())
