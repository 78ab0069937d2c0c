"""Angles, entropy, top-1 share, largest coordinate."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from flatten_edu.analysis import angle_degrees, entropy_bits, largest_coordinate, sign_shares, top1_share


def double(values):
    return torch.tensor(values, dtype=torch.float64)


@given(st.floats(-180, 180), st.floats(0, 180), st.floats(1e-150, 1e150))
def test_angle_of_two_directions_in_the_plane(start, turn, length):
    a, b = math.radians(start), math.radians(start + turn)
    x, y = double([math.cos(a), math.sin(a)]), length * double([math.cos(b), math.sin(b)])
    assert angle_degrees(x, y).item() == pytest.approx(turn, abs=1e-10)


def test_angle_with_a_zero_vector_is_no_number():
    assert angle_degrees(double([0, 0]), double([1, 0])).isnan()


def test_angle_refuses_vectors_of_two_lengths(readers_view):
    with pytest.raises(ValueError, match=r"vectors of one length, got \(2,\) and \(3,\)"):
        angle_degrees(torch.ones(2), torch.ones(3))


def test_largest_coordinate():
    rows = double([[1, 3, 2], [2, 2, 1], [0, 0, 0], [-1, -2, -3], [-5, 0, 1]])
    assert largest_coordinate(rows).tolist() == [1, -1, -1, -1, 2]


@given(st.integers(1, 200))
def test_even_weights(m):
    weights = torch.full((m,), 1 / m, dtype=torch.float64)
    assert entropy_bits(weights).item() == pytest.approx(math.log2(m), abs=1e-9)
    assert top1_share(weights).item() == pytest.approx(1 / m)


def test_one_key_alone_and_no_key():
    assert entropy_bits(double([0, 1, 0])).item() == 0 and top1_share(double([0, 1, 0])).item() == 1
    assert entropy_bits(double([0, 0])).isnan() and top1_share(double([0, 0])).isnan()


def test_sign_shares():
    q, k = double([[2, -1], [0, -1]]), double([[3, 1], [-1, 5]])
    products = q[:, None] * k[None]  # pair by pair, channel by channel
    total = products.abs().sum()
    up, down = (q > 0)[:, None].expand(products.shape), (k > 0)[None].expand(products.shape)
    wanted = [products.abs()[a & b].sum() / total for a, b in [(up, down), (~up, ~down), (up, ~down), (~up, down)]]
    assert sign_shares(q, k).tolist() == pytest.approx([float(w) for w in wanted])
    assert sign_shares(double([[0.0]]), double([[1.0]])).isnan().all()
