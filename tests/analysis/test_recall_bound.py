"""The theorem of recall: d / D holds for any non-negative features, is reached, and softmax does not know it."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from flatten_edu.analysis import free_codes, recall_bound
from flatten_edu.functional import linear_weights


@given(
    features=st.integers(1, 8),
    targets=st.integers(1, 12),
    others=st.integers(0, 6),
    power=st.sampled_from([0.1, 1, 3, 30]),
    seed=st.integers(0, 999),
)
def test_no_features_give_more_than_the_bound(features, targets, others, power, seed):
    generator = torch.Generator().manual_seed(seed)
    phi_k = torch.rand(targets + others, features, generator=generator, dtype=torch.float64) ** power
    noise = torch.rand(targets, features, generator=generator, dtype=torch.float64)
    phi_q = phi_k[:targets] + 0.1 * noise  # what asks looks like what is asked for
    weights = linear_weights(phi_q, phi_k)
    assert weights.diagonal().mean() <= recall_bound(features, targets) + 1e-12


def test_features_shared_out_reach_the_bound():
    codes = torch.eye(4, dtype=torch.float64).repeat(5, 1)  # 20 targets, five on each axis
    assert linear_weights(codes, codes).diagonal().mean().item() == pytest.approx(recall_bound(4, 20), abs=1e-15)


@pytest.mark.parametrize("p", [1, 3])
def test_free_codes_reach_the_bound_and_not_more(p):
    assert free_codes("focused", features=16, targets=64, p=p) == pytest.approx(0.25, abs=1e-4)
    assert recall_bound(16, 64) == 0.25


def test_softmax_is_not_bound():
    assert free_codes("softmax", features=16, targets=64) > 0.999
    assert free_codes("softmax", features=2, targets=8, steps=2000) > 0.99 > recall_bound(2, 8)


def test_as_many_features_as_targets_is_no_bound():
    assert recall_bound(64, 64) == recall_bound(64, 4) == 1
    with pytest.raises(ValueError, match="at least one feature and one target, got 0 and 4"):
        recall_bound(0, 4)
