"""ProofLab's traits: what they take, what they refuse."""

import numpy as np
import pytest
import torch
from traitlets import TraitError

from flatten_edu.labs import ProofLab
from flatten_edu.labs.proof.lab import EXAMPLE


def test_the_first_view_is_the_pair_that_moves_apart():
    lab = ProofLab()
    assert (lab.x, lab.y, lab.p, lab.stage) == (EXAMPLE["x"], EXAMPLE["y"], 3, 1)
    lab.x[0] = 9.0
    assert ProofLab().x[0] == 1


def test_takes_tensors_and_arrays():
    x = torch.tensor([[1.0, 0.5, 0.0]], requires_grad=True)
    lab = ProofLab(x=x, y=np.array([0, 1, 2]), p=8)
    assert (lab.x, lab.y, lab.p) == ([1.0, 0.5, 0.0], [0.0, 1.0, 2.0], 8)


def test_other_lengths_are_set_together():
    lab = ProofLab()
    with lab.hold_trait_notifications():
        lab.x, lab.y = [1.0] * 8, [0.0] * 8
    assert len(lab.x) == len(lab.y) == 8


def test_both_at_once_and_one_of_them_bad():
    with pytest.raises(TraitError, match="y to be 2 to 8"):
        ProofLab(x=[1, 2, 3], y="no")
