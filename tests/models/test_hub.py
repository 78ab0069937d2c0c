"""Models of the Hugging Face Hub, by way of a folder: what is saved is what is loaded, and its card says what it is."""

import json
import os
import sys
from types import SimpleNamespace

import pytest
import torch

from flatten_edu.models import DeiTConfig, card, pretrained, pretrained_names
from flatten_edu.models.hub import FLattenDeiT

NAME = next(name for name in pretrained_names() if name.startswith("flatten_deit_cifar10_focused"))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub") / "model"
    FLattenDeiT.of(pretrained(NAME), card(NAME)).save_pretrained(folder)
    return folder


def test_what_is_saved_is_what_is_loaded(saved):
    model, wanted = FLattenDeiT.from_pretrained(str(saved)), pretrained(NAME)
    x = torch.randn(2, 3, 28, 28, generator=torch.Generator().manual_seed(0))
    assert torch.equal(model(x), wanted(x)) and not model.training
    assert model.config == wanted.config


def test_pretrained_takes_it_by_its_place(saved):
    assert isinstance(pretrained(str(saved)), FLattenDeiT)


def test_a_folder_has_safetensors_and_a_card(saved):
    assert {"model.safetensors", "config.json", "README.md"} <= set(os.listdir(saved))
    text = (saved / "README.md").read_text()
    assert "pipeline_tag: image-classification" in text and "library_name: flatten_edu" in text
    assert f'"accuracy": {card(NAME)["accuracy"]}' in text and card(NAME)["command"] in text
    assert "focused" in text and "arxiv.org/abs/2308.00442" in text


def test_settings_that_json_has_no_words_for_come_back(tmp_path, readers_view):
    config = DeiTConfig(8, 2, depth=2, attention=("softmax", "relu"), img_size=(28, 56), patch_size=14, num_classes=3)
    model = FLattenDeiT(config)
    model.save_pretrained(tmp_path)
    assert FLattenDeiT.from_pretrained(str(tmp_path)).config == config
    assert "nobody wrote it down" in (tmp_path / "README.md").read_text()


def test_weights_of_another_model_are_refused(saved, tmp_path):
    for path in saved.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    values = json.loads((saved / "config.json").read_text())
    changed = {**values, "config": {**values["config"], "depth": 4}} if "config" in values else {**values, "depth": 4}
    (tmp_path / "config.json").write_text(json.dumps(changed))
    with pytest.raises(RuntimeError, match=r"blocks\.3"):
        FLattenDeiT.from_pretrained(str(tmp_path))


def test_a_folder_without_a_model_is_named(tmp_path):
    """Such as a run's folder, whose weights have their card beside them."""
    with pytest.raises(FileNotFoundError, match=rf"{tmp_path} has no config.json; of a run give the .safetensors"):
        pretrained(str(tmp_path))


def test_it_is_pushed_as_it_is_saved(monkeypatch):
    """What would be uploaded, without a network."""
    sent = {}
    monkeypatch.setattr("huggingface_hub.hub_mixin.HfApi.create_repo", lambda *_, **__: SimpleNamespace(repo_id="a/b"))

    def upload(self, *, folder_path, **_):
        sent.update({name: os.path.getsize(os.path.join(folder_path, name)) for name in os.listdir(folder_path)})

    monkeypatch.setattr("huggingface_hub.hub_mixin.HfApi.upload_folder", upload)
    FLattenDeiT.of(pretrained(NAME)).push_to_hub("a/b")
    assert set(sent) == {"model.safetensors", "config.json", "README.md"} and all(sent.values())


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    monkeypatch.delitem(sys.modules, "flatten_edu.models.hub")
    with pytest.raises(ImportError, match=r"pip install 'flatten-edu\[hub\]'"):
        pretrained("jane/model")
