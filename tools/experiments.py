"""Run the book's experiments, one after another or side by side, and collect what is finished: make experiments.

Each run is one command of `python -m flatten_edu` in a folder of its own. Stopped at any time, the same call goes on:
what is finished is not run again. The record of all finished runs goes into flatten_edu/results. The weights that the
library ships are replaced only with --ship.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "flatten_edu" / "results"
SEEDS = (0, 1, 2)
LEARNING_RATES = (1e-3, 4e-3)  # beside the 2e-3 of all other runs


@dataclass(frozen=True)
class Job:
    """One run: its folder's name, and the words of its command after `python -m flatten_edu`."""

    name: str
    words: tuple[str, ...]


def recall_jobs() -> Iterator[Job]:
    """What tells most comes first: every prefix of this list is an experiment that can be read."""
    plain = [("scaled_softmax", 3), ("focused", 1), ("focused", 3)]
    for seed in SEEDS:
        for heads in (4, 1):
            yield from (recall_job(kind, p, heads, seed) for kind, p in plain)
    for seed in SEEDS:  # does p = 1 lack contrast alone?
        yield from (recall_job("focused", p, 4, seed, "--output-norm") for p in (1, 3))
    for p in (2, 8):
        yield from (recall_job("focused", p, heads, seed) for seed in SEEDS for heads in (4, 1))
    convolved = [("dwc", 3), ("scaled_softmax_dwc", 3), *(("focused_dwc", p) for p in (3, 1, 2, 8))]
    for kind, p in convolved:
        yield from (recall_job(kind, p, heads, seed) for seed in SEEDS for heads in (4, 1))
    for seed in SEEDS:
        for lr in LEARNING_RATES:
            yield from (recall_job(kind, p, 4, seed, f"--lr {lr:g}") for kind, p in [*plain, ("focused", 8)])


def recall_job(kind: str, p: int, heads: int, seed: int, more: str = "") -> Job:
    """A run of `python -m flatten_edu recall`, with more options where they differ from the command's own."""
    words = f"recall --attention {kind} --heads {heads} --seed {seed} {more}"
    name = f"recall_{kind}_p{p}_h{heads}_seed{seed}{more.replace('--', '_').replace(' ', '')}"
    if kind.startswith("focused"):
        words = f"{words} --p {p}"
    else:
        name = name.replace(f"_p{p}", "")
    return Job(name, tuple(words.split()))


EXPERIMENTS: dict[str, Callable[[], Iterator[Job]]] = {"recall": recall_jobs}


def is_finished(folder: Path) -> bool:
    """Whether a run has written its record, which comes last."""
    return (folder / "recall.json").exists()


def run_all(jobs: list[Job], folder: Path, side_by_side: int, threads: int) -> None:
    """Run what is not finished, so many at a time, behind everything else that the machine has to do."""
    waiting, running = [job for job in jobs if not is_finished(folder / job.name)], {}
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    os.nice(19)
    while waiting or running:
        while waiting and len(running) < side_by_side:
            job = waiting.pop(0)
            out = folder / job.name
            out.mkdir(parents=True, exist_ok=True)
            command = [sys.executable, "-m", "flatten_edu", *job.words, "--out", str(out)]
            with (out / "output.txt").open("a") as log:
                running[job.name] = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
            print(f"{time.strftime('%H:%M:%S')} started {job.name}", flush=True)
        time.sleep(2)
        for name in [name for name, process in running.items() if process.poll() is not None]:
            print(f"{time.strftime('%H:%M:%S')} {name} ended with {running.pop(name).returncode}", flush=True)


def collect_recall(folder: Path) -> None:
    """Write the finished runs of `recall` into the repository, rounded, with the mean loss of each 50 steps."""
    runs = []
    for job in recall_jobs():
        if is_finished(folder / job.name):
            run = json.loads((folder / job.name / "recall.json").read_text())
            losses = run.pop("losses")
            run["losses"] = [sum(losses[i : i + 50]) / len(losses[i : i + 50]) for i in range(0, len(losses), 50)]
            runs.append(rounded(run))
    lines = ",\n ".join(json.dumps(run) for run in runs)  # a line a run, so that a change of one is seen as one
    (RESULTS / "recall.json").write_text(f'{{"runs": [\n {lines}\n]}}\n')
    print(f"{len(runs)} runs in {(RESULTS / 'recall.json').relative_to(ROOT)}")


def rounded(value: object) -> object:
    """Numbers with five digits, wherever they stand."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    return [rounded(part) for part in value] if isinstance(value, list) else value


def main() -> None:
    """Run what is not finished, then collect."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=ROOT / "_build" / "experiments", help="where runs are kept")
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side")
    parser.add_argument("--threads", type=int, default=1, help="of each run")
    parser.add_argument("--collect", action="store_true", help="only collect what is finished")
    given = parser.parse_args()
    folder = given.runs.resolve()  # the runs start in the repository, wherever this started
    if not given.collect:
        run_all([job for jobs in EXPERIMENTS.values() for job in jobs()], folder, given.jobs, given.threads)
    collect_recall(folder)


if __name__ == "__main__":
    main()
