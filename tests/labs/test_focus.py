"""FocusLab's traits: what they take, what they refuse."""

import numpy as np
import pytest
import torch

from flatten_edu.data import photo
from flatten_edu.labs import FocusLab
from flatten_edu.labs.frame.tensors import unpack


def test_takes_tensors_and_arrays():
    lab = FocusLab(q=torch.tensor([1.0, 2.0]), k=np.array([[1.0, 0.5], [0.5, 1.0]]), p=2.5)
    assert (lab.q, lab.k, lab.p) == ([1.0, 2.0], [[1.0, 0.5], [0.5, 1.0]], 2.5)


def test_a_row_of_a_tensor_is_a_point_and_the_figure_s_own_points_stay():
    assert FocusLab(q=torch.tensor([[1.0, 2.0]], requires_grad=True)).q == [1.0, 2.0]
    FocusLab().k[0][0] = 9.0
    assert FocusLab().k[0] == [0.43, 0.86]


def test_the_readers_own_tokens():
    q, k = torch.randn(4, 8), torch.randn(4, 8)
    lab = FocusLab.with_tokens(photo("coffee", 32), q, k, grid=(2, 2), features="random numbers")
    assert lab.view == "photo" and lab.patch == 2
    assert unpack(lab.tokens)["k"].equal(k)


def test_tokens_that_do_not_fit_the_grid(readers_view):
    with pytest.raises(ValueError, match=r"grid \(3, 3\) has 9 patches: q and k need 9 rows of one d, q is \(4, 8\)"):
        FocusLab.with_tokens(photo("coffee", 32), torch.randn(4, 8), torch.randn(4, 8), grid=(3, 3), features="")
