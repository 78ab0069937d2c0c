"""SharpnessLab's traits, its examples, and the rows of models that it can show."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from traitlets import TraitError

from flatten_edu.labs import SharpnessLab
from flatten_edu.labs.frame.lab import split_state
from flatten_edu.labs.frame.still import still
from flatten_edu.labs.frame.tensors import read_matrix, unpack
from flatten_edu.labs.sharpness.lab import ISSUE_4
from flatten_edu.labs.sharpness.make_data import pack_rows, trained_rows
from flatten_edu.models import DeiT, DeiTConfig


def test_the_issue_s_keys_are_what_its_seed_draws():
    drawn = torch.randint(1, 9, (4, 5), generator=torch.Generator().manual_seed(5))
    assert torch.tensor(ISSUE_4["k"]).equal(drawn.T.float())


def test_takes_the_reader_s_own_query_and_keys():
    q, k = torch.randn(8, requires_grad=True), np.ones((20, 8))
    lab = SharpnessLab(q=q, k=k)
    assert (lab.example, lab.divide) == ("own", True)
    assert read_matrix(lab.q).equal(q.detach()[None]) and read_matrix(lab.k).shape == (20, 8)
    assert read_matrix(SharpnessLab(q=[[1.0, 2.0]], k=[[3.0, 4.0]]).q).tolist() == [[1.0, 2.0]]


def test_observers_work():
    seen = []
    lab = SharpnessLab()
    lab.observe(lambda change: seen.append(change.new), "scale")
    lab.scale = 0.5
    assert seen == [0.5]


def test_query_and_keys_come_together():
    with pytest.raises(TypeError, match="SharpnessLab needs q and k together, got k alone"):
        SharpnessLab(k=torch.ones(2, 2))


@pytest.mark.parametrize(
    ("trait", "value", "words"),
    [
        ("scale", 9, "scale to be a number from 1/8 to 8, got 9"),
        ("scale", float("nan"), "scale to be a number"),
        ("p", 0.5, "p to be a number from 1 to 256, got 0.5"),
        ("example", "mine", "mine"),
        ("q", torch.ones(9), r"q to be of as many channels as k, 8, got \(1, 9\)"),
        ("q", torch.ones(2, 8), r"q to be at most 1 x 1024, got \(2, 8\)"),
        ("q", "ab", "q to be a query, d numbers, got 'ab'"),
        ("k", torch.full((2, 8), float("nan")), "k to be numbers from -1000 to 1000"),
    ],
)
def test_refuses_what_will_not_do_and_keeps_what_it_had(trait, value, words):
    lab = SharpnessLab(q=torch.ones(8), k=torch.ones(3, 8))
    before = getattr(lab, trait)
    with pytest.raises(TraitError, match=words):
        setattr(lab, trait, value)
    assert getattr(lab, trait) == before


@pytest.mark.parametrize("attention", ["softmax", "focused_dwc"])
def test_rows_of_a_model(attention):
    torch.manual_seed(0)
    config = DeiTConfig(dim=12, num_heads=2, depth=2, attention=attention, img_size=12, patch_size=4, num_classes=3)
    model, x = DeiT(config).eval(), torch.randn(1, 3, 12, 12)
    rows = trained_rows(model, x, "tiny", [0, 1], head=1)
    assert [row.name for row in rows] == ["tiny, block 1", "tiny, block 2"]
    tokens = model.blocks[0].attn.tokens
    assert rows[0].q.shape == (6,) and rows[0].k.shape == (tokens, 6)
    sets, numbers = pack_rows(rows)
    assert sets[1] == {"name": "tiny, block 2", "n": tokens, "d": 6}
    assert unpack(numbers)["tiny, block 2"].shape == (tokens + 1, 6)
    lab = SharpnessLab(sets=sets, rows=numbers, example="trained", row=1, divide=True)
    state, buffers = split_state(lab)
    assert set(buffers) == {"rows"} and not still(SharpnessLab, state).exact
    middle = tokens - 9 + 4  # of the 3 x 3 patches
    seen = {}
    hook = model.blocks[0].attn.qkv.register_forward_hook(lambda m, i, o: seen.update(o=o))
    with torch.no_grad():
        model(x)
    hook.remove()
    q, k, _ = seen["o"][0].chunk(3, dim=-1)
    scale = F.softplus(model.blocks[0].attn.scale[0, 0]) if attention == "focused_dwc" else torch.ones(12)
    torch.testing.assert_close(rows[0].q, (q / scale)[middle, 6:])
    torch.testing.assert_close(rows[0].k, (k / scale)[:, 6:])  # the positional encoding starts as zeros
