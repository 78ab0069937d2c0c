"""Run the book's experiments, one after another or side by side, and collect what is finished: make experiments.

Each run is one command of `python -m flatten_edu` in a folder of its own. Stopped at any time, the same call goes on:
what is finished is not run again. The record of all finished runs goes into flatten_edu/results, and the comparison's
finished models into flatten_edu/weights. Other models there are taken out only with --ship.
"""

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import numpy as np
from safetensors.torch import load_file

from flatten_edu.experiments import RecallModel, RecallSettings, inside_recall

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "flatten_edu" / "results"
WEIGHTS = ROOT / "flatten_edu" / "weights"
SEEDS = (0, 1, 2)
Kind = tuple[str, int]  # an attention, and its p where it has one

RECALL: tuple[Kind, ...] = (("scaled_softmax", 3), ("focused", 1), ("focused", 3))
CIFAR: tuple[Kind, ...] = tuple(
    (kind + convolution, p)
    for kind, p in (("focused", 3), ("focused", 1), ("scaled_softmax", 3), ("none", 3))
    for convolution in ("", "_dwc")
)
RATES = ("0.0005", "0.001", "0.002")  # tried for each of CIFAR's kinds
COLLECTED = ("recall", "cifar10")  # the results' files
INSIDE = "inside.json"  # in a run's folder: what `inside_recall` found, which is not measured twice
FAST = "--precision bf16 --compile"  # one thread takes 1.6 times as many images a second so, for each kind alike
SEARCH = f"--epochs 3 --limit 10000 --hold-out 5000 --evaluate-every 3 {FAST}"


@dataclass(frozen=True)
class Job:
    """One run: its folder's name, and the words of its command after `python -m flatten_edu`."""

    name: str
    words: tuple[str, ...]


def jobs(runs: Path) -> Iterator[Job]:
    """What tells most comes first. Runs whose learning rate is not known yet are left out."""
    for seed in SEEDS:
        yield from (recall(kind, heads, seed) for heads in (4, 1) for kind in RECALL)
    for seed in SEEDS:  # does p = 1 lack contrast alone?
        yield from (recall(kind, heads, seed, "--output-norm") for heads in (4, 1) for kind in RECALL[1:])
    for more in ("--depth 1", "--depth 1 --output-norm"):  # and where no second block can help?
        yield from (recall(kind, 4, seed, more) for seed in SEEDS for kind in RECALL[1:])
    for kind in (("dwc", 3), ("focused_dwc", 3), ("focused_dwc", 1), ("scaled_softmax_dwc", 3)):
        yield from (recall(kind, heads, seed) for seed in SEEDS for heads in (4, 1))
    yield from (search(kind, rate) for kind in CIFAR for rate in RATES)
    yield from trained(runs, seed=0)
    yield from trained(runs, seed=1)
    for kind in (("focused", 2), ("focused", 8)):
        yield from (recall(kind, heads, seed) for seed in SEEDS for heads in (4, 1))
    for rate in ("0.001", "0.004"):
        yield from (recall(kind, 4, seed, f"--lr {rate}") for seed in SEEDS for kind in RECALL)
    # Attention alone knows nothing of neighbours: for it another order of the patches is another seed.
    yield from (one for one in trained(runs, seed=0, more="--permute-patches 0") if "dwc" in one.name)
    for kind in (("focused_dwc", 2), ("focused_dwc", 8)):
        yield from (recall(kind, heads, seed) for seed in SEEDS for heads in (4, 1))


def recall(kind: Kind, heads: int, seed: int, more: str = "") -> Job:
    """A run of `python -m flatten_edu recall`, with more options where they differ from the command's own."""
    return job("recall", kind, f"_h{heads}_seed{seed}{as_name(more)}", f"recall --heads {heads} --seed {seed} {more}")


def search(kind: Kind, rate: str) -> Job:
    """A short training on a fifth of the images, tested on other training images: which learning rate suits a kind?"""
    return job("search", kind, f"_lr{rate}", f"train --lr {rate} {SEARCH}")


