"""Several processes, started as a reader starts them, learn what one learns."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from flatten_edu.__main__ import main
from flatten_edu.train import World
from tests.train.toys import image_folder, words

ROOT = Path(__file__).parents[2]


def start(arguments, processes=2):
    """`torchrun -m flatten_edu ...` in the repository, a thread a process."""
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes), "-m", "flatten_edu"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, *words, *arguments], cwd=ROOT, env=environment, **pipes)


def torchrun(arguments):
    """What it wrote, once it ended well."""
    process = start(arguments)
    out, err = process.communicate()
    assert process.returncode == 0, err[-3000:]
    return out


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """24 images to learn from; 7, which two processes do not share evenly, to test on."""
    return image_folder(tmp_path_factory.mktemp("data"))


def log_of(out):
    return json.loads((out / "log.json").read_text())


@pytest.mark.parametrize("kind", ["focused_dwc", "dwc"])
def test_two_processes_have_the_loss_curve_of_one(data, tmp_path, measured, kind):
    """Up to float32's order of sums: a relative 1e-7 a sum, which 12 steps of AdamW amplify, hence 1e-5."""
    arguments = ["--epochs", 4, "--lr", 0.003]
    assert main(words(tmp_path / "one", data, *arguments, attention=kind)) == 0
    said = torchrun(words(tmp_path / "two", data, *arguments, attention=kind))
    assert said.count("accuracy") == 4 + 1  # a line an epoch and the card's, from the first process alone
    one, two = log_of(tmp_path / "one"), log_of(tmp_path / "two")
    assert len(two["losses"]) == 12
    apart = torch.tensor(one["losses"]) - torch.tensor(two["losses"])
    measured(f"2 processes against 1, {kind}", f"losses apart by {apart.abs().max():.1e} at most")
    assert apart.abs().max() < 1e-5
    assert [e["accuracy"] for e in one["epochs"]] == [e["accuracy"] for e in two["epochs"]]
    (card,) = [json.loads(path.read_text()) for path in (tmp_path / "two").glob("*deit*.json")]
    assert card["processes"] == 2 and card["accuracy"] == one["epochs"][-1]["accuracy"]


def said(err):
    return [line for line in err.splitlines() if line.startswith("train: ")]


def test_terminated_all_processes_end_one_step_save_it_and_speak_once(data, tmp_path):
    given = words(tmp_path / "two", data, "--epochs", 400, "--lr", 0.003)
    process = start(given)
    while process.poll() is None and not (tmp_path / "two" / "checkpoint.pt").exists():
        time.sleep(0.05)
    process.terminate()
    _, err = process.communicate()
    assert said(err) == ["train: stopped; the same command goes on from the last checkpoint"]
    state = torch.load(tmp_path / "two" / "checkpoint.pt", weights_only=True)
    assert 3 < state["step"] < 1200 and len(state["losses"]) == state["step"]


def test_what_is_wrong_for_all_processes_is_said_once(data, tmp_path):
    process = start(words(tmp_path / "two", data, "--batch-size", 7))
    _, err = process.communicate()
    assert process.returncode and said(err) == ["train: batch_size=7 is not shared evenly by 2 processes"]


def test_one_process_needs_no_set_up(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    world = World.join("cpu")
    assert (world.rank, world.size, world.device.type) == (0, 1, "cpu")
    x = torch.ones(2)
    assert world.sum(x).equal(torch.ones(2))
    world.wait()
    world.leave()


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_named(monkeypatch, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ValueError, match=f"PyTorch finds no {device} device here; there is cpu"):
        World.join(device)
    assert World.join().device.type == "cpu"
