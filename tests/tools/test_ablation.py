"""The ablation: which runs in which order, what counts as finished, and what gets into the repository."""

import json
import sys

import pytest

from flatten_edu.nn import ATTENTIONS
from tools import ablation


@pytest.fixture(autouse=True)
def repository(tmp_path, monkeypatch):
    """A repository of the test's own."""
    root = tmp_path / "repository"
    monkeypatch.setattr(ablation, "ROOT", root)
    monkeypatch.setattr(ablation, "WEIGHTS", root / "flatten_edu" / "weights")
    monkeypatch.setattr(ablation, "RESULTS", root / "flatten_edu" / "results" / "ablation.json")
    (root / "flatten_edu").mkdir(parents=True)
    return root


def finish(folder, kind, p, seed, name=None, epochs=2):
    """What a finished run leaves in its folder."""
    out = folder / f"{kind}_p{p}_seed{seed}"
    out.mkdir(parents=True, exist_ok=True)
    name = name or f"deit_{kind}_p{p}_seed{seed}"
    card = {
        "name": name,
        "config": {"attention": kind, "p": p, "dim": 64},
        "recipe": {"epochs": epochs, "seed": seed},
        "parameters": 1000 + len(kind),
        "accuracy": 0.5 + seed / 100,
        "seconds": 12.5,
        **dict.fromkeys(("data", "training_images", "test_images", "device", "bf16", "versions"), "shared"),
    }
    losses = [{"epoch": i + 1, "loss": 1 / 3 + i, "seconds": 1.0} for i in range(epochs)]
    (out / f"{name}.json").write_text(json.dumps(card))
    (out / f"{name}.safetensors").write_bytes(f"weights of {name}".encode())
    (out / "log.json").write_text(json.dumps({"epochs": losses}))
    return out


def test_commands_take_all_variants_of_a_seed_then_the_next(tmp_path):
    found = ablation.commands(tmp_path, 2, ["--epochs", "5"])
    assert len(found) == 2 * len(ablation.VARIANTS) == 26
    folders = [path.name for path in found]
    first = ["softmax", "linear", "focused_without_dwc", "focused", "dwc_only"]
    assert folders[:5] == [f"{kind}_p3_seed0" for kind in first]
    assert folders[13:] == [name.replace("seed0", "seed1") for name in folders[:13]]
    start, options = found[tmp_path / "focused_p8_seed1"][:3], found[tmp_path / "focused_p8_seed1"][3:]
    assert start == [sys.executable, "-m", "flatten_edu"]
    assert " ".join(options) == f"train --attention focused --p 8 --seed 1 --out {tmp_path}/focused_p8_seed1 --epochs 5"
    assert {kind for kind, _ in ablation.VARIANTS} <= set(ATTENTIONS)


def test_only_so_many_variants(tmp_path):
    assert [path.name for path in ablation.commands(tmp_path, 2, [], only=2)] == [
        "softmax_p3_seed0",
        "linear_p3_seed0",
        "softmax_p3_seed1",
        "linear_p3_seed1",
    ]


def test_a_run_is_finished_when_its_card_is_there(tmp_path):
    assert not ablation.is_finished(tmp_path / "none")
    for name in ("log.json", "checkpoint.pt", "a.safetensors", "a.json.part"):
        (tmp_path / name).touch()
        assert not ablation.is_finished(tmp_path), name
    (tmp_path / "a.json").touch()
    assert ablation.is_finished(tmp_path)


def test_what_is_finished_gets_into_the_repository_sorted(tmp_path, repository, capsys):
    runs = [("focused", 8, 0), ("focused", 3, 1), ("softmax", 3, 1), ("dwc_only", 3, 0), ("focused", 3, 0)]
    for run in runs:
        finish(tmp_path / "runs", *run)
    (tmp_path / "runs" / "linear_p3_seed0").mkdir()  # it has begun
    (tmp_path / "runs" / "linear_p3_seed0" / "log.json").write_text("{}")
    ablation.collect(tmp_path / "runs")
    assert capsys.readouterr().out == "5 runs in flatten_edu/results/ablation.json\n"
    result = json.loads((repository / "flatten_edu" / "results" / "ablation.json").read_text())
    assert [(run["attention"], run["p"], run["seed"]) for run in result["runs"]] == [
        ("softmax", 3, 1),
        ("focused", 3, 0),
        ("focused", 3, 1),
        ("dwc_only", 3, 0),
        ("focused", 8, 0),
    ]
    assert result["runs"][0]["losses"] == [0.33333, 1.33333]
    assert (result["runs"][0]["accuracy"], result["runs"][0]["parameters"]) == (0.51, 1007)
    assert result["recipe"] == {"epochs": 2} and result["model"] == {"dim": 64} and result["data"] == "shared"


