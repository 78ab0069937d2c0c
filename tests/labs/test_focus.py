"""FocusLab's traits: what they take, what they refuse."""

import numpy as np
import pytest
import torch
from traitlets import TraitError

from flatten_edu.data import photo
from flatten_edu.labs import LABS, FocusLab
from flatten_edu.labs.frame.tensors import unpack


def test_takes_tensors_and_arrays():
    lab = FocusLab(q=torch.tensor([1.0, 2.0]), k=np.array([[1.0, 0.5], [0.5, 1.0]]), p=2.5)
    assert (lab.q, lab.k, lab.p) == ([1.0, 2.0], [[1.0, 0.5], [0.5, 1.0]], 2.5)


def test_a_row_of_a_tensor_is_a_point_and_the_figure_s_own_points_stay():
    assert FocusLab(q=torch.tensor([[1.0, 2.0]], requires_grad=True)).q == [1.0, 2.0]
    FocusLab().k[0][0] = 9.0
    assert FocusLab().k[0] == [0.43, 0.86]


def test_observers_work():
    seen = []
    lab = FocusLab()
    lab.observe(lambda change: seen.append(change.new), "p")
    lab.p = 8
    assert seen == [8]


@pytest.mark.parametrize(
    ("trait", "value", "words"),
    [
        ("p", 0, "p to be a number from 1 to 256, got 0"),
        ("p", float("nan"), "p to be a number from 1 to 256"),
        ("q", [1.0, float("inf")], "q to be 2 finite numbers from -1e6 to 1e6"),
        ("q", [1.0], "q to be 2 finite numbers"),
        ("q", "ab", "q to be 2 finite numbers .*, got 'ab'"),
        ("k", [], "k to be 1 to 6 rows of 2 finite numbers"),
        ("k", [[0.0, 1.0], 3], "k to be 1 to 6 rows of 2 finite numbers"),
        ("patch", 196, "patch to be a whole number from 0 to 195, got 196"),
    ],
)
def test_refuses_what_will_not_do_and_keeps_what_it_had(trait, value, words):
    lab = FocusLab()
    before = getattr(lab, trait)
    with pytest.raises(TraitError, match=words):
        setattr(lab, trait, value)
    assert getattr(lab, trait) == before


def test_an_unknown_argument_is_a_type_error():
    with pytest.raises(TypeError, match=r"FocusLab has no power; it takes .*\bp\b"):
        FocusLab(power=3)


def test_the_readers_own_tokens():
    q, k = torch.randn(4, 8), torch.randn(4, 8)
    lab = FocusLab.with_tokens(photo("coffee", 32), q, k, grid=(2, 2), features="random numbers")
    assert lab.view == "photo" and lab.patch == 2
    assert unpack(lab.tokens)["k"].equal(k)


def test_tokens_that_do_not_fit_the_grid(readers_view):
    with pytest.raises(ValueError, match=r"grid \(3, 3\) has 9 patches: q and k need 9 rows of one d, q is \(4, 8\)"):
        FocusLab.with_tokens(photo("coffee", 32), torch.randn(4, 8), torch.randn(4, 8), grid=(3, 3), features="")


@pytest.mark.parametrize("name", sorted(LABS))
def test_bundles_are_there(name):
    assert LABS[name].lab == name
    assert "render" in str(LABS[name]()._esm) and str(LABS[name]()._css)
