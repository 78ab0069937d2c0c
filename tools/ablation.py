"""Train the models of the ablation, one after another or side by side: make ablation.

Each run is `python -m flatten_edu train` in a folder of its own, and goes on where it was stopped. What is finished
goes into flatten_edu/results/ablation.json; of each variant the weights of seed 0 go into flatten_edu/weights.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
WEIGHTS = ROOT / "flatten_edu" / "weights"
RESULTS = ROOT / "flatten_edu" / "results" / "ablation.json"
# In this order: the five of the paper's table 4 and of "what does the convolution do alone?", its rivals, other p.
VARIANTS: list[tuple[str, float]] = [
    *((kind, 3) for kind in ("softmax", "linear", "focused_without_dwc", "focused", "dwc_only")),
    *((kind, 3) for kind in ("hydra", "efficient", "angular", "enhanced")),
    *(("focused", p) for p in (2, 4, 8, 32)),
]


def commands(folder: Path, seeds: int, options: list[str], only: int | None = None) -> dict[Path, list[str]]:
    """The command line of each run by its folder: all variants, or so many, of a seed, then those of the next."""
    found = {}
    for seed in range(seeds):
        for kind, p in VARIANTS[:only]:
            out = folder / f"{kind}_p{p}_seed{seed}"
            words = ["--attention", kind, "--p", str(p), "--seed", str(seed), "--out", str(out)]
            found[out] = [sys.executable, "-m", "flatten_edu", "train", *words, *options]
    return found


def is_finished(out: Path) -> bool:
    """Whether a run has written its card."""
    return any(path.name != "log.json" for path in out.glob("*.json"))


def run_all(todo: dict[Path, list[str]], jobs: int, threads: int) -> None:
    """Run the commands, `jobs` at a time, each with so many threads."""
    waiting, running = list(todo.items()), {}
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    while waiting or running:
        while waiting and len(running) < jobs:
            out, command = waiting.pop(0)
            out.mkdir(parents=True, exist_ok=True)
            with (out / "output.txt").open("a") as log:
                running[out] = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
            print(f"started {out.name}", flush=True)
        time.sleep(2)
        for out in [out for out, process in running.items() if process.poll() is not None]:
            print(f"{out.name} ended with {running.pop(out).returncode}", flush=True)


def collect(folder: Path) -> None:
    """Write what is finished into the repository."""
    cards = {}
    for path in sorted(folder.glob("*/*.json")):
        if path.name != "log.json":
            cards[path] = json.loads(path.read_text())
    if not cards:
        raise SystemExit(f"no run in {folder} is finished")
    WEIGHTS.mkdir(exist_ok=True)
    for path, card in cards.items():
        if card["recipe"]["seed"] == 0:
            for suffix in (".json", ".safetensors"):
                shutil.copy(path.with_suffix(suffix), WEIGHTS)
    RESULTS.parent.mkdir(exist_ok=True)
    runs = [entry(card, json.loads((path.parent / "log.json").read_text())) for path, card in cards.items()]
    runs.sort(key=lambda run: (VARIANTS.index((run["attention"], run["p"])), run["seed"]))
    shared = next(iter(cards.values()))
    recipe = {name: value for name, value in shared["recipe"].items() if name != "seed"}
    model = {name: value for name, value in shared["config"].items() if name not in ("attention", "p")}
    about = {name: shared[name] for name in ("data", "training_images", "test_images", "device", "bf16", "versions")}
    RESULTS.write_text(json.dumps({**about, "recipe": recipe, "model": model, "runs": runs}, indent=1) + "\n")
    print(f"{len(runs)} runs in {RESULTS.relative_to(ROOT)}")


def entry(card: dict, log: dict) -> dict[str, object]:
    """What the book's tables and curves need of one run."""
    return {
        "attention": card["config"]["attention"],
        "p": card["config"]["p"],
        "seed": card["recipe"]["seed"],
        "parameters": card["parameters"],
        "accuracy": card["accuracy"],
        "seconds": card["seconds"],
        "losses": [round(e["loss"], 5) for e in log["epochs"]],
    }


def main() -> None:
    """Train what is not finished, then collect."""
    form = argparse.RawDescriptionHelpFormatter
    # What is not known here goes to the runs, whole: --seed is not short for --seeds.
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form, allow_abbrev=False)
    parser.add_argument("--runs", type=Path, default=ROOT / "_build" / "ablation", help="where runs are kept")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", type=int, help="so many of the variants, from the first")
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of each run")
    parser.add_argument("--collect", action="store_true", help="only collect what is finished")
    given, options = parser.parse_known_args()
    folder = given.runs.resolve()  # the runs start in the repository, wherever this started
    if not given.collect:
        todo = commands(folder, given.seeds, options, given.only)
        run_all({out: words for out, words in todo.items() if not is_finished(out)}, given.jobs, given.threads)
    collect(folder)


if __name__ == "__main__":
    main()
