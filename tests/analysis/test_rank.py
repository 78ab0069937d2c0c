"""Ranks, and what is guaranteed of full rank plus low rank: figure 5 in kind, and the constructed failures."""

import math

import pytest
import torch

from flatten_edu.analysis import (
    effective_rank,
    equivalent_map,
    numerical_rank,
    rank_guarantee,
    spectrum,
    stable_rank,
)
from flatten_edu.data import patch_features, photo
from flatten_edu.functional import attention_matrix, dwc_matrix, focused_map
from tests.helpers import tokens

GRID = (14, 14)


def random_tokens():
    return tokens(0, (196, 64), (196, 64))


def photograph():
    features = patch_features(photo("chelsea")).double()
    return features, features


@pytest.mark.parametrize("source", [random_tokens, photograph])
def test_figure_5_in_kind(source, measured):
    q, k = source()
    (kernel,) = tokens(1, (1, 5, 5))
    softmax, focused = attention_matrix(q, k), attention_matrix(q, k, "focused")
    equivalent = equivalent_map(focused, kernel, GRID)[0]
    ranks = [int(numerical_rank(matrix)) for matrix in (softmax, focused, equivalent)]
    effective = [f"{effective_rank(matrix):.0f}" for matrix in (softmax, focused, equivalent)]
    measured(
        f"rank: softmax, focused, + DWC ({source.__name__})",
        f"{ranks}, effective rank {effective} (N = 196, d = 64, random kernel)",
    )
    assert ranks[1] <= 64 and ranks[2] == 196


def test_the_bound_and_the_determinant_lemma():
    q, k = random_tokens()
    (kernel,) = tokens(2, (5, 5))
    found = rank_guarantee(dwc_matrix(kernel, GRID), focused_map(q, 3), focused_map(k, 3))
    assert (found.dwc_rank, found.linear_rank, found.sum_rank) == (196, 64, 196)
    assert (found.lower_bound, found.upper_bound) == (132, 196)
    assert found.log_det == pytest.approx(found.log_det_lemma, rel=1e-6)


def test_a_zero_kernel_leaves_the_low_rank():
    q, k = random_tokens()
    found = rank_guarantee(torch.zeros(196, 196, dtype=torch.float64), focused_map(q, 3), focused_map(k, 3))
    assert (found.dwc_rank, found.sum_rank) == (0, 64) and found.log_det is None


def test_minus_the_unit_impulse_is_singular_for_rows_that_sum_to_1():
    q, k = random_tokens()
    kernel = torch.zeros(5, 5, dtype=torch.float64)
    kernel[2, 2] = -1
    m = dwc_matrix(kernel, GRID)
    found = rank_guarantee(m, focused_map(q, 3), focused_map(k, 3))
    assert (found.dwc_rank, found.sum_rank) == (196, 195)
    total = attention_matrix(q, k, "focused") + m
    assert (total @ torch.ones(196, dtype=torch.float64)).abs().max() < 1e-12


def test_a_kernel_whose_matrix_is_singular():
    """On 14 cells in a row (1, 1, 1) has the eigenvalue 1 + 2 cos(2 pi / 3) = 0 exactly if 3 divides 15: it does."""
    matrix = dwc_matrix(torch.ones(3, dtype=torch.float64), (14,))
    assert int(numerical_rank(matrix)) == 13


def test_rank_s_companions():
    identity, ones = torch.eye(5), torch.ones(5, 5)
    assert spectrum(ones)[0].item() == pytest.approx(5)
    for measure in (numerical_rank, effective_rank, stable_rank):
        assert float(measure(identity)) == pytest.approx(5) and float(measure(ones)) == pytest.approx(1, abs=1e-4)
    small = torch.diag(torch.tensor([1.0, 1e-3]))
    assert int(numerical_rank(small)) == 2 and int(numerical_rank(small, 0.01)) == 1
    assert effective_rank(small).item() == pytest.approx(1, abs=0.01)
    assert numerical_rank(torch.stack([identity, ones])).tolist() == [5, 1]
    assert effective_rank(torch.diag(torch.tensor([1.0, 1.0]))).item() == pytest.approx(math.exp(math.log(2)))
