"""PrecisionLab's traits: what they take, what they refuse."""

import numpy as np
import pytest
import torch

from flatten_edu.labs import PrecisionLab
from flatten_edu.labs.frame.tensors import read_matrix


def own(n=5, m=7, d=8, e=4):
    return {"q": torch.randn(n, d), "k": torch.randn(m, d), "v": torch.randn(m, e)}


def test_takes_the_reader_s_own_tensors():
    tensors = own()
    lab = PrecisionLab(**(tensors | {"k": tensors["k"].numpy(), "v": tensors["v"].tolist()}), dtype="bf16")
    assert (lab.source, lab.size, lab.dtype) == ("own", 1.0, "bf16")
    for name, tensor in tensors.items():
        assert read_matrix(getattr(lab, name)).equal(tensor)
    lab.q = np.ones((3, 8))
    assert read_matrix(lab.q).equal(torch.ones(3, 8))


def test_all_three_or_none():
    with pytest.raises(TypeError, match="PrecisionLab needs q, k and v together, got q and k alone"):
        PrecisionLab(q=torch.ones(2, 2), k=torch.ones(2, 2))
    with pytest.raises(TypeError, match=r"PrecisionLab has no power; it takes .*\bwide_sums\b"):
        PrecisionLab(power=3)
