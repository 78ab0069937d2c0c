"""PrecisionLab's traits: what they take, what they refuse."""

import numpy as np
import pytest
import torch
from traitlets import TraitError

from flatten_edu.labs import PrecisionLab
from flatten_edu.labs.frame.tensors import read_matrix


def own(n=5, m=7, d=8, e=4):
    return {"q": torch.randn(n, d), "k": torch.randn(m, d), "v": torch.randn(m, e)}


def test_the_first_view_needs_no_data():
    lab = PrecisionLab()
    assert (lab.source, lab.q, lab.dtype, lab.size, lab.p) == ("random", None, "fp16", 8.0, 3)


def test_takes_the_reader_s_own_tensors():
    tensors = own()
    lab = PrecisionLab(**(tensors | {"k": tensors["k"].numpy(), "v": tensors["v"].tolist()}), dtype="bf16")
    assert (lab.source, lab.size, lab.dtype) == ("own", 1.0, "bf16")
    for name, tensor in tensors.items():
        assert read_matrix(getattr(lab, name)).equal(tensor)
    lab.q = np.ones((3, 8))
    assert read_matrix(lab.q).equal(torch.ones(3, 8))


def test_observers_work():
    seen = []
    lab = PrecisionLab()
    lab.observe(lambda change: seen.append((change.name, change.new)), ["whole", "p"])
    lab.whole, lab.p = True, 16
    assert seen == [("whole", True), ("p", 16)]


def test_all_three_or_none():
    with pytest.raises(TypeError, match="PrecisionLab needs q, k and v together, got q and k alone"):
        PrecisionLab(q=torch.ones(2, 2), k=torch.ones(2, 2))
    with pytest.raises(TypeError, match=r"PrecisionLab has no power; it takes .*\bwide_sums\b"):
        PrecisionLab(power=3)


@pytest.mark.parametrize(
    ("trait", "value", "words"),
    [
        ("dtype", "fp8", "'fp8'"),
        ("p", 2.5, "p to be a whole number from 1 to 16, got 2.5"),
        ("p", 17, "17"),
        ("n", 0, "n to be a whole number from 1 to 4096, got 0"),
        ("size", float("nan"), "size to be a number from 1/1024 to 64, got nan"),
        ("q", torch.ones(5, 9), r"q to be of as many channels as k, 8, got \(5, 9\)"),
        ("v", torch.ones(6, 4), r"v to be of as many tokens as k, 7, got \(6, 4\)"),
        ("k", torch.ones(8), r"k to be a tensor of two dimensions, tokens by channels, got \(8,\)"),
        ("k", torch.full((7, 8), 1e4), "k to be numbers from -1000 to 1000"),
        ("k", "ab", "k to be a tensor of two dimensions, got 'ab'"),
        ("q", torch.ones(1, 300), r"at most 4096 x 256, got \(1, 300\)"),
    ],
)
def test_refuses_what_will_not_do_and_keeps_what_it_had(trait, value, words):
    lab = PrecisionLab(**own())
    before = getattr(lab, trait)
    with pytest.raises(TraitError, match=words):
        setattr(lab, trait, value)
    assert getattr(lab, trait) == before
