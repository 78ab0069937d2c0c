"""Trained models, each with a card that says how it was made: the library's own, a run's, and the Hub's."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from flatten_edu.functional.checks import require_known
from flatten_edu.models.deit import DeiT, DeiTConfig
from flatten_edu.models.weights import load_weights

WEIGHTS = Path(__file__).parent.parent / "weights"


@cache
def pretrained_names() -> tuple[str, ...]:
    """The names that `pretrained` knows."""
    return tuple(sorted(path.stem for path in WEIGHTS.glob("*.json")))


def card(name: str) -> dict[str, Any]:
    """A model's card: config, data, recipe, seed, accuracy, the command that remakes it, device and duration.

    Args:
        name: of `pretrained_names`, or the .safetensors of a run.

    Raises:
        ValueError: no model has that name; the names are listed.
        FileNotFoundError: the file has no card beside it.
    """
    path = _file(name).with_suffix(".json")
    if not path.is_file():
        raise FileNotFoundError(f"{name} has no card beside it: there is no {path}")
    return json.loads(path.read_text())


def _file(name: str) -> Path:
    if name.endswith(".safetensors"):
        return Path(name)
    return WEIGHTS / f"{require_known('pretrained model', name, pretrained_names())}.safetensors"


def pretrained(name: str) -> DeiT:
    """A trained model in evaluation mode, in float32; those of the library were stored in float16.

    Args:
        name: of `pretrained_names`, or the .safetensors of a run; else, with a slash, the name of a model on the
            Hugging Face Hub, or a folder that `flatten_edu.models.hub.FLattenDeiT.save_pretrained` wrote.

    Raises:
        ValueError: no model has that name; the names are listed.
        FileNotFoundError: no such file, or it has no card beside it.
        ImportError: the Hub was asked for, and its extra is not installed.
    """
    if "/" in name and not name.endswith(".safetensors"):
        from flatten_edu.models.hub import FLattenDeiT  # an extra

        return FLattenDeiT.from_pretrained(name)
    model = DeiT(config_of(card(name)))
    load_weights(model, _file(name))
    return model.eval()


def config_of(card: dict[str, Any]) -> DeiTConfig:
    """The configuration that a card holds; JSON has lists for tuples."""
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in card["config"].items()}
    return DeiTConfig(**values)