def trained(runs: Path, seed: int, more: str = "") -> Iterator[Job]:
    """The models of the comparison on CIFAR-10, each kind with the learning rate that its search chose."""
    for kind in CIFAR:
        found = {rate: known(runs, search(kind, rate).name) for rate in RATES}
        if all(found.values()):
            best = max(RATES, key=lambda rate: found[rate]["accuracy"])
            words = f"train --epochs 10 --evaluate-every 10 {FAST} --lr {best} --seed {seed} {more}"
            one = job("cifar10", kind, f"_seed{seed}{as_name(more)}", words)
            yield Job(one.name, (*one.words, "--name", one.name))


def job(experiment: str, kind: Kind, end: str, words: str) -> Job:
    """A command for an attention of that kind, in a folder whose name says how."""
    attention, p = kind
    attention = {"none_dwc": "dwc"}.get(attention, attention)
    if not attention.startswith("focused"):
        return Job(f"{experiment}_{attention}{end}", tuple(f"{words} --attention {attention}".split()))
    return Job(f"{experiment}_{attention}_p{p}{end}", tuple(f"{words} --attention {attention} --p {p}".split()))


def as_name(options: str) -> str:
    """ "--lr 0.001" as "_lr0.001"."""
    return options.replace("--", "_").replace(" ", "")


def record(folder: Path) -> dict | None:
    """What a run wrote last; None where it is not finished."""
    found = [path for path in folder.glob("*.json") if path.name not in ("log.json", INSIDE)]
    return json.loads(found[0].read_text()) if found else None


def known(runs: Path, name: str) -> dict | None:
    """The record of a run: its own, or what the results hold of it where its folder is gone."""
    return record(runs / name) or collected().get(name)


@cache
def collected() -> dict[str, dict]:
    """What the results hold already, by the runs' names; read once, and again after `collect` wrote them."""
    paths = [RESULTS / f"{name}.json" for name in COLLECTED]
    every = [run for path in paths if path.exists() for run in json.loads(path.read_text())["runs"]]
    return {run["name"]: run for run in every}


def run_all(runs: Path, side_by_side: int, threads: int, data: str) -> None:
    """Run what is not finished, so many at a time, behind everything else that the machine has to do."""
    os.nice(19)
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    running: dict[str, subprocess.Popen] = {}
    tried: set[str] = set()
    while True:
        for name in [name for name, process in running.items() if process.poll() is not None]:
            say(f"{name} ended with {running.pop(name).returncode}")
        # Listed anew each time: a search that is finished adds to the list.
        waiting = [one for one in jobs(runs) if one.name not in tried and known(runs, one.name) is None]
        if not (waiting or running):
            return
        for one in waiting[: side_by_side - len(running)]:
            out = runs / one.name
            out.mkdir(parents=True, exist_ok=True)
            source = ["--data", data] if one.words[0] == "train" else []
            command = [sys.executable, "-m", "flatten_edu", *one.words, *source, "--out", str(out)]
            with (out / "output.txt").open("a") as log:
                running[one.name] = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
            tried.add(one.name)
            say(f"started {one.name}")
        time.sleep(5)


def say(what: str) -> None:
    """With the time of day."""
    print(f"{time.strftime('%H:%M:%S')} {what}", flush=True)


def collect(runs: Path) -> None:
    """Write what is finished into the repository: a line a run, numbers with five digits. What was there stays."""
    found: dict[str, list[dict]] = {name: [] for name in COLLECTED}
    before = collected()
    for one in jobs(runs):
        run = entry(runs / one.name, one) or before.get(one.name)
        if run:
            found["recall" if one.words[0] == "recall" else "cifar10"].append(run)
    for name, some in found.items():
        if not some:
            continue
        lines = ",\n ".join(json.dumps(rounded(run)) for run in some)
        (RESULTS / f"{name}.json").write_text(f'{{"runs": [\n {lines}\n]}}\n')
        print(f"{len(some)} runs in {name}.json")
    collected.cache_clear()


