"""Weights in and out: safetensors or .pth, read without running any code, with positions fitted to another grid."""

import math
import os
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from flatten_edu.machine import replace_whole
from flatten_edu.models.deit import POSITIONS, DeiT, resize_positions

_UNSAFE = (
    "{path} was not opened: it holds more than tensors, and a pickle can run code when it is opened. Ask its author "
    "for a safetensors file. Where you trust its author, reduce it once to its tensors: "
    "torch.save(torch.load(path, weights_only=False)['model'], new_path)"
)
_CONTAINERS = ("state_dict_ema", "model_ema", "model", "state_dict")  # averaged weights before the last, as timm does
_PREFIXES = ("module.", "_orig_mod.", "model.", "backbone.")


class Mismatch(NamedTuple):
    """Names that a model and a state dict do not share."""

    missing: list[str]  # the model has them, the file has not
    unexpected: list[str]  # the file has them, the model has not
    taken: str  # from where in the file the weights came


def load_weights(
    model: DeiT,
    path: str | os.PathLike,
    strict: bool = True,
    source_grid: tuple[int, int] | None = None,
    backbone_only: bool = False,
) -> Mismatch:
    """Load a checkpoint into a model. Nothing is changed unless all that is to be loaded fits.

    Positions for another grid are resized. Files that `save_weights` wrote say which grid theirs is; of others a
    square is assumed. A model that was built on the meta device comes out whole, on the CPU.

    Args:
        path: .safetensors, or .pth / .pt, which is read without running any code in it. A dict under "model",
            "state_dict", "model_ema" or "state_dict_ema" is unwrapped, an average first; so are the prefixes of
            DistributedDataParallel, torch.compile, Lightning ("model.") and "backbone.". `Mismatch.taken` names what
            was.
        strict: whether a name that only one side has is an error. Otherwise such names are returned; a name that both
            have with another shape is an error all the same.
        source_grid: rows and columns of the checkpoint's positions, where they are not those of a square.
        backbone_only: leave the file's classifier, and keep the model's own.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a file that is no checkpoint or would run code, names or shapes that do not fit.
    """
    path = Path(path)
    state, saved_grid, taken = _read(path)
    wanted = model.state_dict()
    if backbone_only:
        state, wanted = ({n: t for n, t in one.items() if not n.startswith("head.")} for one in (state, wanted))
    state = _fit_positions(state, model, source_grid or saved_grid)
    missing, unexpected = sorted(wanted.keys() - state.keys()), sorted(state.keys() - wanted.keys())
    shapes = [
        f"{name} is {tuple(state[name].shape)}, the model's is {tuple(t.shape)}"
        for name, t in wanted.items()
        if name in state and state[name].shape != t.shape
    ]
    if shapes or len(unexpected) == len(state) or (strict and (missing or unexpected)):
        faults = {"missing": missing, "unexpected": unexpected, "other shapes": shapes}
        raise ValueError(_explain(path, faults, taken))
    _put(state, model, path)
    return Mismatch(missing, unexpected, taken)


def _put(state: dict[str, Tensor], model: DeiT, path: Path) -> None:
    """Fill the model's parameters; those on the meta device, which hold nothing, are replaced."""
    own = model.state_dict()
    if lacking := [name for name, t in own.items() if t.is_meta and name not in state]:
        raise ValueError(f"{path} has no {listed(lacking)}, and the model, on the meta device, has none either")
    on_meta = any(t.is_meta for t in own.values())
    if on_meta:  # the file's tensors become the model's, each in the dtype that the model has
        state = {name: t.to(own[name].dtype) for name, t in state.items() if name in own}
    model.load_state_dict(state, strict=False, assign=on_meta)


def save_weights(model: DeiT, path: str | os.PathLike, dtype: torch.dtype | None = None) -> None:
    """Write a model's weights as safetensors, in `dtype` if one is given. The file appears whole or not at all.

    Raises:
        ValueError: another ending than .safetensors.
        OSError: it cannot be written; a full disk is told with the path.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"save_weights writes .safetensors, got {path.name}")
    state = {name: t.cpu().to(dtype or t.dtype).contiguous() for name, t in model.state_dict().items()}
    replace_whole(path, save(state, metadata={"grid": f"{model.grid[0]}x{model.grid[1]}"}))


def _read(path: Path) -> tuple[dict[str, Tensor], tuple[int, int] | None, str]:
    """The tensors in a file by name, the grid of its positions if the file says so, and from where in it they came."""
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
    return dict(state), grid, ", ".join(taken) or "the whole file"


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


def _fit_positions(state: dict[str, Tensor], model: DeiT, source_grid: tuple[int, int] | None) -> dict[str, Tensor]:
    """Positions [1, 1 + cells, C] for another grid are resized to the model's."""
    fitted = dict(state)
    for name, t in state.items():
        if name.endswith(POSITIONS) and t.ndim == 3:
            cells = t.shape[1] - 1
            source = source_grid or _guess_grid(cells, model.grid, name)
            if source[0] * source[1] != cells:
                raise ValueError(f"{name} has positions for {cells} cells, not for source_grid={tuple(source)}")
            fitted[name] = resize_positions(t, source, model.grid)
    return fitted


def _guess_grid(cells: int, target: tuple[int, int], name: str) -> tuple[int, int]:
    """The grid of positions that come without one: the model's own if the number fits, or a square."""
    side = math.isqrt(cells)
    fitting = {grid for grid in (target, (side, side)) if grid[0] * grid[1] == cells}
    if len(fitting) != 1:
        raise ValueError(f"{name} has positions for {cells} cells: pass source_grid=(rows, columns)")
    return fitting.pop()


def _explain(path: Path, faults: dict[str, list[str]], taken: str) -> str:
    lines = [f"the weights in {path} are those of another model; nothing was loaded."]
    lines += [f"{what}: {listed(names)}" for what, names in faults.items() if names]
    if taken != "the whole file":
        lines.append(f"(It took {taken}.)")
    if any(name.startswith("head.") for names in faults.values() for name in names):
        lines.append("Pass backbone_only=True to keep the model's own classifier.")
    return " ".join(lines)


def listed(names: Sequence[str]) -> str:
    """The first of many names, and how many more there are."""
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
