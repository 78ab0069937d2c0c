"""Weights in and out: safe, whole or not at all, fitted to another grid, and with errors that name names."""

import hashlib
import os
import pickle

import pytest
import torch
from safetensors.torch import save_file

from flatten_edu.models import DeiT, DeiTConfig, load_weights, save_weights


def model(attention="focused", img_size=32, **settings):
    torch.manual_seed(0)
    config = {"dim": 12, "num_heads": 3, "depth": 1, "patch_size": 8, "num_classes": 5} | settings
    return DeiT(DeiTConfig(attention=attention, img_size=img_size, **config))


def shifted(one):
    """The same model with other weights."""
    with torch.no_grad():
        for parameter in one.parameters():
            parameter.add_(0.1)
    return one


def assert_same(one, other):
    for (name, a), b in zip(one.state_dict().items(), other.state_dict().values(), strict=True):
        assert a.equal(b), name


def test_there_and_back(tmp_path):
    saved, loaded = shifted(model()), model()
    save_weights(saved, tmp_path / "w.safetensors")
    assert load_weights(loaded, tmp_path / "w.safetensors") == ([], [])
    assert_same(saved, loaded)
    assert os.listdir(tmp_path) == ["w.safetensors"]


def test_half_the_size(tmp_path):
    save_weights(model(), tmp_path / "full.safetensors")
    save_weights(model(), tmp_path / "half.safetensors", torch.float16)
    assert (tmp_path / "half.safetensors").stat().st_size < 0.6 * (tmp_path / "full.safetensors").stat().st_size
    loaded = model()
    load_weights(loaded, tmp_path / "half.safetensors")
    assert loaded.head.weight.dtype == torch.float32


@pytest.mark.parametrize("wrapped", [None, "model", "state_dict"])
def test_pth_files_plain_and_wrapped(tmp_path, wrapped):
    saved, loaded = shifted(model()), model()
    state = saved.state_dict()
    torch.save(state if wrapped is None else {wrapped: state, "epoch": 3}, tmp_path / "w.pth")
    load_weights(loaded, tmp_path / "w.pth")
    assert_same(saved, loaded)


class Malicious:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def test_a_pickle_that_carries_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open("w.pth", "wb") as file:
        pickle.dump({"head.weight": Malicious()}, file)
    with pytest.raises(ValueError, match="a pickle can run code when it is opened"):
        load_weights(model(), "w.pth")
    assert not os.path.exists("executed")


def test_positions_are_resized_and_the_class_token_stays(tmp_path):
    saved = shifted(model(img_size=32))
    save_weights(saved, tmp_path / "w.safetensors")
    loaded = model(img_size=(48, 64))
    load_weights(loaded, tmp_path / "w.safetensors")
    for name in ("pos_embed", "blocks.0.attn.positional_encoding"):
        a, b = saved.state_dict()[name], loaded.state_dict()[name]
        assert b.shape[1] == 1 + 6 * 8 and a[:, 0].equal(b[:, 0])
    constant = model(img_size=32)
    with torch.no_grad():
        constant.pos_embed.fill_(2.0)
    save_weights(constant, tmp_path / "c.safetensors")
    load_weights(loaded, tmp_path / "c.safetensors")
    torch.testing.assert_close(loaded.pos_embed, torch.full_like(loaded.pos_embed, 2.0))
    assert loaded(torch.randn(1, 3, 48, 64)).isfinite().all()


def test_positions_of_a_grid_that_is_no_square_need_it_named(tmp_path):
    saved = model(img_size=(16, 48))
    save_weights(saved, tmp_path / "w.safetensors")
    with pytest.raises(
        ValueError, match=r"positions for 12 cells, not for \(3, 3\): pass source_grid=\(rows, columns\)"
    ):
        load_weights(model(img_size=32), tmp_path / "w.safetensors")
    load_weights(model(img_size=32), tmp_path / "w.safetensors", source_grid=(2, 6))


def test_another_model_s_weights_change_nothing_and_names_are_listed(tmp_path):
    save_weights(model("softmax"), tmp_path / "w.safetensors")
    loaded = model()
    before = {name: t.clone() for name, t in loaded.state_dict().items()}
    with pytest.raises(ValueError, match=r"another model; nothing was loaded\. missing: blocks\.0\.attn\.dwc\.bias, "):
        load_weights(loaded, tmp_path / "w.safetensors")
    assert all(t.equal(before[name]) for name, t in loaded.state_dict().items())
    missing, unexpected = load_weights(loaded, tmp_path / "w.safetensors", strict=False)
    assert len(missing) == 4 and unexpected == []


def test_other_shapes_are_listed(tmp_path):
    save_weights(model(num_classes=7), tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match=r"other shapes: head.weight is \(7, 12\), the model's is \(5, 12\)"):
        load_weights(model(), tmp_path / "w.safetensors", strict=False)


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="no weights file"):
        load_weights(model(), tmp_path / "none.safetensors")
    for name in ("w.safetensors", "w.pth"):
        (tmp_path / name).write_bytes(b"not weights")
        with pytest.raises(ValueError, match=r"not a readable checkpoint|was not opened"):
            load_weights(model(), tmp_path / name)
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(ValueError, match="is not a state dict"):
        load_weights(model(), tmp_path / "list.pth")
    with pytest.raises(ValueError, match=r"writes .safetensors, got w.bin"):
        save_weights(model(), tmp_path / "w.bin")


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    save_weights(model(), path)
    before = path.read_bytes()

    def full(state, draft):
        raise OSError("no space left")

    monkeypatch.setattr("flatten_edu.models.weights.save_file", full)
    with pytest.raises(OSError, match="no space"):
        save_weights(shifted(model()), path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["w.safetensors"]


@pytest.fixture
def hub(tmp_path, monkeypatch):
    folder = tmp_path / "hub"
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(folder))
    return folder / "checkpoints"


def test_an_address_is_downloaded_and_its_checksum_held(tmp_path, hub):
    saved, loaded = shifted(model()), model()
    path = tmp_path / "w.safetensors"
    save_file(saved.state_dict(), path)
    right = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(ValueError, match="checksum is not the expected one"):
        load_weights(loaded, path.as_uri(), sha256="0" * 64)
    assert os.listdir(hub) == []
    load_weights(loaded, path.as_uri(), sha256=right)
    assert_same(saved, loaded)
    assert os.listdir(hub) == ["w.safetensors"]
    with pytest.raises(ValueError, match="has SHA-256"):
        load_weights(loaded, path.as_uri(), sha256="0" * 64)


def test_a_download_that_breaks_leaves_nothing(tmp_path, hub):
    with pytest.raises(OSError):
        load_weights(model(), (tmp_path / "gone.safetensors").as_uri())
    assert os.listdir(hub) == []
