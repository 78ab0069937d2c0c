"""The labs' data is what the shipped models give."""

import json

import torch
from safetensors.torch import load_file

from flatten_edu.labs.maps import make_data


def test_the_maps_data_is_remade_from_the_shipped_weights(tmp_path, monkeypatch):
    shipped = make_data.DATA.parent
    monkeypatch.setattr(make_data, "DATA", tmp_path / "data")
    make_data.main()
    old, new = (load_file(folder / "data.safetensors") for folder in (shipped, tmp_path))
    assert old.keys() == new.keys()
    for name, tensor in old.items():
        torch.testing.assert_close(new[name], tensor, rtol=2e-3, atol=2e-3)  # other machines round otherwise
    old, new = (json.loads((folder / "data.json").read_text()) for folder in (shipped, tmp_path))
    for before, after in zip(old["models"], new["models"], strict=True):
        torch.testing.assert_close(
            torch.tensor(after.pop("logits")), torch.tensor(before.pop("logits")), rtol=0, atol=1e-3
        )
    assert new == old
