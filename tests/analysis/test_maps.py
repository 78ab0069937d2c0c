"""Maps of captured queries and keys, at the p of training and at another."""

import pytest
import torch

from flatten_edu.analysis import capture, entropy_bits, magnitude_share, refocused, value_weighted, what_if_map
from flatten_edu.nn import FocusedLinearAttention, make_attention
from tests.helpers import tokens


def recorded(module):
    torch.manual_seed(0)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter)
    with capture(module, torch.randn(2, 7, 8)) as (record,):
        return record


@pytest.mark.parametrize("norm_over", ["channels", "head"])
@pytest.mark.parametrize("p", [1, 3, 4.5])
def test_at_the_trained_p_it_is_what_was_captured(norm_over, p):
    record = recorded(FocusedLinearAttention(8, 2, (2, 3), p=p, norm_over=norm_over))
    assert (record.p, record.norm_over) == (p, norm_over)
    assert refocused(record.k, p, record.scale, norm_over).equal(record.phi_k)
    assert what_if_map(record.q, record.k, "focused", p, record.scale, norm_over).equal(record.weights)


def test_at_another_p_it_is_what_the_module_would_compute():
    module = FocusedLinearAttention(8, 2, (2, 3))
    record = recorded(module)
    module.p = 7
    assert what_if_map(record.q, record.k, "focused", 7, record.scale).equal(recorded(module).weights)


@pytest.mark.parametrize(("module", "kind"), [("softmax", "softmax"), ("relu", "relu")])
def test_other_kinds(module, kind):
    record = recorded(make_attention(module, 8, 2, (2, 3)))
    assert record.p is record.scale is record.norm_over is None
    torch.testing.assert_close(what_if_map(record.q, record.k, kind), record.weights)
    with pytest.raises(ValueError, match="there is no kind of map 'cosine'"):
        what_if_map(record.q, record.k, "cosine")
    with pytest.raises(ValueError, match="p > 0, got p = 0"):
        refocused(record.q, 0)


def test_a_weight_counts_as_much_as_its_value_is_long():
    weights, v = tokens(0, (2, 3, 5), (2, 5, 4))
    weighted = value_weighted(weights.abs(), v)
    assert weighted[1, 2, 3] == pytest.approx((weights[1, 2, 3].abs() * v[1, 3].square().sum().sqrt()).item())


def test_magnitudes_are_shares():
    share = magnitude_share(torch.tensor([[3.0, -1.0], [0.0, 0.0]]))
    assert share.tolist() == [[0.75, 0.25], [0.0, 0.0]] and entropy_bits(share)[1].isnan()
