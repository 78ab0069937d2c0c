"""The command line: one line where something is wrong, names, and cards that say what was done."""

import argparse
import dataclasses
import errno
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from flatten_edu.__main__ import main
from flatten_edu.commands import sources, train
from flatten_edu.commands.train import as_command, default_name
from flatten_edu.data import ImageFolder
from flatten_edu.models import DeiT, DeiTConfig, config_of, load_weights
from flatten_edu.nn import ATTENTIONS
from flatten_edu.train import Recipe, Run, accuracy, write_card
from tests.train.toys import COLOURS, config, image_folder, toy_run, words

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return image_folder(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """A finished run's folder, and its card."""
    out = tmp_path_factory.mktemp("finished")
    assert main(words(out, data, "--epochs", 6, "--lr", 0.005, "--p", 2.5, "--seed", 3)) == 0
    return out, json.loads((out / "flatten_deit_imagefolder_focused_dwc_p2.5_seed3.json").read_text())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--attention nope", "there is no attention 'nope'; there are angular, dwc, efficient, enhanced, focused"),
        ("--data mnist", "--data is cifar10 .*; got 'mnist'"),
        ("--data imagefolder", "got 'imagefolder'"),
        ("--data imagefolder:/none", "there is no image folder /none/train"),
        ("--p 0", "needs a finite focusing factor p > 0, got p = 0"),
        ("--p inf", "finite focusing factor"),
        ("--dim 16 --heads 3", "num_heads that divides dim, got dim=16, num_heads=3"),
        ("--patch-size 5", "5"),
        ("--dim 0", "a model needs dim of at least 1, got 0"),
        ("--heads 0", "a model needs num_heads of at least 1, got 0"),
        ("--depth -1", "a model needs depth of at least 1, got -1"),
        ("--patch-size 0", "a model needs patch_size of at least 1, got 0"),
        ("--image-size 0", "images of at least one pixel, got img_size=0"),
        ("--drop-path 2", "a model needs a drop_path_rate from 0 to below 1, got 2"),
        ("--drop-path nan", "drop_path_rate from 0 to below 1, got nan"),
        ("--pool mean --epochs 0", "epochs > 0, got 0"),
        ("--seed 99999999999999999999", "a seed of at most 63 bits, got 99999999999999999999"),
        ("--workers -1", "--workers counts processes from 0, got -1"),
        ("--batch-size 25", "24 training images do not fill a batch of 25"),
        ("--evaluate-every 0", "evaluate_every counts epochs from 1, got 0"),
        ("--warmup-epochs 3", "warmup_epochs=3 is longer than the training: epochs=2"),
        ("--hold-out 24", "--hold-out takes 1 to 23 of the training images, got 24"),
        ("--hold-out 0", "--hold-out takes 1 to 23"),
        ("--name a/b", "--name is the name of two files .* cannot be 'a/b'"),
        ("--name log", "cannot be 'log'"),
        ("--device mps", "PyTorch finds no mps device here"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(data, tmp_path, capfd, monkeypatch, options, said):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert main(words(tmp_path / "out", data, *options.split())) == 1
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("train: ")
    assert re.search(said, err), err
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_a_wrong_model_is_told_before_data_are_fetched(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(sources, "cifar10", lambda *_: pytest.fail("fetched"))
    for wrong in ("--attention nope", "--attention focused --p -1", "--attention focused --heads 5"):
        assert main(["train", *wrong.split(), "--out", str(tmp_path)]) == 1
    assert main(["train", "--attention", "focused_dwc", "--preset", "paper", "--out", str(tmp_path)]) == 1
    assert "RandAugment is for image folders" in capfd.readouterr().err


def test_usage_is_argparse_s(capfd):
    for wrong in ([], ["fly"], ["train"], ["train", "--attention", "focused_dwc", "--out", "o", "--p", "three"]):
        with pytest.raises(SystemExit, match="2"):
            main(wrong)
    assert "argument --p: invalid number value: 'three'" in capfd.readouterr().err
    with pytest.raises(SystemExit, match="0"):
        main(["train", "--help"])
    shown = capfd.readouterr().out
    assert all(f"--{field.name.replace('_', '-')}" in shown for field in dataclasses.fields(Recipe))


def test_an_error_of_many_lines_becomes_one(data, tmp_path, capfd, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("first\n  second\nthird")

    monkeypatch.setattr(Run, "train", fail)
    assert main(words(tmp_path, data)) == 1
    assert capfd.readouterr().err == "train: first second third\n"


def test_all_images_that_cannot_be_read_are_listed_before_the_first_step(data, tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(Run, "_one_step", lambda *_: pytest.fail("trained"))
    damaged = image_folder(tmp_path / "data")
    files = [damaged / name for name in ("train/red/3.png", "train/blue/4.png", "val/grey/2.png")]
    for path, kept in zip(files, (0, 100, 3000), strict=True):
        path.write_bytes(path.read_bytes()[:kept])
    assert main(words(tmp_path / "out", damaged)) == 1
    err = capfd.readouterr().err
    assert err.startswith("train: 3 of 31 images are damaged: ") and err.count("\n") == 1
    assert all(f"{path} cannot be read as an image: " in err for path in files)


def test_a_full_disk_is_told_with_the_path_and_the_old_state_stays(data, tmp_path, capfd):
    """Linux's /dev/full says what a full disk says."""
    out = tmp_path / "out"
    assert main(words(out, data)) == 0
    (out / "flatten_deit_imagefolder_focused_dwc.json").unlink()
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    for name in ("flatten_deit_imagefolder_focused_dwc.json", "flatten_deit_imagefolder_focused_dwc.safetensors"):
        (out / f"{name}.part").symlink_to("/dev/full")
        assert main(words(out, data)) == 1
        assert capfd.readouterr().err == f"train: no space left writing {out}/{name}\n"
        assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    for name in ("log.json", "checkpoint.pt"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.part").symlink_to("/dev/full")
        assert main(words(tmp_path / name, data)) == 1
        assert capfd.readouterr().err == f"train: no space left writing {tmp_path}/{name}/{name}\n"


def test_a_full_disk_elsewhere_is_told_too(data, tmp_path, capfd, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Run, "train", fail)
    assert main(words(tmp_path / "out", data)) == 1
    assert capfd.readouterr().err == f"train: no space left writing {tmp_path}/out\n"


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_files_have_the_mode_that_the_umask_gives(data, tmp_path, mask, mode):
    former = os.umask(mask)
    try:
        assert main(words(tmp_path / "out", data)) == 0
    finally:
        os.umask(former)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "out").iterdir()} == {mode}


def test_sigterm_ends_the_step_and_saves_it(data, tmp_path, capfd, monkeypatch):
    one_step = Run._one_step

    def terminated(run, *given):
        if run.step == 4:
            signal.raise_signal(signal.SIGTERM)
        return one_step(run, *given)

    former = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        patch.setattr(Run, "_one_step", terminated)
        assert main(words(tmp_path, data)) == 130
    assert signal.getsignal(signal.SIGTERM) is former
    assert capfd.readouterr().err == "\ntrain: stopped; the same command goes on from the last checkpoint\n"
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_while_it_starts_it_leaves_no_traceback(tmp_path, number):
    """PyTorch's place is taken by a module that asks its own process to stop."""
    (tmp_path / "torch.py").write_text(f"import os, time; os.kill(os.getpid(), {number:d}); time.sleep(5)")
    # A process that was started in the background would ignore Ctrl-C.
    heard = "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    start = heard + "runpy.run_module('flatten_edu', run_name='__main__', alter_sys=True)"
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-c", start, "train"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "\nflatten_edu: stopped\n")


def test_ctrl_c_says_how_to_go_on(data, tmp_path, capfd, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Run, "_one_step", stop)
        assert main(words(tmp_path, data)) == 130
    assert capfd.readouterr().err == "\ntrain: stopped; the same command goes on from the last checkpoint\n"
    assert main(words(tmp_path, data)) == 0


def test_the_two_parts_of_a_folder_have_the_same_classes(data, tmp_path):
    other = image_folder(tmp_path / "data")
    (other / "val" / "red").rename(other / "val" / "rot")
    with pytest.raises(ValueError, match=r"train and .*/val have other classes: only one has red, rot"):
        sources.open_images(f"imagefolder:{other}", 28)


def test_an_image_folder_is_opened_with_the_view_of_training_alone(data):
    images, held_out = sources.open_images(f"imagefolder:{data}", 28, augmented=True)
    assert len(images) == 24 and len(held_out) == 7 and images.classes == tuple(COLOURS)
    assert images.training_view is not None and held_out.training_view is None
    assert sources.open_images(f"imagefolder:{data}", 28)[0].training_view is None


@pytest.mark.parametrize(
    ("attention", "p", "data", "seed", "name"),
    [
        ("focused_dwc", 3, "cifar10", 0, "flatten_deit_cifar10_focused_dwc"),
        ("softmax", 3, "cifar10:folder", 0, "deit_cifar10_softmax"),
        ("softmax", 8, "imagefolder:a/b", 2, "deit_imagefolder_softmax_seed2"),
        ("focused", 8, "cifar10", 0, "flatten_deit_cifar10_focused_p8"),
        ("dwc", 0.5, "cifar10", 1, "deit_cifar10_dwc_seed1"),
    ],
)
def test_names_say_what_differs(attention, p, data, seed, name):
    assert default_name(DeiTConfig(64, 1, attention=attention, p=p), data, seed) == name


def parsed(command):
    parser = argparse.ArgumentParser()
    train.add(parser)
    return parser.parse_args(command)


NUMBERS = st.one_of(st.integers(0, 10**6), st.floats(0, 1e9, allow_subnormal=False))
CHOICES = {
    "preset": st.sampled_from(["small", "paper"]),
    "image_size": st.integers(1, 512),
    "p": NUMBERS,
    "pool": st.sampled_from(["class", "mean"]),
    "drop_path": st.floats(0, 1),
    "lr": st.floats(0, 1),
    "mixup": NUMBERS,
    "precision": st.sampled_from(["auto", "fp32", "bf16"]),
    "limit": st.integers(1, 10**9),
    "seed": st.integers(-(2**40), 2**40),
    "rand_augment": st.just(True),
    "name": st.sampled_from(["a", "my_model-2"]),
}


@given(st.fixed_dictionaries({"attention": st.sampled_from(sorted(ATTENTIONS))}, optional=CHOICES))
def test_the_card_s_command_gives_the_same_settings(chosen):
    given = parsed(["--attention", "focused_dwc", "--out", "/home/me/o", "--data", "cifar10:/home/me/d"])
    vars(given).update(chosen, workers=3, evaluate_every=9, device="cpu")
    command = as_command(given, "some_name")
    assert command.startswith("python -m flatten_edu train ") and "/home" not in command
    found = vars(parsed(shlex.split(command)[4:]))
    for option, value in vars(given).items():
        wanted = {"out": "runs/some_name", "data": "cifar10", "workers": 0, "evaluate_every": 1, "device": None}
        assert found[option] == wanted.get(option, value), option
    assert type(found["p"]) is type(given.p) or float(given.p).is_integer()


def test_the_card_s_command_remakes_the_run(finished, data, tmp_path):
    out, card = finished
    start, options = card["command"].split(" train ")
    assert start == "python -m flatten_edu" and str(data) not in options
    again = [*shlex.split(options), "--data", f"imagefolder:{data}", "--out", str(tmp_path), "--device", "cpu"]
    assert main(["train", *again]) == 0
    made = json.loads((tmp_path / f"{card['name']}.json").read_text())
    same = ("name", "config", "recipe", "accuracy", "loss_of_last_epoch", "steps", "parameters", "training_images")
    assert {key: made[key] for key in same} == {key: card[key] for key in same}
    weights = f"{card['name']}.safetensors"
    assert (tmp_path / weights).read_bytes() == (out / weights).read_bytes()


def test_the_card_says_what_was_done(finished, data):
    out, card = finished
    assert (card["data"], card["training_images"], card["test_images"], card["steps"]) == ("imagefolder", 24, 7, 18)
    assert card["config"]["p"] == 2.5 and card["config"]["num_classes"] == 4
    assert card["recipe"]["seed"] == 3 and card["recipe"]["lr"] == 0.005
    assert card["processes"] == 1 and card["bf16"] is False and card["device"].startswith("CPU, ")
    assert card["versions"]["torch"] == torch.__version__.partition("+")[0]
    log = json.loads((out / "log.json").read_text())
    assert card["loss_of_last_epoch"] == round(log["epochs"][-1]["loss"], 6)
    assert {path.name for path in out.iterdir()} == {
        ".lock",
        "checkpoint.pt",
        "log.json",
        "right.npy",
        f"{card['name']}.json",
        f"{card['name']}.safetensors",
    }


def test_stored_weights_are_in_half_precision_and_the_card_s_model_takes_them(finished, data):
    out, card = finished
    path = out / f"{card['name']}.safetensors"
    assert {t.dtype for t in load_file(path).values()} == {torch.float16}
    model = DeiT(config_of(card))
    load_weights(model, path)
    assert sum(t.numel() for t in load_file(path).values()) == card["parameters"]
    assert card["accuracy"] == round(accuracy(model, ImageFolder(data / "val", 28)), 6)


def test_the_card_s_accuracy_is_that_of_the_stored_weights(tmp_path):
    """A model whose answer turns where its weights are rounded: 1.00048 + 0.50024 > 1.50055, but not in float16."""
    run = toy_run(tmp_path, config("softmax"), epochs=1)
    run.train()
    with torch.no_grad():
        run.model.norm.weight.zero_()
        run.model.norm.bias.copy_(torch.eye(16)[0])
        run.model.head.weight.zero_()
        run.model.head.weight[1, 0] = 0.50024  # 0.5
        run.model.head.bias.copy_(torch.tensor([1.50055, 1.00048, 0, 0]))  # 1.50098, 1.0
    labels = run.held_out.labels.tolist()
    assert accuracy(run.model, run.held_out) == labels.count(1) / 7
    run.held_out.labels[:] = 0
    assert write_card(run, "toy", "colours", "")["accuracy"] == 1


def test_images_held_out_and_patches_moved_are_in_the_card_and_evaluated_so(data, tmp_path, capfd):
    views = ["--hold-out", 5, "--permute-patches", 1]
    assert main(words(tmp_path, data, *views, "--epochs", 1, attention="dwc")) == 0
    card = json.loads((tmp_path / "deit_imagefolder_dwc.json").read_text())
    assert (card["hold_out"], card["permute_patches"]) == (5, 1)
    assert (card["training_images"], card["test_images"]) == (19, 5)
    assert card["parameters"] > card["live_parameters"] > 0  # without attention the class token is not seen
    right = np.unpackbits(np.load(tmp_path / "right.npy"))[:5]
    assert right.mean() == pytest.approx(card["accuracy"])
    capfd.readouterr()
    path = tmp_path / "deit_imagefolder_dwc.safetensors"
    assert main(["evaluate", str(path), "--data", f"imagefolder:{data}", "--device", "cpu"]) == 0
    assert f"accuracy {card['accuracy']:.4f} on 5 images" in capfd.readouterr().out


def test_evaluate_finds_classes_by_the_names_that_the_card_keeps(finished, tmp_path, capfd):
    """A folder with some of the classes, whose places are others than the model's."""
    out, card = finished
    assert card["classes"] == list(COLOURS) == ["blue", "green", "grey", "red"]
    path = out / f"{card['name']}.safetensors"
    some = image_folder(tmp_path / "some", val=40)
    for part in ("train", "val"):
        (some / part / "green").rename(some / f"{part} of green")
    model = DeiT(config_of(card)).eval()
    load_weights(model, path)
    x, labels = ImageFolder(some / "val", 28).batch(torch.arange(30))
    share = (model(x).argmax(-1) == torch.tensor([0, 2, 3])[labels]).float().mean().item()
    assert share > 0.4  # by the folder's own places it would be a third at most
    assert main(["evaluate", str(path), "--data", f"imagefolder:{some}", "--device", "cpu"]) == 0
    assert f": accuracy {share:.4f} on 30 images" in capfd.readouterr().out


def test_evaluate_measures_and_does_not_read_the_card(finished, data, tmp_path, capfd):
    out, card = finished
    (tmp_path / "w.safetensors").write_bytes((out / f"{card['name']}.safetensors").read_bytes())
    (tmp_path / "w.json").write_text(json.dumps(card | {"accuracy": 0.123}))
    assert main(["evaluate", str(tmp_path / "w.safetensors"), "--data", f"imagefolder:{data}"]) == 0
    assert f"accuracy {card['accuracy']:.4f} on 7 images; its card says 0.1230" in capfd.readouterr().out


def test_evaluate_says_in_one_line_what_is_wrong(finished, data, tmp_path, capfd):
    out, card = finished
    path = out / f"{card['name']}.safetensors"
    (tmp_path / "w.safetensors").write_bytes(path.read_bytes())
    other = image_folder(tmp_path / "other")
    for part in ("train", "val"):
        (other / part / "grey").rename(other / part / "gray")
    knows = "the data has gray, which the model does not know: it knows blue, green, grey, red"
    for arguments, said in [
        (["nope"], "there is no pretrained model 'nope'"),
        ([str(path)], "learned from images in a folder: give --data imagefolder:FOLDER"),
        ([str(tmp_path / "w.safetensors")], f"has no card beside it: there is no {tmp_path}/w.json"),
        ([str(tmp_path / "none.safetensors")], "none.json"),
        ([str(path), "--data", f"imagefolder:{other}"], knows),
    ]:
        assert main(["evaluate", *arguments]) == 1
        err = capfd.readouterr().err
        assert said in err and err.count("\n") == 1 and err.startswith("evaluate: ")


def test_the_presets_are_the_papers_and_the_books():
    given = ["--attention", "focused", "--out", "o", "--preset"]
    small, paper = (train.settings(parsed([*given, preset])) for preset in ("small", "paper"))
    assert small[1] == Recipe() and DeiTConfig(**small[0]) == DeiTConfig(64, 1, 3, "focused", 28, 2, pool="mean")
    assert DeiTConfig(**paper[0]) == DeiTConfig(192, 3, 12, "focused", drop_path_rate=0.1)
    assert paper[1].epochs == 300 and paper[1].lr == 1e-3


def test_no_folder_is_no_place_for_a_run(data, capfd):
    assert main(words("", data)) == 1
    assert capfd.readouterr().err == "train: --out is the run's folder, and needs a name\n"


def test_evaluate_finds_the_card_s_accuracy(finished, data, capfd):
    out, card = finished
    path = out / f"{card['name']}.safetensors"
    assert main(["evaluate", str(path), "--data", f"imagefolder:{data}", "--device", "cpu"]) == 0
    share = f"{card['accuracy']:.4f}"
    assert capfd.readouterr().out == f"{card['name']}: accuracy {share} on 7 images; its card says {share}\n"
