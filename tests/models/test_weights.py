"""Weights in and out: safe, whole or not at all, fitted to another grid, and with errors that name names."""

import os
import pickle

import pytest
import torch

from flatten_edu.models import DeiT, DeiTConfig, load_weights, save_weights


def model(attention="focused_dwc", img_size=32, **settings):
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
    assert load_weights(loaded, tmp_path / "w.safetensors") == ([], [], "the whole file")
    assert_same(saved, loaded)
    assert os.listdir(tmp_path) == ["w.safetensors"]


def test_half_the_size(tmp_path):
    save_weights(model(), tmp_path / "full.safetensors")
    save_weights(model(), tmp_path / "half.safetensors", torch.float16)
    assert (tmp_path / "half.safetensors").stat().st_size < 0.6 * (tmp_path / "full.safetensors").stat().st_size
    loaded = model()
    load_weights(loaded, tmp_path / "half.safetensors")
    assert loaded.head.weight.dtype == torch.float32


class Malicious:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def test_a_pickle_that_carries_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open("w.pth", "wb") as file:
        pickle.dump({"head.weight": Malicious()}, file, protocol=2)
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


def test_a_saved_file_knows_its_grid(tmp_path):
    """As many cells, on another grid: 2 x 8 into 4 x 4."""
    saved, loaded = shifted(model(img_size=(16, 64))), model(img_size=32)
    save_weights(saved, tmp_path / "w.safetensors")
    load_weights(loaded, tmp_path / "w.safetensors")
    assert not loaded.pos_embed.equal(saved.pos_embed) and loaded.pos_embed[:, 0].equal(saved.pos_embed[:, 0])
    torch.testing.assert_close(loaded.pos_embed[:, 1:].mean(), saved.pos_embed[:, 1:].mean(), rtol=0.2, atol=0.02)


def test_positions_that_could_be_of_two_grids_need_it_named(tmp_path):
    torch.save(model(img_size=(16, 64)).state_dict(), tmp_path / "w.pth")
    with pytest.raises(ValueError, match=r"positions for 16 cells: pass source_grid=\(rows, columns\)"):
        load_weights(model(img_size=(16, 64)), tmp_path / "w.pth")
    load_weights(model(img_size=(16, 64)), tmp_path / "w.pth", source_grid=(2, 8))
    with pytest.raises(ValueError, match=r"positions for 16 cells, not for source_grid=\(3, 5\)"):
        load_weights(model(), tmp_path / "w.pth", source_grid=(3, 5))
    torch.save(model(img_size=(16, 48)).state_dict(), tmp_path / "o.pth")
    with pytest.raises(ValueError, match="positions for 12 cells: pass source_grid"):
        load_weights(model(), tmp_path / "o.pth")


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "model.", "backbone.", "module.model."])
def test_prefixes_of_wrappers_are_taken_off(tmp_path, prefix):
    saved, loaded = shifted(model()), model()
    torch.save({prefix + name: t for name, t in saved.state_dict().items()}, tmp_path / "w.pth")
    load_weights(loaded, tmp_path / "w.pth")
    assert_same(saved, loaded)


def test_a_load_of_nothing_is_an_error_even_if_not_strict(tmp_path):
    torch.save({"other.weight": torch.ones(1)}, tmp_path / "w.pth")
    with pytest.raises(ValueError, match="another model; nothing was loaded"):
        load_weights(model(), tmp_path / "w.pth", strict=False)


@pytest.mark.parametrize("odd", [torch.ones(5).to_sparse(), torch.ones(5, dtype=torch.complex64), 3])
def test_what_no_model_takes_changes_nothing(tmp_path, odd):
    loaded = model()
    before = loaded.pos_embed.clone()
    torch.save(shifted(model()).state_dict() | {"head.bias": odd}, tmp_path / "w.pth")
    with pytest.raises(ValueError, match=r"not a state dict of dense, real tensors: 'head\.bias'"):
        load_weights(loaded, tmp_path / "w.pth")
    assert loaded.pos_embed.equal(before)


