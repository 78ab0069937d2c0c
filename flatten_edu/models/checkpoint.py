"""Checkpoint files, read without running any code in them."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

_UNSAFE = (
    "{path} was not opened: it holds more than tensors, and a pickle can run code when it is opened. Ask its author "
    "for a safetensors file. Where you trust its author, reduce it once to its tensors: "
    "torch.save(torch.load(path, weights_only=False)['model'], new_path)"
)
_CONTAINERS = ("state_dict_ema", "model_ema", "model", "state_dict")
_PREFIXES = ("module.", "_orig_mod.", "model.", "backbone.")


class Checkpoint(NamedTuple):
    """What a file holds."""

    state: dict[str, Tensor]  # by name
    grid: tuple[int, int] | None  # of its positions, if the file says so
    taken: str  # from where in the file, in words: 'its "state_dict_ema", without the prefix "module."'


def read_checkpoint(path: Path) -> Checkpoint:
    """The tensors in a file.

    Averaged weights are taken before the last ones, as timm does.

    Raises:
        ValueError: the file is no checkpoint, would run code, or holds what no model here can take.
    """
    state: object
    state, grid = _read_safetensors(path) if path.suffix.lower() == ".safetensors" else (_read_pickle(path), None)
    taken = []
    for key in _CONTAINERS:
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
            taken.append(f'its "{key}"')
    if not isinstance(state, Mapping) or not state or not all(isinstance(name, str) for name in state):
        raise ValueError(f"{path} is not a state dict: a mapping from names to tensors was expected")
    for name, t in state.items():
        if not isinstance(t, Tensor) or t.is_complex() or t.is_sparse or t.is_meta or t.is_quantized:
            raise ValueError(f"{path} is not a state dict of dense, real tensors: {name!r} is not one")
    while prefix := next((p for p in _PREFIXES if all(name.startswith(p) for name in state)), None):
        state = {name.removeprefix(prefix): t for name, t in state.items()}
        taken.append(f'without the prefix "{prefix}"')
    return Checkpoint(dict(state), grid, ", ".join(taken) or "the whole file")


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], tuple[int, int] | None]:
    try:
        with safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no dict)
            grid = (file.metadata() or {}).get("grid")
    except SafetensorError as error:
        raise ValueError(f"{path} is not a readable checkpoint: {error}") from None
    if grid is None:
        return state, None
    rows, columns = grid.split("x")
    return state, (int(rows), int(columns))


def _read_pickle(path: Path) -> object:
    with path.open("rb") as file:
        start = file.read(2)
    if start[:1] != b"\x80" and start != b"PK":
        raise ValueError(f"{path} is not a readable checkpoint: it begins as neither a zip archive nor a pickle does")
    try:
        return torch.load(path, "cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise ValueError(_UNSAFE.format(path=path)) from None
    except Exception as error:  # a damaged file fails in many ways
        raise ValueError(f"{path} is not a readable checkpoint: {type(error).__name__} {error}") from None
