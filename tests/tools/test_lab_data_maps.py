"""The labs' data is what the shipped models give."""

import json

import torch
from safetensors.torch import load_file

from tools.lab_data import maps


def test_the_maps_data_is_remade_from_the_shipped_weights(tmp_path, monkeypatch):
    shipped = maps.DATA
    monkeypatch.setattr(maps, "DATA", tmp_path)
    maps.maps()
    old, new = (load_file(folder / "maps.safetensors") for folder in (shipped, tmp_path))
    assert old.keys() == new.keys()
    for name, tensor in old.items():
        torch.testing.assert_close(new[name], tensor, rtol=2e-3, atol=2e-3)  # other machines round otherwise
    old, new = (json.loads((folder / "maps.json").read_text()) for folder in (shipped, tmp_path))
    for before, after in zip(old["models"], new["models"], strict=True):
        torch.testing.assert_close(
            torch.tensor(after.pop("logits")), torch.tensor(before.pop("logits")), rtol=0, atol=1e-3
        )
    assert new == old
