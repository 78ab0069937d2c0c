"""The small models that come with the library, each with a card that says how it was made."""

import json
from functools import cache
from pathlib import Path

from flatten_edu.functional.checks import require_known
from flatten_edu.models.deit import DeiT, DeiTConfig
from flatten_edu.models.weights import load_weights

WEIGHTS = Path(__file__).parent.parent / "weights"


@cache
def pretrained_names() -> tuple[str, ...]:
    """The names that `pretrained` knows."""
    return tuple(sorted(path.stem for path in WEIGHTS.glob("*.json")))


def card(name: str) -> dict[str, object]:
    """A model's card: config, data, recipe, seed, accuracy, the command that remakes it, device and duration.

    Raises:
        ValueError: no model has that name; the names are listed.
    """
    require_known("pretrained model", name, pretrained_names())
    return json.loads((WEIGHTS / f"{name}.json").read_text())


def pretrained(name: str) -> DeiT:
    """A trained model in evaluation mode, in float32; those of the library were stored in float16.

    Args:
        name: of `pretrained_names`; with a slash the name of a model on the Hugging Face Hub, or a folder that
            `flatten_edu.models.hub.FLattenDeiT.save_pretrained` wrote.

    Raises:
        ValueError: no model has that name; the names are listed.
        ImportError: the Hub was asked for, and its extra is not installed.
    """
    if "/" in name:
        from flatten_edu.models.hub import FLattenDeiT  # an extra

        return FLattenDeiT.from_pretrained(name)
    model = DeiT(config_of(card(name)))
    load_weights(model, WEIGHTS / f"{name}.safetensors")
    return model.eval()


def config_of(card: dict[str, object]) -> DeiTConfig:
    """The configuration that a card holds; JSON has lists for tuples."""
    return DeiTConfig(**{k: tuple(v) if isinstance(v, list) else v for k, v in card["config"].items()})
