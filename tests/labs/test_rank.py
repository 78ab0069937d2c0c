"""RankLab's traits and tensors: what they take, what they refuse, what comes out."""

import numpy as np
import pytest
import torch

from flatten_edu.analysis import numerical_rank, rank_maps
from flatten_edu.labs import RankLab
from flatten_edu.labs.frame.tensors import pack, unpack


def ranks(lab):
    maps = lab.maps()
    return [int(numerical_rank(matrix)) for matrix in (maps.linear, maps.dwc, maps.equivalent)]


def test_the_first_view_has_the_ranks_of_the_text():
    lab = RankLab()
    assert ranks(lab) == [64, 196, 196] and int(numerical_rank(lab.maps().softmax)) == 196


@pytest.mark.parametrize(
    ("traits", "wanted"),
    [
        ({"convolution": "zero"}, [64, 0, 64]),
        ({"convolution": "minus_impulse"}, [64, 196, 195]),
        ({"convolution": "right_neighbour", "d": 8}, [8, 182, 190]),
        ({"convolution": "right_neighbour", "d": 14}, [14, 182, 196]),
        ({"convolution": "right_neighbour", "d": 8, "wrapped": True}, [8, 195, 196]),
        ({"grid": (7, 14), "d": 32, "seed": 3, "channel": 5}, [32, 98, 98]),
    ],
)
def test_kernels_that_fail_and_those_that_do_not(traits, wanted):
    assert ranks(RankLab(**traits)) == wanted


def test_the_readers_own_tensors():
    q, k, kernel = torch.randn(2, 28, 6), torch.randn(2, 28, 6), torch.randn(6, 3, 3)
    lab = RankLab(q=q, k=k, kernel=kernel, grid=(4, 7), head=1, channel=5)
    found = (lab.source, lab.convolution, lab.index["grid"], lab.index["layers"])
    assert found == ("given", "given", [4, 7], ["layer 1"])
    assert lab.maps().equivalent.equal(rank_maps(q, k, kernel[5], (4, 7), head=1).equivalent)


def test_a_head_an_array_or_a_list_will_do_and_the_square_is_found():
    q = np.random.default_rng(0).normal(size=(9, 4))
    lab = RankLab(q=q, k=q.tolist(), kernel=[[0.0, 1, 0]])
    assert lab.index["grid"] == [3, 3] and lab.index["sides"] == [1, 3]
    assert lab.maps().linear.shape == (9, 9)


def test_a_kernel_of_ones_own_goes_with_random_tokens():
    lab = RankLab(kernel=torch.randn(5, 5))
    assert (lab.source, lab.convolution) == ("random", "given") and ranks(lab) == [64, 196, 196]


def test_tensors_can_change_later():
    seen = []
    lab = RankLab(q=torch.ones(4, 2), k=torch.ones(4, 2))
    lab.observe(lambda change: seen.append(change.new["d"]), "index")
    lab.give(torch.ones(9, 3), torch.ones(9, 3))
    assert seen == [3] and lab.maps().linear.shape == (9, 9) and set(unpack(lab.tokens)) == {"q", "k"}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_packed_numbers_come_back(dtype):
    x = torch.randn(7).to(dtype)
    assert unpack(pack(x=x))["x"].double().equal(x.double())


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"q": torch.ones(4, 2)}, "needs both q and k"),
        ({"q": torch.ones(4, 2), "k": torch.ones(4, 3)}, r"one shape, got \(1, 1, 4, 2\) and \(1, 1, 4, 3\)"),
        ({"q": torch.ones(5, 2), "k": torch.ones(5, 2)}, r"grid \(2, 2\) has 4 cells, but RankLab got 5 tokens"),
        ({"q": torch.ones(4), "k": torch.ones(4)}, r"q of 2 to 4 dimensions, got \(4,\)"),
        ({"q": torch.full((4, 2), torch.nan), "k": torch.ones(4, 2)}, "finite numbers .* q holds others"),
        ({"q": "ab", "k": "ab"}, "tensor of numbers in q, got str"),
        ({"kernel": torch.ones(4, 4)}, r"odd sides, got \(1, 1, 4, 4\)"),
        ({"q": torch.ones(2, 1, 4, 2), "k": torch.ones(2, 1, 4, 2), "kernel": torch.ones(3, 3)}, "each of 2 layers"),
    ],
)
def test_refuses_tensors_that_do_not_fit(tensors, words):
    with pytest.raises(ValueError, match=words):
        RankLab(**tensors)