def test_another_model_s_weights_change_nothing_and_names_are_listed(tmp_path):
    save_weights(model("softmax"), tmp_path / "w.safetensors")
    loaded = model()
    before = {name: t.clone() for name, t in loaded.state_dict().items()}
    with pytest.raises(ValueError, match=r"another model; nothing was loaded\. missing: blocks\.0\.attn\.dwc\.bias, "):
        load_weights(loaded, tmp_path / "w.safetensors")
    assert all(t.equal(before[name]) for name, t in loaded.state_dict().items())
    missing, unexpected, _ = load_weights(loaded, tmp_path / "w.safetensors", strict=False)
    assert len(missing) == 4 and unexpected == []


def test_other_shapes_are_listed(tmp_path):
    save_weights(model(num_classes=7), tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match=r"other shapes: head.weight is \(7, 12\), the model's is \(5, 12\)"):
        load_weights(model(), tmp_path / "w.safetensors", strict=False)


def test_files_that_are_none(tmp_path):
    for name in ("none.safetensors", "none.pth"):
        with pytest.raises(FileNotFoundError, match=name):
            load_weights(model(), tmp_path / name)
    torch.save(model().state_dict(), tmp_path / "whole.pth")
    half = (tmp_path / "whole.pth").read_bytes()[:2000]
    for name, content in {
        "w.safetensors": b"not",
        "w.pth": b"<html>",
        "e.pth": b"",
        "p.pth": b"\x80\x02.",
        "h.pth": half,
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match="is not a readable checkpoint"):
            load_weights(model(), tmp_path / name)
    with pytest.raises(FileNotFoundError, match=r"none/w\.safetensors"):
        save_weights(model(), tmp_path / "none" / "w.safetensors")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(ValueError, match="is not a state dict"):
        load_weights(model(), tmp_path / "list.pth")
    with pytest.raises(ValueError, match=r"writes .safetensors, got w.bin"):
        save_weights(model(), tmp_path / "w.bin")


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(model(), path)
    before = path.read_bytes()

    (tmp_path / "w.safetensors.part").symlink_to("/dev/full")  # says what a full disk says
    with pytest.raises(OSError, match=r"no space left writing .*/w\.safetensors$"):
        save_weights(shifted(model()), path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["w.safetensors"]


def test_a_plain_pth_file(tmp_path):
    saved, loaded = shifted(model()), model()
    torch.save(saved.state_dict(), tmp_path / "w.pth")
    load_weights(loaded, tmp_path / "w.pth")
    assert_same(saved, loaded)


@pytest.mark.parametrize("container", ["model", "state_dict", "state_dict_ema", "model_ema"])
def test_containers_that_people_have_are_unwrapped_and_named(tmp_path, container):
    saved, loaded = shifted(model()), model()
    other = {"epoch": torch.tensor(3)} | ({"model": model().state_dict()} if container.endswith("ema") else {})
    torch.save(other | {container: saved.state_dict()}, tmp_path / "w.pth")
    assert load_weights(loaded, tmp_path / "w.pth").taken == f'its "{container}"'
    assert_same(saved, loaded)


def test_a_backbone_under_a_new_head(tmp_path):
    saved, loaded = shifted(model(num_classes=7)), model()
    save_weights(saved, tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match="Pass backbone_only=True to keep the model's own classifier"):
        load_weights(loaded, tmp_path / "w.safetensors")
    before = loaded.head.weight.clone()
    load_weights(loaded, tmp_path / "w.safetensors", backbone_only=True)
    assert loaded.head.weight.equal(before) and loaded.norm.weight.equal(saved.norm.weight)


def test_a_model_of_the_meta_device_comes_out_whole_or_not_at_all(tmp_path):
    saved = shifted(model())
    save_weights(saved, tmp_path / "w.safetensors", torch.float16)
    with torch.device("meta"):
        loaded = model()
    load_weights(loaded, tmp_path / "w.safetensors")
    assert all(not t.is_meta and t.dtype == torch.float32 for t in loaded.state_dict().values())
    loaded(torch.zeros(1, 3, 32, 32))
    with torch.device("meta"):
        headless = model()
    with pytest.raises(ValueError, match=r"has no head\.weight, head\.bias, and the model, on the meta device"):
        load_weights(headless, tmp_path / "w.safetensors", backbone_only=True)
