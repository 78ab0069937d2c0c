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


def test_observers_work():
    seen = []
    lab = ProofLab()
    lab.observe(lambda change: seen.append((change.name, change.new)), ["p", "x"])
    lab.p, lab.x = 8, [1, 0.5]
    assert seen == [("p", 8), ("x", [1.0, 0.5])]


VECTOR = "2 to 8 finite numbers from 0 to 1e6"


@pytest.mark.parametrize(
    ("trait", "value", "words"),
    [
        ("p", 0.5, "p to be a number from 1 to 256, got 0.5"),
        ("p", float("nan"), "p to be a number from 1 to 256"),
        ("stage", 6, "stage to be a whole number from 1 to 5, got 6"),
        ("x", [1, -0.1], f"x to be {VECTOR}"),
        ("x", [1, float("inf")], f"x to be {VECTOR}"),
        ("y", [1], f"y to be {VECTOR}"),
        ("y", [1] * 9, f"y to be {VECTOR}"),
        ("y", "ab", f"y to be {VECTOR}, got 'ab'"),
        ("x", [1, 0.5, 0.2], r"x and y to be of one length \(set both\), got 'x of 3 beside 2'"),
    ],
)
def test_refuses_what_will_not_do_and_keeps_what_it_had(trait, value, words):
    lab = ProofLab()
    before = getattr(lab, trait)
    with pytest.raises(TraitError, match=words):
        setattr(lab, trait, value)
    assert getattr(lab, trait) == before


def test_both_at_once_and_one_of_them_bad():
    with pytest.raises(TraitError, match="y to be 2 to 8"):
        ProofLab(x=[1, 2, 3], y="no")


def test_an_unknown_argument_is_a_type_error():
    with pytest.raises(TypeError, match=r"ProofLab has no q; it takes .*\bx\b"):
        ProofLab(q=[1, 2])
