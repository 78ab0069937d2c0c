"""NaLaFormer, MHLA, circulant attention and rotary positions: against loops, and what the book proves of them."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from flatten_edu.analysis import numerical_rank
from flatten_edu.functional import (
    circulant_attention,
    circulant_row,
    circulant_weights,
    linear_weights,
    mhla_attention,
    mhla_features,
    mhla_weights,
    nala_features,
    nearest_circulant,
    rotary,
    softmax_weights,
)
from tests.helpers import TOLERANCE, assert_twins, tokens

DOUBLE = TOLERANCE[torch.float64]
GRIDS = st.tuples(st.integers(1, 4), st.integers(1, 5))
SEEDS = st.integers(0, 10**6)


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


def test_a_longer_query_is_sharper_in_nalaformer_until_its_power_is_spent():
    q, k = tokens(3, (1, 8), (40, 8))
    q = q / q.norm()
    largest = [float(linear_weights(*nala_features(length * q, k)).amax()) for length in (0.1, 1, 3, 30)]
    assert largest[0] < 0.9 * largest[1] < 0.9 * largest[2]
    assert largest[3] == pytest.approx(largest[2], rel=0.02)


def test_a_query_of_zeros_has_no_features_and_a_gradient_without_nan():
    q = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
    phi_q, phi_k = nala_features(q, tokens(0, (4, 3))[0])
    (phi_q @ phi_k.mT).sum().backward()
    assert phi_q.count_nonzero() == 0 and q.grad.isfinite().all()


@st.composite
def blocked(draw):
    """phi_q, phi_k, v, the blocks of shuffled tokens, and a mix."""
    count = draw(st.integers(1, 3))
    sizes = draw(st.lists(st.integers(1, 4), min_size=count, max_size=count))
    q, k, v, mix = tokens(draw(SEEDS), *[(sum(sizes), d) for d in (3, 3, 2)], (count, count))
    order = torch.randperm(sum(sizes), generator=torch.Generator().manual_seed(draw(SEEDS)))
    blocks = torch.arange(count).repeat_interleave(torch.tensor(sizes))[order]
    return q.abs() + 0.1, k.abs() + 0.1, v, blocks, mix.abs() + 0.1


@given(blocked(), st.sampled_from([torch.float64, torch.float32]))
def test_mhla_by_states_equals_its_map_times_the_values(problem, dtype):
    *qkv, blocks, mix = problem
    assert_twins(
        lambda q, k, v: mhla_attention(q, k, v, blocks, mix),
        lambda q, k, v: mhla_weights(q, k, blocks, mix.to(q)) @ v,
        qkv,
        dtype,
    )


@given(blocked())
def test_mhla_equals_its_formula(problem):
    phi_q, phi_k, _, blocks, mix = problem
    found = mhla_weights(phi_q, phi_k, blocks, mix)
    for i, row in enumerate(found):
        s = [float(mix[blocks[i], blocks[j]] * (phi_q[i] @ phi_k[j])) for j in range(len(phi_k))]
        assert row.tolist() == pytest.approx([x / sum(s) for x in s], abs=1e-12)


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


def test_mhla_s_errors_say_what_was_wanted(readers_view):
    phi = torch.ones(4, 2)
    with pytest.raises(ValueError, match="one block per token, got 3"):
        mhla_features(phi, phi, torch.tensor([0, 0, 1]), torch.ones(2, 2))
    with pytest.raises(ValueError, match=r"blocks from 0 to 1, the rows of mix, got \[0, 2\]"):
        mhla_weights(phi, phi, torch.tensor([0, 0, 2, 2]), torch.ones(2, 2))
    with pytest.raises(ValueError, match="entries >= 0 in mix, got -1"):
        mhla_attention(phi, phi, phi, torch.tensor([0, 0, 1, 1]), -torch.ones(2, 2))


@given(GRIDS, SEEDS)
def test_circulant_attention_equals_its_formula(grid, seed):
    """Cell by cell: the mean logit of each offset round the edges, softmax, and the map's rows shifted."""
    rows, columns = grid
    q, k, v = tokens(seed, *[(rows * columns, d) for d in (3, 3, 2)])
    logits = torch.zeros(grid, dtype=torch.float64)
    cells = [(r, c) for r in range(rows) for c in range(columns)]
    for i, (r, c) in enumerate(cells):
        for j, (s, t) in enumerate(cells):
            logits[(s - r) % rows, (t - c) % columns] += q[i] @ k[j] / (len(cells) * 3**0.5)
    row = logits.flatten().softmax(0).reshape(grid)
    by_hand = torch.stack([row[(s - r) % rows, (t - c) % columns] for r, c in cells for s, t in cells])
    torch.testing.assert_close(circulant_row(q, k, grid), row.flatten(), **DOUBLE)
    torch.testing.assert_close(circulant_weights(q, k, grid).flatten(), by_hand, **DOUBLE)
    assert_twins(
        lambda *t: circulant_attention(*t, grid),
        lambda q, k, v: circulant_weights(q, k, grid) @ v,
        [q, k, v],
        torch.float64,
    )


@given(GRIDS, SEEDS)
def test_the_nearest_circulant_map_is_a_projection_and_that_of_the_logits_is_circulant_attention(grid, seed):
    n = grid[0] * grid[1]
    q, k = tokens(seed, (2, n, 3), (2, n, 3))
    weights = softmax_weights(q, k)
    near = nearest_circulant(weights, grid)
    torch.testing.assert_close(nearest_circulant(near, grid), near, **DOUBLE)
    other = circulant_weights(q, k, grid)  # any circulant map: the remainder is orthogonal to it
    assert ((weights - near) * other).sum().item() == pytest.approx(0, abs=1e-9)
    logits = nearest_circulant(q @ k.mT / 3**0.5, grid)
    torch.testing.assert_close(logits.softmax(-1), other, **DOUBLE)


@given(GRIDS, SEEDS)
def test_rotary_products_depend_on_relative_places_and_lengths_stay(grid, seed):
    (one, other), (rows, columns) = tokens(seed, (8,), (8,)), grid
    n = rows * columns
    x, y = (rotary(t.expand(n, 8), grid) for t in (one, other))
    torch.testing.assert_close(x.norm(dim=-1), one.norm().expand(n), **DOUBLE)
    products = (x @ y.mT).reshape(rows, columns, rows, columns)
    for r in range(1, rows):
        torch.testing.assert_close(products[r, :, r, :], products[0, :, 0, :], **DOUBLE)
    by_hand = one[0] * torch.tensor(rows - 1.0).cos() - one[1] * torch.tensor(rows - 1.0).sin()
    assert float(x[-1, 0]) == pytest.approx(float(by_hand), abs=1e-6)  # the first pair turns by one radian per row


def test_rotary_wants_a_multiple_of_four(readers_view):
    with pytest.raises(ValueError, match="multiple of 4 channels, got 6"):
        rotary(torch.ones(4, 6), (2, 2))


@pytest.mark.parametrize("call", [nala_features, lambda q, k: circulant_row(q, k, (1, 2))])
def test_errors_say_what_came(readers_view, call):
    with pytest.raises(ValueError, match=r"same feature dimension d .* \(2, 3\), .* \(2, 4\)"):
        call(torch.ones(2, 3), torch.ones(2, 4))
