"""SharpnessLab's traits, its examples, and the rows of models that it can show."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from flatten_edu.data import cifar10_samples
from flatten_edu.labs import SharpnessLab
from flatten_edu.labs.frame.lab import split_state
from flatten_edu.labs.frame.still import still
from flatten_edu.labs.frame.tensors import read_matrix, unpack
from flatten_edu.labs.sharpness.lab import EXAMPLES
from flatten_edu.labs.sharpness.make_data import IMAGE, MODELS, TOKEN, trained_rows
from flatten_edu.models import DeiT, DeiTConfig, pretrained


def test_the_issue_s_keys_are_what_its_seed_draws():
    drawn = torch.randint(1, 9, (4, 5), generator=torch.Generator().manual_seed(5))
    assert torch.tensor(EXAMPLES["issue"]["k"]).equal(drawn.T.float())


def test_takes_the_reader_s_own_query_and_keys():
    q, k = torch.randn(8, requires_grad=True), np.ones((20, 8))
    lab = SharpnessLab(q=q, k=k)
    assert (lab.example, lab.divide) == ("own", True)
    assert read_matrix(lab.q).equal(q.detach()[None]) and read_matrix(lab.k).shape == (20, 8)
    assert read_matrix(SharpnessLab(q=[[1.0, 2.0]], k=[[3.0, 4.0]]).q).tolist() == [[1.0, 2.0]]


def test_query_and_keys_come_together():
    with pytest.raises(TypeError, match="SharpnessLab needs q and k together, got k alone"):
        SharpnessLab(k=torch.ones(2, 2))


@pytest.mark.parametrize("attention", ["softmax", "focused_dwc"])
def test_rows_of_a_model(attention):
    torch.manual_seed(0)
    config = DeiTConfig(dim=12, num_heads=2, depth=2, attention=attention, img_size=12, patch_size=4, num_classes=3)
    model, x = DeiT(config).eval(), torch.randn(1, 3, 12, 12)
    rows = trained_rows(model, x, "tiny", 5, head=1)
    tokens = model.blocks[0].attn.tokens
    assert {name: tuple(row.shape) for name, row in rows.items()} == {
        f"tiny, block {block}": (1 + tokens, 6) for block in (1, 2)
    }
    seen = {}
    hook = model.blocks[0].attn.qkv.register_forward_hook(lambda m, i, o: seen.update(o=o))
    with torch.no_grad():
        model(x)
    hook.remove()
    q, k, _ = seen["o"][0].chunk(3, dim=-1)
    scale = F.softplus(model.blocks[0].attn.scale[0, 0]) if attention == "focused_dwc" else torch.ones(12)
    found, *keys = rows["tiny, block 1"]
    torch.testing.assert_close(found, (q / scale)[5, 6:])
    torch.testing.assert_close(torch.stack(keys), (k / scale)[:, 6:])  # the positional encoding starts as zeros


def test_the_shipped_rows_are_the_shipped_models():
    lab = SharpnessLab(example="trained")
    state, buffers = split_state(lab)
    assert set(buffers) == {"rows"} and not still(SharpnessLab, state).exact
    found = trained_rows(
        pretrained(MODELS["focused"]), cifar10_samples().batch(torch.tensor([IMAGE]))[0], "focused", TOKEN
    )
    for name, row in found.items():
        torch.testing.assert_close(row, unpack(lab.rows)[name], rtol=1e-3, atol=1e-3)
