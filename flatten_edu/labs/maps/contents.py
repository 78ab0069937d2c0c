"""What the lab `maps` looks at: tensors packed as a safetensors file, the rows that a view shows, its first view."""

import base64
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from safetensors.torch import load, save
from torch import Tensor

from flatten_edu.analysis import Captured, equivalent_map, value_weighted, what_if_map
from flatten_edu.functional.checks import require_finite, require_grid

Tensors = dict[str, Tensor]
Entry = dict[str, Any]
Rows = Tensor | np.ndarray | list  # what a reader may pass
PLAIN: Entry = {
    "heads": 1, "per_head": True, "dwc": False, "moves": False, "trained_p": None, "accuracy": None, "file": None,
    "variant": None, "logits": [],
}  # fmt: skip


def own_view(
    q: Rows | None, k: Rows | None, v: Rows | None = None, *, kernel: Rows | None = None,
    image: np.ndarray | None = None, grid: tuple[int, int] | None = None, class_token: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """The traits that show a reader's own queries and keys through each attention.

    Raises:
        ValueError: shapes that do not fit one another, or the grid; NaN or Inf.
        TypeError: q without k.
    """
    if q is None or k is None:
        raise TypeError("MapsLab needs q and k together")
    given = {"q": q, "k": k} | ({} if v is None else {"v": v})
    rows = {name: _heads(name, x) for name, x in given.items()}
    shapes = {name: tuple(x.shape) for name, x in rows.items()}
    if rows["q"].shape != rows["k"].shape or (v is not None and rows["v"].shape[:2] != rows["k"].shape[:2]):
        raise ValueError(f"MapsLab needs q, k and v of the same heads and tokens, got {shapes}")
    require_finite("MapsLab", **rows)
    heads, n = rows["q"].shape[:2]
    sides = _grid(grid, n, class_token)
    tensors = {f"own/0/0/{name}": _rows(x) for name, x in rows.items()}
    tensors["pictures/0"] = _picture(image, sides)
    entries = [
        {**PLAIN, "name": "own", "title": "softmax", "kind": "softmax", "heads": heads},
        {**PLAIN, "name": "own", "title": "ReLU", "kind": "relu", "heads": heads},
        {**PLAIN, "name": "own", "title": "focused", "kind": "relu", "heads": heads, "moves": True},
    ]
    if kernel is not None:
        tensors["own/0/kernel"] = torch.as_tensor(kernel).detach().float().contiguous()
        equivalent_map(torch.zeros(n, n), tensors["own/0/kernel"], sides, class_token, [0])  # or its error
        entries.append({**entries[-1], "title": "focused + DWC", "dwc": True})
    return _view(tensors, entries, 1, sides, class_token)


def records_view(records: Mapping[str, Sequence[Captured]], image: np.ndarray | None) -> dict[str, Any]:
    """The traits that show what `analysis.capture` found in one model or several, the first image of the batch.

    Raises:
        ValueError: no record, models that do not have the same grid and number of blocks, or another attention than
            softmax, ReLU's and the paper's.
    """
    if not records or not all(records.values()):
        raise ValueError("MapsLab needs the records of at least one model: with capture(model, x) as records")
    first = next(iter(records.values()))
    for title, blocks in records.items():
        if [(b.grid, b.class_token) for b in blocks] != [(first[0].grid, first[0].class_token)] * len(first):
            raise ValueError(f"MapsLab needs models with the same blocks and grid, {title!r} has others than the first")
    tensors, entries = {"pictures/0": _picture(image, first[0].grid)}, []
    for title, blocks in records.items():
        entries.append({**entry_of(title, blocks[0]), "name": title})
        for block, record in enumerate(blocks):
            tensors |= record_tensors(record, f"{title}/{block}", 0)
    return _view(tensors, entries, len(first), first[0].grid, first[0].class_token)


def record_tensors(record: Captured, prefix: str, picture: int, values: bool = True) -> Tensors:
    """One module's record of a picture under the names that the view looks for: rows of C features, one a token."""
    given = {"q": record.q, "k": record.k} | ({"v": record.v} if values else {})
    found = {f"{prefix}/{picture}/{name}": _rows(x[picture]) for name, x in given.items()}
    if record.scale is not None:
        found[f"{prefix}/scale"] = record.scale.cpu().float()
    if record.dwc_kernel is not None:
        found[f"{prefix}/kernel"] = record.dwc_kernel.cpu().float().contiguous()
    return found


def entry_of(title: str, record: Captured) -> Entry:
    """What the view is told of a model, from one of its modules' records."""
    entry = {**PLAIN, "title": title, "heads": record.q.shape[1]}
    if record.phi_q is None:
        return {**entry, "kind": "softmax"}
    if record.p is not None:
        focused = {"kind": "focused", "moves": True, "trained_p": record.p, "dwc": record.dwc_kernel is not None}
        return {**entry, **focused, "per_head": record.norm_over == "head"}
    if record.phi_q.shape == record.q.shape and record.phi_q.equal(record.q.relu()):
        return {**entry, "kind": "relu"}
    raise ValueError(f"MapsLab shows softmax attention, ReLU's and the paper's; {title!r} has another")


def _view(tensors: Tensors, entries: list[Entry], blocks: int, grid: tuple[int, ...], first: bool) -> dict[str, Any]:
    kernels = [tensor for name, tensor in tensors.items() if name.endswith("/kernel")]
    own = {name: tensor.clone() for name, tensor in tensors.items()}  # q and v may be one tensor, which cannot be saved
    return {
        "models": entries, "blocks": blocks, "heads": max(entry["heads"] for entry in entries),
        "channels": kernels[0].shape[0] if kernels else 0, "pictures": [{"name": "", "label": "", "about": ""}],
        "grid": tuple(grid), "class_token": first, "tokens": save(own), "source": "",
        "picture": 0, "block": blocks - 1, "head": 0, "channel": -1, "patch": math.prod(grid) // 2, "inside": False,
    }  # fmt: skip


def shown_rows(state: Mapping[str, Any], tokens: bytes) -> list[Float[Tensor, " n"]]:
    """For each model the row of its map that a view shows, class token included, in float64."""
    tensors = {name: tensor.double() for name, tensor in load(bytes(tokens)).items()}
    return [_row(entry, state, tensors) for entry in state["models"]]


def _row(entry: Entry, state: Mapping[str, Any], tensors: Tensors) -> Float[Tensor, " n"]:
    prefix = f"{entry['name']}/{state['block']}"
    heads = {
        name: tensors[key].unflatten(-1, (entry["heads"], -1)).transpose(0, 1)
        for name in "qkv"
        if (key := f"{prefix}/{state['picture']}/{name}") in tensors
    }
    moves = entry["moves"] or (entry["kind"] == "relu" and state["on_relu"])
    maps = what_if_map(
        heads["q"], heads["k"], entry["kind"], float(state["p"]) if moves else 1.0, tensors.get(f"{prefix}/scale"),
        "head" if entry["per_head"] else "channels",
    )  # fmt: skip
    one = maps.mean(0) if state["head"] < 0 else maps[min(state["head"], len(maps) - 1)]
    if entry["dwc"]:
        channels = None if state["channel"] < 0 else [state["channel"]]
        all_of_them = equivalent_map(one, tensors[f"{prefix}/kernel"], state["grid"], state["class_token"], channels)
        one = all_of_them.abs().mean(0) if channels is None else all_of_them[0]
    if state["by_value"] and "v" in heads:
        v = heads["v"].transpose(0, 1).flatten(1) if state["head"] < 0 else heads["v"][state["head"]]
        one = value_weighted(one, v)
    return one[state["patch"] + state["class_token"]]


def preview_of(state: Mapping[str, Any], tokens: bytes) -> dict[str, Any]:
    """A small copy of what a view shows, so that it can be painted before the tokens have arrived."""
    picture = load(bytes(tokens))[f"pictures/{state['picture']}"].numpy()
    settings = ("picture", "block", "head", "patch", "p", "channel", "on_relu", "by_value", "inside")
    return {
        "state": {name: state[name] for name in settings},
        "size": list(picture.shape[:2]),
        "pixels": base64.b64encode(picture.tobytes()).decode(),
        "rows": [base64.b64encode(row.float().numpy().tobytes()).decode() for row in shown_rows(state, tokens)],
    }


def _heads(name: str, x: Rows) -> Float[Tensor, "h n d"]:
    x = torch.as_tensor(x).detach().cpu().float()
    if x.ndim == 4 and len(x) == 1:
        x = x[0]
    if x.ndim not in (2, 3):
        raise ValueError(f"MapsLab needs {name} of [n, d] or [heads, n, d], got {tuple(x.shape)}")
    return x if x.ndim == 3 else x[None]


def _rows(x: Float[Tensor, "h n d"]) -> Float[Tensor, "n c"]:
    return x.detach().cpu().float().transpose(0, 1).flatten(1).contiguous()


def _grid(grid: tuple[int, int] | None, n: int, class_token: bool) -> tuple[int, ...]:
    found = tuple(grid or [math.isqrt(n - class_token)] * 2)
    require_grid("MapsLab", found, n, class_token)
    return found


def _picture(image: np.ndarray | None, grid: tuple[int, ...]) -> UInt8[Tensor, "h w 3"]:
    if image is None:
        return torch.full((*grid, 3), 160, dtype=torch.uint8)
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"MapsLab needs an image of bytes [height, width, 3], got {image.dtype} {image.shape}")
    return torch.tensor(image)
