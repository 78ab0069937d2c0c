"""A finished run as what is shipped: weights in float16, and a card that says how they were made."""

import dataclasses
import io
import json
import os
import platform
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from flatten_edu.machine import name_of, replace_whole
from flatten_edu.models import DeiT, count_parameters, live_parameters, load_weights, save_weights
from flatten_edu.train.evaluate import predictions
from flatten_edu.train.loop import Run


def write_card(
    run: Run, name: str, data: str, command: str, views: Mapping[str, int | None] | None = None
) -> dict[str, Any]:
    """Write NAME.safetensors, right.npy and NAME.json into the run's folder, and return the card.

    The accuracy is that of the stored weights, read back, in float32; right.npy says for which images they were right,
    a bit for each.

    Args:
        data: what the model learned from, and what it was tested on.
        command: what remakes the run.
        views: how the data were changed, as `flatten_edu.commands.sources.viewed` takes it.
    """
    weights = run.out / f"{name}.safetensors"
    save_weights(run.model, weights, torch.float16)
    stored = DeiT(run.model.config).to(run.world.device)
    load_weights(stored, weights)
    given, labels = predictions(stored, run.held_out, torch.arange(len(run.held_out)))
    right = io.BytesIO()
    np.save(right, np.packbits((given == labels).numpy()))
    replace_whole(run.out / "right.npy", right.getvalue())
    card = {
        "name": name,
        "config": dataclasses.asdict(run.model.config),
        "parameters": count_parameters(stored),
        "live_parameters": live_parameters(stored, run.held_out.batch(torch.arange(2))[0].to(run.world.device)),
        "data": data,
        "classes": list(run.held_out.classes),
        **{name: value for name, value in (views or {}).items() if value is not None},
        "recipe": dataclasses.asdict(run.recipe),
        "training_images": len(run.steps.kept),
        "steps": run.step,
        "test_images": len(run.held_out),
        "accuracy": round((given == labels).double().mean().item(), 6),
        "loss_of_last_epoch": round(run.epochs[-1]["loss"], 6),
        "command": command,
        "device": describe_device(run.world.device),
        "processes": run.world.size,
        "threads": torch.get_num_threads(),
        "bf16": run.recipe.autocasts(run.world.device),
        "seconds": round(run.seconds, 1),
        "versions": {"torch": torch.__version__.partition("+")[0], "python": platform.python_version()},
    }
    replace_whole(run.out / f"{name}.json", f"{json.dumps(card, indent=1)}\n".encode())
    return card


def describe_device(device: torch.device) -> str:
    """The device's name in words."""
    return name_of(device) if device.type == "cuda" else f"CPU, {name_of(device)}, {os.cpu_count()} cores"
