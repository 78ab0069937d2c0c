"""The lab's file from a model: the maps of its tokens are the model's own."""

import pytest
import torch
from safetensors.torch import load_file

from flatten_edu.analysis import capture, rank_maps
from flatten_edu.data import as_cifar10, photo
from flatten_edu.labs.rank import lab as rank
from flatten_edu.labs.rank.make_data import rank_data, write_rank
from flatten_edu.models import DeiT, DeiTConfig


@pytest.fixture
def model():
    torch.manual_seed(0)
    config = DeiTConfig(
        dim=64, num_heads=2, depth=3, attention="focused_dwc", img_size=28, patch_size=2, num_classes=10
    )
    model = DeiT(config).eval()
    with torch.no_grad():
        for block in model.blocks:
            block.attn.scale.normal_()
            block.attn.positional_encoding.normal_()
    return model


def test_the_maps_are_the_model_s_own(model):
    x = as_cifar10(photo("coffee"), 28)
    parts = rank_data(model, x)
    with capture(model, x) as records:
        for block, record in enumerate(records):
            for head in range(2):
                q, k, kernel = parts["q"][block], parts["k"][block], parts["kernel"][block, 3]
                found = rank_maps(q, k, kernel, (14, 14), 3, head).linear
                own = record.weights[0, head, 1:, 1:].double()
                torch.testing.assert_close(found, own / own.sum(-1, keepdim=True), rtol=1e-3, atol=1e-6)


def test_the_file_is_what_the_lab_reads(model, tmp_path, monkeypatch):
    path = tmp_path / "rank.safetensors"
    write_rank(model, as_cifar10(photo("chelsea"), 28), "a sentence", path)
    monkeypatch.setattr(rank, "SHIPPED", path)
    lab = rank.RankLab(source="given", convolution="given", layer=2, head=1, channel=7)

    assert lab.index["layers"] == ["block 1", "block 2", "block 3"] and lab.index["name"] == "trained"
    assert path.stat().st_size < 400_000
    assert lab.maps().equivalent.shape == (196, 196)
    assert load_file(path)["q"].dtype == torch.float16
