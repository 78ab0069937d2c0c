"""The maps of the lab `rank`, its kernels, and both sides of the determinant lemma."""

import numpy as np
import pytest
import torch

from flatten_edu.analysis import (
    NAMED_KERNELS,
    determinant_lemma,
    equivalent_map,
    named_kernel,
    numerical_rank,
    rank_maps,
)
from flatten_edu.functional import attention_matrix, dwc_matrix, focused_map, wrapped_dwc_matrix
from tests.helpers import tokens


def test_maps_are_those_of_the_library():
    q, k, kernel = tokens(0, (1, 28, 6), (1, 28, 6), (3, 5))
    maps = rank_maps(q, k, kernel, (4, 7), p=2)
    assert maps.linear.equal(attention_matrix(q[0], k[0], "focused", p=2))
    assert maps.dwc.equal(dwc_matrix(kernel, (4, 7)))
    torch.testing.assert_close(maps.equivalent, equivalent_map(maps.linear, kernel[None], (4, 7))[0])
    torch.testing.assert_close(maps.u @ maps.w.mT, maps.linear)
    assert maps.softmax.equal(attention_matrix(q[0], k[0]))
    assert rank_maps(q, k, kernel, (4, 7), wrapped=True).dwc.equal(wrapped_dwc_matrix(kernel, (4, 7)))


def test_heads_share_their_norm():
    x, kernel = tokens(1, (3, 6, 4), (3, 3))
    together = focused_map(x.transpose(0, 1).reshape(6, 12), 3).reshape(6, 3, 4)
    for head in range(3):
        assert rank_maps(x, x, kernel, (2, 3), head=head).w.equal(together[:, head])


def test_maps_of_float32_tokens_are_formed_in_float64():
    """Of the same numbers, a map formed in float32 has full rank by float64's tolerance: rounding alone."""
    q, k = (t.float() for t in tokens(2, (1, 196, 16), (1, 196, 16)))
    assert int(numerical_rank(rank_maps(q, k, named_kernel("zero"), (14, 14)).equivalent)) == 16
    in_float32 = attention_matrix(q[0], k[0], "focused")
    assert int(numerical_rank(in_float32.double())) == 196


@pytest.mark.parametrize(
    ("name", "rank"), [("zero", 0), ("minus_impulse", 28), ("right_neighbour", 28 - 4)], ids=NAMED_KERNELS
)
def test_named_kernels(name, rank):
    assert int(numerical_rank(dwc_matrix(named_kernel(name), (4, 7)))) == rank


def test_an_unknown_kernel_lists_the_known_ones():
    with pytest.raises(ValueError, match="no kernel 'one'; there are minus_impulse, right_neighbour, zero"):
        named_kernel("one")


@pytest.mark.parametrize("seed", range(5))
def test_both_sides_of_the_lemma_agree_with_the_determinant(seed):
    m, u, w = tokens(seed, (9, 9), (9, 4), (9, 4))
    found = determinant_lemma(m, u, w)
    sign, logarithm = np.linalg.slogdet((m + u @ w.mT).numpy())
    assert found.total[0] == found.dwc[0] * found.small[0] == sign
    assert found.total[1] == pytest.approx(logarithm / np.log(10)) == pytest.approx(found.dwc[1] + found.small[1])


def test_the_lemma_needs_an_invertible_matrix():
    with pytest.raises(ValueError, match=r"needs an invertible M, and det\(M\) = 0"):
        determinant_lemma(torch.zeros(3, 3), torch.ones(3, 1), torch.ones(3, 1))