def test_only_the_first_seed_s_weights_are_kept(tmp_path, repository):
    finish(tmp_path, "focused", 3, 0, "first")
    finish(tmp_path, "focused", 3, 1, "second")
    ablation.collect(tmp_path)
    kept = repository / "flatten_edu" / "weights"
    assert {path.name for path in kept.iterdir()} == {"first.json", "first.safetensors"}
    assert (kept / "first.safetensors").read_bytes() == b"weights of first"


def test_where_nothing_is_finished_it_says_so_and_leaves_all(tmp_path, repository):
    with pytest.raises(SystemExit, match=r"no run in .*/runs is finished"):
        ablation.collect(tmp_path / "runs")
    assert not list(repository.rglob("*.json"))


@pytest.fixture
def started(monkeypatch):
    """Record what is started instead of starting it; each process ends at the second look, as its folder says."""
    found = []

    class Process:
        def __init__(self, command, cwd, env, stdout, stderr):
            self.command, self.env, self.looks, self.returncode = command, env, 0, None
            self.beside = 1 + sum(other.returncode is None for other in found)
            found.append(self)

        def poll(self):
            self.looks += 1
            self.returncode = int("linear" in self.command) if self.looks > 1 else None
            return self.returncode

    monkeypatch.setattr(ablation.subprocess, "Popen", Process)
    monkeypatch.setattr(ablation.time, "sleep", lambda seconds: None)
    return found


def main(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["ablation.py", *map(str, arguments)])
    ablation.main()


def test_what_is_finished_is_not_run_again(tmp_path, monkeypatch, started, capsys):
    finish(tmp_path, "softmax", 3, 0)
    main(monkeypatch, "--runs", tmp_path, "--seeds", 1, "--only", 4, "--jobs", 2, "--threads", 3, "--epochs", 7)
    kinds = [process.command[process.command.index("--attention") + 1] for process in started]
    assert kinds == ["linear", "focused_without_dwc", "focused"]
    assert all(process.command[-2:] == ["--epochs", "7"] for process in started)
    assert all(process.env["OMP_NUM_THREADS"] == "3" for process in started)
    assert [process.beside for process in started] == [1, 2, 1]
    lines = capsys.readouterr().out.splitlines()
    assert "linear_p3_seed0 ended with 1" in lines and lines[-1] == "1 runs in flatten_edu/results/ablation.json"


def test_collect_takes_all_that_is_finished_and_runs_nothing(tmp_path, monkeypatch, started, capsys):
    finish(tmp_path, "focused", 32, 0)
    main(monkeypatch, "--runs", tmp_path, "--only", 2, "--collect")
    assert started == [] and capsys.readouterr().out == "1 runs in flatten_edu/results/ablation.json\n"


def test_a_folder_is_the_same_for_the_runs_wherever_it_was_named(tmp_path, monkeypatch, started):
    monkeypatch.chdir(tmp_path)
    finish(tmp_path / "runs", "linear", 3, 0)
    main(monkeypatch, "--runs", "runs", "--seeds", 1, "--only", 1)
    (process,) = started
    assert process.command[process.command.index("--out") + 1] == str(tmp_path / "runs" / "softmax_p3_seed0")


def test_an_option_of_a_run_is_not_taken_for_a_short_one_of_the_ablation(tmp_path, monkeypatch, started):
    finish(tmp_path, "linear", 3, 0)
    main(monkeypatch, "--runs", tmp_path, "--seeds", 1, "--only", 1, "--seed", 9)
    assert started[0].command[-2:] == ["--seed", "9"]


def test_help_names_the_target(monkeypatch, capsys):
    with pytest.raises(SystemExit, match="0"):
        main(monkeypatch, "--help")
    assert "make ablation" in capsys.readouterr().out