def entry(folder: Path, one: Job) -> dict | None:
    """A run's line in the results; None where its folder holds no record."""
    run = record(folder)
    if run is None:
        return None
    if one.words[0] != "recall":
        return {"name": one.name, **of_card(run, folder, searched=one.name.startswith("search"))}
    losses = run.pop("losses")
    mean = [sum(losses[i : i + 50]) / len(losses[i : i + 50]) for i in range(0, len(losses), 50)]
    return {"name": one.name, **run, **inside(folder, run), "losses": mean}


def inside(folder: Path, run: dict) -> dict[str, object]:
    """What `inside_recall` finds in a run's model."""
    if not (folder / INSIDE).exists():
        model = RecallModel(RecallSettings(**{field.name: run[field.name] for field in fields(RecallSettings)}))
        model.load_state_dict(load_file(folder / "recall.safetensors"))
        (folder / INSIDE).write_text(json.dumps(inside_recall(model)))
    return json.loads((folder / INSIDE).read_text())


def of_card(card: dict, folder: Path, searched: bool) -> dict[str, object]:
    """What the book needs of a run on CIFAR-10; `right` has a bit for each test image, in base64."""
    log = json.loads((folder / "log.json").read_text())
    right = base64.b64encode(np.load(folder / "right.npy").tobytes()).decode()
    kept = ("recipe", "parameters", "live_parameters", "training_images", "test_images", "accuracy")
    kept += ("hold_out", "permute_patches", "device", "threads", "seconds", "versions")
    return {
        "attention": card["config"]["attention"],
        "p": card["config"]["p"],
        **{name: card[name] for name in kept if name in card},
        "losses": [epoch["loss"] for epoch in log["epochs"]],
        **({} if searched else {"right": right}),
    }


def rounded(value: object) -> object:
    """Numbers with five digits wherever they stand; null for what is no number."""
    if isinstance(value, float):
        return float(f"{value:.5g}") if value == value else None
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    return [rounded(part) for part in value] if isinstance(value, list) else value


def keep_models(runs: Path) -> None:
    """Copy the comparison's models of seed 0 that are finished into the library, beside what is there."""
    for one in trained(runs, seed=0):
        if record(runs / one.name):
            for end in (".safetensors", ".json"):
                shutil.copy(runs / one.name / f"{one.name}{end}", WEIGHTS)


def ship(runs: Path) -> None:
    """Take all other models out of the library, once the comparison's models of seed 0 are all in it."""
    wanted = {one.name for one in trained(runs, seed=0)}
    there = wanted & {path.stem for path in WEIGHTS.glob("*.safetensors")}
    if len(there) < len(CIFAR):
        raise SystemExit(f"--ship needs all {len(CIFAR)} models of seed 0 to be finished, and {len(there)} are")
    for path in WEIGHTS.iterdir():
        if path.stem not in wanted:
            path.unlink()


def main() -> None:
    """Run what is not finished, then collect."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=ROOT / "_build" / "experiments", help="where runs are kept")
    parser.add_argument("--data", default="cifar10", help="cifar10, or cifar10:FOLDER")
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side")
    parser.add_argument("--threads", type=int, default=1, help="of each run")
    parser.add_argument("--list", action="store_true", help="only say what is finished and what is to come")
    parser.add_argument("--collect", action="store_true", help="only collect what is finished")
    parser.add_argument("--ship", action="store_true", help="leave the library with the comparison's models alone")
    given = parser.parse_args()
    runs = given.runs.resolve()  # the runs start in the repository, wherever this started
    if given.list:
        for one in jobs(runs):
            print("finished" if known(runs, one.name) else "to come ", one.name, "python -m flatten_edu", *one.words)
        return
    if not (given.collect or given.ship):
        run_all(runs, given.jobs, given.threads, given.data)
    collect(runs)
    keep_models(runs)
    if given.ship:
        ship(runs)


if __name__ == "__main__":
    main()
