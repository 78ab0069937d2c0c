"""Train a small model to recall symbols by their keys on a grid, and test it with 4 to 96 pairs."""

import argparse
import dataclasses
import json
import platform
import time
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from tqdm import tqdm

from flatten_edu.commands.train import number
from flatten_edu.experiments import (
    PAIRS,
    RecallModel,
    RecallSettings,
    evaluate_recall,
    far_pairs,
    recall_batch,
    train_recall,
)
from flatten_edu.machine import replace_whole
from flatten_edu.models import live_parameters
from flatten_edu.nn import ATTENTIONS
from flatten_edu.train.card import describe_device


def add(parser: argparse.ArgumentParser) -> None:
    """The command's options: fields of `RecallSettings`, which has the defaults."""
    parser.add_argument("--attention", required=True, help="what both blocks have: " + ", ".join(ATTENTIONS))
    for field in dataclasses.fields(RecallSettings):
        flag = "--" + field.name.replace("_", "-")
        if field.type is bool:
            parser.add_argument(flag, action="store_true")
        elif field.name != "attention":
            kind = number if field.name == "p" else field.type
            parser.add_argument(flag, type=kind, default=field.default, help=f"({field.default})")
    parser.add_argument("--out", help="a folder for the weights and recall.json (nothing is written)")


def run(given: argparse.Namespace) -> None:
    """Train, test, print, and write where asked to."""
    settings = RecallSettings(**{f.name: getattr(given, f.name) for f in dataclasses.fields(RecallSettings)})
    if given.out is not None:
        Path(given.out).mkdir(parents=True, exist_ok=True)  # now: a name that will not do should not cost a training
    started = time.perf_counter()
    with tqdm(total=settings.steps, unit="step", disable=None) as bar:

        def show(step: int, loss: float) -> None:
            bar.update()
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)

        model, losses = train_recall(settings, show)
    seconds = time.perf_counter() - started
    print(f"{'D':>3} {'accuracy':>9} {'weight on the partner, block by block and head by head'}")
    tests = {}
    for count in PAIRS:
        tests[count] = found = evaluate_recall(model, count)
        weights = " | ".join(" ".join(f"{weight:.3f}" for weight in block) for block in found["on_partner"])
        print(f"{count:3} {found['accuracy']:9.3f} {weights}", flush=True)
    if given.out is not None:
        _write(Path(given.out), model, settings, {"losses": losses, "tests": tests, "seconds": seconds})


def _write(out: Path, model: RecallModel, settings: RecallSettings, found: dict[str, Any]) -> None:
    """The weights, then the record of the run: where that is, the run is finished."""
    replace_whole(out / "recall.safetensors", save(model.state_dict()))
    generator = torch.Generator().manual_seed(0)
    record = {
        **dataclasses.asdict(settings),
        "live_parameters": live_parameters(model, recall_batch(far_pairs(2, generator), 8, generator).x),
        **found,
        "device": describe_device(torch.device("cpu")),
        "threads": torch.get_num_threads(),
        "versions": {"torch": torch.__version__.partition("+")[0], "python": platform.python_version()},
    }
    replace_whole(out / "recall.json", f"{json.dumps(record)}\n".encode())
