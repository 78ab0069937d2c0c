"""Remake the data of the lab `sharpness`, rows of trained attention: python -m flatten_edu.labs.sharpness.make_data"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

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
    rows = []
    for name, weights in MODELS.items():
        model = pretrained(weights)
        rows += trained_rows(model, x, name, range(model.config.depth), TOKEN)
    sets, numbers = pack_rows(rows)
    TRAINED.with_suffix(".json").write_text(json.dumps(sets, indent=1) + "\n")
    TRAINED.with_suffix(".safetensors").write_bytes(numbers)


@dataclass(frozen=True)
class Row:
    """What one head of one block formed for one token of an image."""

    name: str
    q: Float[Tensor, " d"]
    k: Float[Tensor, "n d"]


def trained_rows(
    model: nn.Module,
    x: Float[Tensor, "1 c h w"],
    name: str,
    blocks: Iterable[int],
    token: int | None = None,
    head: int = 0,
) -> list[Row]:
    """A row a block: the query of `token`, by default the grid's middle cell, and the keys of all tokens.

    In a focused block both are divided by softplus(scale), as the module does before f_p; the 1e-6 is left out.
    """
    with capture(model, x) as records:
        return [_row(model, records[block], f"{name}, block {block + 1}", token, head) for block in blocks]


def _row(model: nn.Module, record, name: str, token: int | None, head: int) -> Row:
    if token is None:
        rows, columns = record.grid
        token = rows // 2 * columns + columns // 2 + record.class_token
    q, k = record.q[0, head, token], record.k[0, head]
    scale = getattr(model.get_submodule(record.name), "scale", None)
    if scale is not None:
        by_head = F.softplus(scale.detach().float()).reshape(-1, q.shape[-1])[head]
        q, k = q / by_head, k / by_head
    return Row(name, q.float().cpu(), k.float().cpu())


def pack_rows(rows: Iterable[Row]) -> tuple[list[dict], bytes]:
    """What SharpnessLab's traits `sets` and `rows` hold: the rows' names and sizes, and their numbers."""
    rows = list(rows)
    sets = [{"name": row.name, "n": len(row.k), "d": len(row.q)} for row in rows]
    return sets, pack(**{row.name: torch.cat([row.q[None], row.k]) for row in rows})


if __name__ == "__main__":
    main()
