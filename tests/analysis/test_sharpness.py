"""Softmax's entropy against the scale of q and k, and the scale at which it passes another row's."""

import math

import pytest
import torch

from flatten_edu.analysis import crossing_scale, entropy_bits, scaled_softmax_weights
from flatten_edu.functional import focused_map, linear_weights, softmax_weights
from tests.helpers import tokens


def row(seed, n=7, d=5):
    q, k = tokens(seed, (d,), (n, d))
    return q, k


@pytest.mark.parametrize("scale", [0.125, 1.0, 3.7])
def test_scaling_is_multiplying_q_and_k(scale):
    q, k = row(0)
    wanted = softmax_weights((scale * q)[None], scale * k)[0]
    torch.testing.assert_close(scaled_softmax_weights(q, k, scale), wanted)
    raw = scaled_softmax_weights(q, k, scale, divide=False)
    torch.testing.assert_close(raw, softmax_weights((scale * q)[None] * 5**0.5, scale * k)[0])


@pytest.mark.parametrize("seed", range(20))
def test_entropy_falls_and_crosses_once(seed):
    q, k = row(seed)
    bits = [entropy_bits(scaled_softmax_weights(q, k, 2.0**i)).item() for i in range(-6, 7)]
    assert bits == sorted(bits, reverse=True)
    for entropy in [0.1, 1.0, 2.5]:
        scale = crossing_scale(q, k, entropy)
        assert entropy_bits(scaled_softmax_weights(q, k, scale)).item() == pytest.approx(entropy, abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("scale", [2**-3, 0.7, 8.0])
def test_the_focused_row_does_not_see_the_scale(seed, scale):
    q, k = row(seed)
    weights = [linear_weights(focused_map(c * q[None], 3), focused_map(c * k, 3))[0] for c in (1.0, scale)]
    torch.testing.assert_close(weights[0], weights[1], rtol=1e-12, atol=1e-15)


def test_the_ends():
    q, k = row(1)
    assert crossing_scale(q, k, math.log2(7)) == 0 and crossing_scale(q, k, 3.5) == 0
    assert crossing_scale(q, k, 0.0) == math.inf
    assert math.isnan(crossing_scale(q, k, math.nan))
    tied = torch.stack([k[0], k[0], -k[0] if k[0] @ q > 0 else 2 * k[0]])
    assert crossing_scale(q, tied, 1.0) == math.inf and crossing_scale(q, tied, 1.2) < math.inf
    assert crossing_scale(q, torch.ones(3, 5, dtype=torch.float64), 1.0) == math.inf


def test_what_will_not_do(readers_view):
    with pytest.raises(ValueError, match=r"\(4,\)|4"):
        scaled_softmax_weights(torch.ones(4), torch.ones(3, 5))
    with pytest.raises(ValueError, match="finite"):
        crossing_scale(torch.tensor([math.nan]), torch.ones(2, 1), 0.5)
