"""The training loop: stopped anywhere it ends where it would have ended, and it never loses what it had."""

import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from flatten_edu.__main__ import main
from flatten_edu.data import ImageArray
from flatten_edu.train import NonFiniteLoss, World, accuracy, loop, write_card
from flatten_edu.train.evaluate import predictions
from tests.train.toys import coloured, config, image_folder, toy_run, words

ROOT = Path(__file__).parents[2]
STEPS = 12  # of a toy run: 4 epochs of 3 steps
# All that is random at once: dropped features and blocks, mixed images.
RANDOM = {"model": config(depth=2, drop_rate=0.2, drop_path_rate=0.5), "mixup": 0.8, "cutmix": 1.0}


class Apart(World):
    """One of several processes, which keeps its sums to itself."""

    def sum(self, x):
        return x


class Killed(Exception):
    """Stands for a process that ends without a word."""


def stop(run, step, how, after):
    """Let the run's step `step` raise, before its work or when it is done."""
    one_step = run._one_step

    def stopped(*given):
        if run.step == step and not after:
            raise how
        loss = one_step(*given)
        if run.step == step:
            raise how
        return loss

    run._one_step = stopped


def assert_ends_alike(run, reference, atol=1e-6):
    """Same losses and epochs but for time, same weights."""
    torch.testing.assert_close(torch.tensor(run.losses), torch.tensor(reference.losses), rtol=0, atol=atol)
    assert [e["epoch"] for e in run.epochs] == [e["epoch"] for e in reference.epochs]
    assert [e.get("accuracy") for e in run.epochs] == [e.get("accuracy") for e in reference.epochs]
    for (name, one), other in zip(run.model.state_dict().items(), reference.model.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=atol, msg=name)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """What the run with everything random comes to when nothing happens to it."""
    run = toy_run(tmp_path_factory.mktemp("uninterrupted"), **RANDOM)
    run.train()
    return run


@settings(max_examples=12, phases=[Phase.reuse, Phase.generate])  # shrinking would take minutes
@given(st.lists(st.tuples(st.integers(0, STEPS - 1), st.sampled_from(["killed", "Ctrl-C"]), st.booleans()), max_size=3))
def test_stopped_anywhere_and_started_again_it_ends_as_if_it_had_not_been(uninterrupted, stops):
    """A kill may come when the optimizer has done its work; Ctrl-C, which waits for the step's end, comes before."""
    with tempfile.TemporaryDirectory() as out:
        for step, how, after in sorted(stops):
            run = toy_run(out, **RANDOM)
            stop(run, step, Killed if how == "killed" else KeyboardInterrupt, after and how == "killed")
            with pytest.raises((Killed, KeyboardInterrupt)):
                run.train()
            if how == "Ctrl-C":
                assert toy_run(out, **RANDOM).step == step
        run = toy_run(out, **RANDOM)
        run.train()
        assert len(run.losses) == STEPS
        assert_ends_alike(run, uninterrupted)
        log = json.loads((Path(out) / "log.json").read_text())
        assert log["losses"] == run.losses and log["epochs"] == run.epochs


def test_what_is_random_is_random(uninterrupted, tmp_path):
    """Otherwise the test above would show nothing."""
    other = toy_run(tmp_path, **RANDOM, seed=1)
    other.train()
    assert not math.isclose(other.losses[0], uninterrupted.losses[0], abs_tol=1e-4)
    assert [loss for loss in uninterrupted.losses if loss in other.losses] == []


