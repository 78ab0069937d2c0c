"""Remake the data of the lab `sharpness`, rows of trained attention: python -m flatten_edu.labs.sharpness.make_data"""

import json

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flatten_edu.analysis import capture
from flatten_edu.data import cifar10_samples
from flatten_edu.labs.frame.tensors import pack
from flatten_edu.labs.sharpness.lab import TRAINED
from flatten_edu.models import pretrained

MODELS = {"softmax": "deit_cifar10_softmax", "focused": "flatten_deit_cifar10_focused"}
# The lab `maps` opens on both: a test image that comes with the library, and a patch of it.
IMAGE = 14
TOKEN = 1 + 118  # behind the class token


def main() -> None:
    """The query of one patch, and all keys: of each block of two trained models, on one test image."""
    x, _ = cifar10_samples().batch(torch.tensor([IMAGE]))
    rows: dict[str, Tensor] = {}
    for name, weights in MODELS.items():
        rows |= trained_rows(pretrained(weights), x, name, TOKEN)
    sets = [{"name": name, "n": len(row) - 1, "d": row.shape[1]} for name, row in rows.items()]
    TRAINED.with_suffix(".json").write_text(json.dumps(sets, indent=1) + "\n")
    TRAINED.with_suffix(".safetensors").write_bytes(pack(**rows))


def trained_rows(
    model: nn.Module, x: Float[Tensor, "1 c h w"], name: str, token: int, head: int = 0
) -> dict[str, Float[Tensor, "rows d"]]:
    """Of each block the query of `token`, and below it the keys of all tokens.

    In a focused block both are divided by softplus(scale), as the module does before f_p; the 1e-6 is left out.
    """
    rows = {}
    with capture(model, x) as records:
        for block, record in enumerate(records):
            scale = 1 if record.scale is None else record.scale.unflatten(0, (record.q.shape[1], -1))[head]
            q, k = (tokens[0, head] / scale for tokens in (record.q, record.k))
            rows[f"{name}, block {block + 1}"] = torch.cat([q[token : token + 1], k]).float().cpu()
    return rows


if __name__ == "__main__":
    main()
