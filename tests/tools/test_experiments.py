"""The queue of experiments: every command parses, nothing runs twice, and what is finished gets into the results."""

import json
import shutil
import sys
from dataclasses import asdict

import numpy as np
import pytest
from safetensors.torch import save_file

from flatten_edu.__main__ import parser
from flatten_edu.experiments import RecallModel, RecallSettings
from flatten_edu.nn import ATTENTIONS
from tools import experiments
from tools.experiments import CIFAR, RATES, jobs, record, search, trained


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository of the test's own."""
    for name in ("results", "weights"):
        folder = tmp_path / "flatten_edu" / name
        folder.mkdir(parents=True)
        monkeypatch.setattr(experiments, name.upper(), folder)
    (tmp_path / "flatten_edu" / "weights" / "old.json").write_text("{}")
    experiments.collected.cache_clear()
    yield tmp_path
    experiments.collected.cache_clear()


def finish(runs, one, accuracy=0.5):
    """What a finished run leaves in its folder."""
    out = runs / one.name
    out.mkdir(parents=True)
    if one.words[0] == "recall":
        settings = RecallSettings(one.words[-1])
        found = {"losses": [1.0] * 50 + [1 / 3] * 20, "tests": {"4": {"rank": [float("nan")]}}}
        (out / "recall.json").write_text(json.dumps(asdict(settings) | found))
        save_file(RecallModel(settings).state_dict(), out / "recall.safetensors")
        return
    card = {"config": {"attention": "none", "p": 3}, "recipe": {}, "accuracy": accuracy, "seconds": 12.345678}
    (out / f"{one.name}.json").write_text(json.dumps(card))
    (out / f"{one.name}.safetensors").write_bytes(one.name.encode())
    (out / "log.json").write_text(json.dumps({"epochs": [{"loss": 2.0}]}))
    np.save(out / "right.npy", np.packbits([True, False]))


def finish_searches(runs):
    for kind in CIFAR:
        for rate in RATES:
            finish(runs, search(kind, rate), accuracy=float(rate) * (2 if kind == ("none", 3) else -2))


def test_every_command_parses_and_has_a_folder_of_its_own(repository, tmp_path):
    finish_searches(tmp_path)
    found = list(jobs(tmp_path))
    assert len({one.name for one in found}) == len({one.words for one in found}) == len(found) > 100
    for one in found:
        given = parser().parse_args([*one.words, "--out", "somewhere"])
        assert given.attention in ATTENTIONS
    kinds = {(given.attention, given.p) for given in (parser().parse_args([*o.words, "--out", "x"]) for o in found)}
    assert {("focused", 1), ("focused_dwc", 3), ("dwc", 3)} <= {(kind, p or 3) for kind, p in kinds}


def test_a_kind_is_trained_with_the_learning_rate_that_its_search_chose(repository, tmp_path):
    assert not list(trained(tmp_path, seed=0))
    finish_searches(tmp_path)
    found = {one.name: one.words for one in trained(tmp_path, seed=0)}
    assert len(found) == len(CIFAR) == 8
    assert {
        name: words[words.index("--lr") + 1] for name, words in found.items() if "none" in name or "dwc_p3" in name
    } == {
        "cifar10_none_seed0": "0.002",
        "cifar10_focused_dwc_p3_seed0": "0.0005",
    }


def test_what_is_finished_is_not_run_again_and_a_search_adds_to_the_list(repository, tmp_path, monkeypatch):
    """A run here is a process that finishes a job at once."""
    started = []
    every = [search(kind, rate) for kind in CIFAR[:1] for rate in RATES]
    monkeypatch.setattr(experiments, "jobs", lambda runs: iter([*every, *trained(runs, seed=0)]))
    monkeypatch.setattr(experiments.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(experiments.os, "nice", lambda by: None)

    class Process:
        returncode = 0

        def __init__(self, command, **options):
            assert command[:3] == [sys.executable, "-m", "flatten_edu"] and options["env"]["OMP_NUM_THREADS"] == "1"
            out = tmp_path / command[-1].rpartition("/")[2]
            (out / "output.txt").unlink()
            out.rmdir()
            started.append(out.name)
            finish(tmp_path, next(one for one in experiments.jobs(tmp_path) if one.name == out.name))

        def poll(self):
            return 0

    monkeypatch.setattr(experiments.subprocess, "Popen", Process)
    finish(tmp_path, every[0])
    experiments.run_all(tmp_path, side_by_side=2, threads=1, data="cifar10")
    assert started == [every[1].name, every[2].name, "cifar10_focused_p3_seed0"]


def test_a_run_that_fails_is_tried_once(tmp_path, monkeypatch):
    one = next(jobs(tmp_path))
    monkeypatch.setattr(experiments, "jobs", lambda runs: iter([one]))
    monkeypatch.setattr(experiments.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(experiments.os, "nice", lambda by: None)
    monkeypatch.setattr(experiments.sys, "executable", "false")
    experiments.run_all(tmp_path, side_by_side=1, threads=1, data="cifar10")
    assert record(tmp_path / one.name) is None


def test_collecting_writes_a_line_a_run_and_no_nan(repository):
    runs = repository / "runs"
    finish(runs, next(jobs(runs)))
    finish_searches(runs)
    finish(runs, next(trained(runs, seed=0)))
    experiments.collect(runs)
    recall, cifar = (
        json.loads((repository / "flatten_edu" / "results" / f"{n}.json").read_text())["runs"]
        for n in ("recall", "cifar10")
    )
    assert len(recall) == 1 and recall[0]["losses"] == [1.0, 0.33333] and recall[0]["tests"] == {"4": {"rank": [None]}}
    assert len(recall[0]["own_share"]) == 2 and (runs / "recall_scaled_softmax_h4_seed0" / "inside.json").exists()
    assert len(cifar) == 25 and cifar[-1]["seconds"] == 12.346
    assert [run.get("right") for run in cifar] == [None] * 24 + ["gA=="]  # 1000 0000


def test_what_was_collected_stays_and_is_not_run_again_where_the_folders_are_gone(repository):
    runs = repository / "runs"
    first, second = [one for one in jobs(runs) if "recall_scaled_softmax_h" in one.name][:2]
    finish(runs, first)
    finish_searches(runs)
    experiments.collect(runs)
    kept = experiments.collected()
    shutil.rmtree(runs)
    assert len(list(trained(runs, seed=0))) == 8  # the searches are known still
    finish(runs, second)
    experiments.collect(runs)
    assert experiments.collected() == kept | {second.name: experiments.collected()[second.name]}
    assert experiments.known(runs, first.name) and experiments.known(runs, second.name)
    assert not experiments.known(runs, "recall_focused_p3_h4_seed0")


def test_finished_models_are_kept_and_others_go_with_a_word_that_says_so(repository):
    runs, weights = repository / "runs", repository / "flatten_edu" / "weights"
    (weights / "old.safetensors").write_bytes(b"")
    finish_searches(runs)
    some = list(trained(runs, seed=0))
    for one in some[:-1]:
        finish(runs, one)
    experiments.collect(runs)
    experiments.keep_models(runs)
    with pytest.raises(SystemExit, match="needs all 8 models of seed 0 to be finished, and 7 are"):
        experiments.ship(runs)
    assert len(list(weights.iterdir())) == 16 and (weights / "old.json").exists()
    shutil.rmtree(runs)  # what was kept counts
    finish(runs, some[-1])
    experiments.keep_models(runs)
    experiments.ship(runs)
    assert len(list(weights.iterdir())) == 16 and not (weights / "old.json").exists()