@pytest.fixture
def ctrl_c():
    """What Ctrl-C does, in a terminal as well as where the tests run in the background, which ignores it."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, former)


def test_ctrl_c_in_the_middle_of_a_step_waits_for_its_end(uninterrupted, tmp_path, ctrl_c):
    run = toy_run(tmp_path, **RANDOM)
    update = run.optimizer.step

    def interrupted():
        ctrl_c()
        update()
        run.optimizer.step = update

    run.optimizer.step = interrupted
    with pytest.raises(KeyboardInterrupt):
        run.train()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    run = toy_run(tmp_path, **RANDOM)
    assert run.step == 1 and len(run.losses) == 1
    run.train()
    assert_ends_alike(run, uninterrupted)


@pytest.mark.parametrize(("epoch", "new_process"), [(1, False), (4, False), (4, True)])
def test_ctrl_c_while_the_accuracy_is_measured_costs_no_epoch(uninterrupted, tmp_path, monkeypatch, epoch, new_process):
    run = toy_run(tmp_path, **RANDOM)

    def interrupted(*given):
        if run.step == 3 * epoch:
            raise KeyboardInterrupt
        return accuracy(*given)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "accuracy", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run.train()
    again = toy_run(tmp_path, **RANDOM)
    assert again.step == 3 * epoch and len(again.epochs) == epoch - 1
    if new_process:
        run = again
    run.train()  # or, as a notebook would, with the same run
    assert_ends_alike(run, uninterrupted)
    assert write_card(run, "toy", "colours", "")["loss_of_last_epoch"] == round(uninterrupted.epochs[3]["loss"], 6)
    run = toy_run(tmp_path, **RANDOM)
    assert run.step == STEPS and len(run.epochs) == 4


def test_a_run_may_be_trained_in_a_thread(uninterrupted, tmp_path):
    run = toy_run(tmp_path, **RANDOM)
    thread = threading.Thread(target=run.train)
    thread.start()
    thread.join()
    assert_ends_alike(run, uninterrupted)


def command(*arguments):
    return subprocess.Popen([sys.executable, "-m", "flatten_edu", *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)


def test_a_process_that_is_killed_at_any_moment_goes_on(tmp_path):
    data, out = image_folder(tmp_path / "data"), tmp_path / "out"
    given = words(out, data, "--epochs", 40, "--workers", 1)
    process = command(*given)
    while process.poll() is None and not (out / "checkpoint.pt").exists():
        time.sleep(0.002)
    time.sleep(random.uniform(0, 0.2))
    process.kill()
    assert process.wait() == -signal.SIGKILL
    stopped = torch.load(out / "checkpoint.pt", weights_only=True)["step"]
    assert 0 < stopped < 120 and stopped % 3 == 0
    assert command(*given).wait() == 0
    assert main(words(tmp_path / "whole", data, "--epochs", 40)) == 0
    log, wanted = (json.loads((folder / "log.json").read_text()) for folder in (out, tmp_path / "whole"))
    assert len(log["losses"]) == 120 and len(log["epochs"]) == 40
    torch.testing.assert_close(torch.tensor(log["losses"]), torch.tensor(wanted["losses"]), rtol=0, atol=1e-6)
    left = {path.name for path in out.iterdir()} - {"checkpoint.pt.part", "log.json.part", "right.npy.part"}
    name = "flatten_deit_imagefolder_focused_dwc"
    assert left == {".lock", "checkpoint.pt", "log.json", "right.npy", f"{name}.json", f"{name}.safetensors"}


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.name != ".lock"}


def test_a_folder_belongs_to_one_process_at_a_time(tmp_path):
    code = (
        "import pathlib, runpy, sys, time\n"
        f"runpy.run_path({str(ROOT / 'flatten_edu/train/files.py')!r})['claim'](pathlib.Path(sys.argv[1]))\n"
        "print(flush=True)\ntime.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    holder.stdout.readline()
    try:
        with pytest.raises(
            ValueError, match=rf"{tmp_path} is in use: process {holder.pid} trains there; choose another f"
        ):
            toy_run(tmp_path, epochs=1)
    finally:
        holder.kill()
        holder.communicate()
    assert contents(tmp_path) == {}
    toy_run(tmp_path, epochs=1).train()


def test_a_checkpoint_that_cannot_be_written_leaves_the_former(uninterrupted, tmp_path, monkeypatch):
    run, write = toy_run(tmp_path, **RANDOM), torch.save

    def full(state, file):
        if state["step"] == 6:
            file.write(b"half a checkpoint")
            raise OSError("no space left on device")
        write(state, file)

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full)
        with pytest.raises(OSError, match="no space"):
            run.train()
    assert sorted(contents(tmp_path)) == ["checkpoint.pt", "log.json"]
    run = toy_run(tmp_path, **RANDOM)
    assert run.step == 3 and len(run.losses) == 3 and len(run.epochs) == 1
    run.train()
    assert_ends_alike(run, uninterrupted)


def poison(run, step):
    """From a step on the model computes NaN."""
    one_step = run._one_step

    def poisoned(*given):
        if run.step == step:
            with torch.no_grad():
                run.model.head.bias.fill_(math.nan)
        return one_step(*given)

    run._one_step = poisoned


def assert_last_state_is_good(run, step, uninterrupted):
    state = torch.load(run.checkpoint, weights_only=True)
    assert state["step"] == step and all(t.isfinite().all() for t in state["model"].values())
    run = toy_run(run.out, **RANDOM)
    run.train()
    assert_ends_alike(run, uninterrupted)


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_loss_that_is_no_number_ends_the_run_and_saves_no_bad_state(uninterrupted, tmp_path, interrupted):
    run = toy_run(tmp_path, **RANDOM)
    if interrupted:
        stop(run, 5, KeyboardInterrupt, after=False)
    poison(run, 4)
    with pytest.raises(NonFiniteLoss, match=r"loss became nan at step 4 \(epoch 2\); the last good state is .*/checkp"):
        run.train()
    assert_last_state_is_good(run, 3, uninterrupted)


def test_a_loss_that_is_no_number_before_the_first_checkpoint(tmp_path):
    run = toy_run(tmp_path)
    poison(run, 1)
    with pytest.raises(NonFiniteLoss, match=r"at step 1 \(epoch 1\); there is no checkpoint yet"):
        run.train()
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_finite_loss_with_a_gradient_that_is_not_saves_no_weights(uninterrupted, tmp_path, interrupted, ctrl_c):
    run = toy_run(tmp_path, **RANDOM)
    run.model.head.bias.register_hook(lambda grad: grad * math.nan if run.step == 5 else grad)
    if interrupted:  # before the next loss shows it
        run.model.head.bias.register_hook(lambda grad: ctrl_c() if run.step == 5 else None)
    with pytest.raises(NonFiniteLoss, match=r"weights became NaN or infinite at step 5 \(epoch 2\); the last good"):
        run.train()
    assert_last_state_is_good(run, 3, uninterrupted)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"lr": 0.5}, "lr 0.001 there, 0.5 here"),
        ({"model": config("softmax"), "seed": 3}, "attention focused_dwc there, softmax here; seed 0 there, 3 here"),
        ({"images": coloured(32)}, "training_images 24 there, 32 here"),
    ],
)
def test_a_folder_with_another_run_is_refused_and_stays_as_it_is(tmp_path, other, said):
    run = toy_run(tmp_path / "run")
    stop(run, 4, KeyboardInterrupt, after=False)
    with pytest.raises(KeyboardInterrupt):
        run.train()
    before = contents(run.out)
    with pytest.raises(ValueError, match=rf"run holds another run \({said}\): choose another folder"):
        toy_run(tmp_path / "run", **other)
    assert contents(run.out) == before


DAMAGED = [lambda whole: whole[: len(whole) // 2], lambda whole: b"", lambda whole: bytes(255 - byte for byte in whole)]
OTHERS = [{"model": {}}, [1, 2], {"settings": 3}]


@pytest.mark.parametrize("damage", [*DAMAGED, *OTHERS])
def test_a_checkpoint_that_is_damaged_or_something_else_is_named(tmp_path, damage):
    run = toy_run(tmp_path, epochs=1)
    run.train()
    if callable(damage):
        run.checkpoint.write_bytes(damage(run.checkpoint.read_bytes()))
    else:
        torch.save(damage, run.checkpoint)
    before = contents(tmp_path)
    with pytest.raises(ValueError, match=r"checkpoint\.pt is damaged, or no run's \(\w+\): delete it to begin anew"):
        toy_run(tmp_path, epochs=1)
    assert contents(tmp_path) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused_before_the_first_step(tmp_path):
    (tmp_path / "run").mkdir(mode=0o500)
    with pytest.raises(PermissionError, match="Permission denied"):
        toy_run(tmp_path / "run")


def test_a_finished_run_is_left_as_it_is(tmp_path):
    run = toy_run(tmp_path)
    run.train()
    before = contents(tmp_path)
    again = toy_run(tmp_path)
    again.train()
    assert contents(tmp_path) == before
    assert_ends_alike(again, run, atol=0)
    assert write_card(again, "toy", "colours", "")["accuracy"] == run.epochs[-1]["accuracy"]


@pytest.mark.parametrize("kind", ["softmax", "focused_dwc", "dwc"])
def test_it_learns_what_can_be_learned(tmp_path, measured, kind):
    run = toy_run(
        tmp_path, config(kind), coloured(64), epochs=30, batch_size=16, lr=5e-3, label_smoothing=0.0, evaluate_every=30
    )
    run.train()
    assert run.losses[0] > math.log(4) / 2
    assert run.epochs[-1]["loss"] < 0.1 * math.log(4)
    assert run.epochs[-1]["accuracy"] == 1
    measured(f"loss of toy run, {kind}", f"{run.losses[0]:.3f} -> {run.epochs[-1]['loss']:.4f} (ln 4 = 1.386)")


def test_bf16_learns_too(tmp_path):
    run = toy_run(tmp_path, None, coloured(64), epochs=10, batch_size=16, lr=5e-3, precision="bf16")
    run.train()
    assert run.epochs[-1]["loss"] < run.epochs[0]["loss"] / 1.5
    assert all(parameter.dtype == torch.float32 for parameter in run.model.parameters())


def test_the_log_says_what_was_run_and_how_it_went(tmp_path):
    run = toy_run(tmp_path, evaluate_every=3, seed=7)
    run.train()
    log = json.loads((tmp_path / "log.json").read_text())
    assert set(log) == {"config", "recipe", "data", "epochs", "losses"}
    assert log["config"]["attention"] == "focused_dwc" and log["config"]["dim"] == 16
    assert log["recipe"]["seed"] == 7 and log["recipe"]["epochs"] == 4
    assert log["data"] == {"training_images": 24}
    assert [e["epoch"] for e in log["epochs"]] == [1, 2, 3, 4]
    assert ["accuracy" in e for e in log["epochs"]] == [False, False, True, False]
    assert log["epochs"][2]["accuracy"] == run.epochs[2]["accuracy"]
    for number, entry in enumerate(log["epochs"]):
        assert entry["loss"] == pytest.approx(sum(log["losses"][3 * number : 3 * number + 3]) / 3, rel=1e-12)
    assert log["epochs"][0]["seconds"] <= log["epochs"][3]["seconds"] <= run.seconds + 0.1


def test_evaluate_every_counts_from_1(tmp_path):
    with pytest.raises(ValueError, match="evaluate_every counts epochs from 1, got 0"):
        toy_run(tmp_path, evaluate_every=0)


def test_a_library_does_not_print(tmp_path, capfd):
    toy_run(tmp_path).train()
    assert capfd.readouterr() == ("", "")


def test_shown_it_says_a_line_an_epoch(tmp_path, capfd):
    run = toy_run(tmp_path)
    run.train(show=True)
    lines = capfd.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == [f"epoch {number}" for number in (1, 2, 3, 4)]
    assert f"accuracy {run.epochs[3]['accuracy']:.6g}" in lines[3]


def test_the_time_of_all_parts_is_counted_once(tmp_path, monkeypatch):
    """The clock stands still, but for a second a step, and 100 while the accuracy is measured."""
    clock = [0.0]
    monkeypatch.setattr(loop.time, "perf_counter", lambda: clock[0])

    def tick(seconds):
        clock[0] += seconds

    def measure(*_):
        tick(100)
        if len(run.epochs) == 2:
            raise KeyboardInterrupt
        return 1.0

    def start():
        run = toy_run(tmp_path)
        one_step = run._one_step
        run._one_step = lambda *given: (tick(1), one_step(*given))[1]
        return run

    with monkeypatch.context() as patch:
        patch.setattr(loop, "accuracy", measure)
        run = start()
        with pytest.raises(KeyboardInterrupt):
            run.train()
    run = start()
    run.train()
    assert run.seconds == STEPS


def test_processes_that_see_different_folders_are_told(tmp_path):
    toy_run(tmp_path, epochs=1).train()
    with pytest.raises(ValueError, match="the processes found different checkpoints: each of them has to see the same"):
        toy_run(tmp_path, epochs=1, world=Apart(0, 2))


class Always(torch.nn.Module):
    """Gives each image the same class."""

    def __init__(self, label):
        super().__init__()
        self.scores = torch.nn.Parameter(torch.eye(4)[label])

    def forward(self, x):
        assert not self.training
        return self.scores.expand(len(x), 4)


def labelled(*labels):
    count = len(labels)
    return ImageArray(torch.zeros(count, 3, 28, 28, dtype=torch.uint8), torch.tensor(labels), "abcd", 28)


def test_accuracy_is_the_exact_share():
    images = labelled(*[1] * 7, *[0] * 3)
    assert (
        accuracy(Always(1), images) == 0.7 and accuracy(Always(0), images) == 0.3 and accuracy(Always(2), images) == 0
    )


@given(st.lists(st.integers(0, 3), min_size=1, max_size=9), st.integers(1, 12))
def test_processes_share_an_evaluation_whatever_the_numbers(labels, size):
    images = labelled(*labels)
    shares = [accuracy(Always(2), images, Apart(rank, size)) for rank in range(size)]
    assert math.fsum(shares) == pytest.approx(accuracy(Always(2), images), abs=1e-12)


def test_predictions_come_in_the_order_asked_for_and_leave_the_mode_alone():
    model = Always(3).train()
    given, labels = predictions(model, labelled(0, 1, 2, 3), torch.tensor([2, 0, 3]), batch_size=2)
    assert given.tolist() == [3, 3, 3] and labels.tolist() == [2, 0, 3]
    assert model.training


def test_a_run_leaves_the_model_s_start_to_its_seed(tmp_path):
    torch.manual_seed(1)
    one = toy_run(tmp_path / "1", seed=5)
    state = torch.get_rng_state()
    other = toy_run(tmp_path / "2", seed=5)
    assert torch.get_rng_state().equal(state)
    assert one.model.head.weight.equal(other.model.head.weight)
    assert not one.model.head.weight.equal(toy_run(tmp_path / "3", seed=6).model.head.weight)


def test_a_recipe_for_more_images_than_there_are(tmp_path):
    with pytest.raises(ValueError, match="24 training images do not fill a batch of 32"):
        toy_run(tmp_path / "run", batch_size=32)
    assert not (tmp_path / "run").exists()
    run = toy_run(tmp_path / "run", limit=1000)
    run.train()
    assert write_card(run, "toy", "colours", "")["training_images"] == 24
