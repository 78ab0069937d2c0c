"""Weights in and out: safetensors or .pth, from a file or an address, with positions fitted to another grid."""

import hashlib
import os
import pickle
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlparse

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from flatten_edu.models.deit import DeiT

_POSITIONS = ("pos_embed", "positional_encoding")


class Mismatch(NamedTuple):
    """Names that a model and a state dict do not share."""

    missing: list[str]  # the model has them, the file has not
    unexpected: list[str]  # the file has them, the model has not


def load_weights(
    model: DeiT,
    path_or_url: str | os.PathLike,
    strict: bool = True,
    sha256: str | None = None,
    source_grid: tuple[int, int] | None = None,
) -> Mismatch:
    """Load a checkpoint into a model. Nothing is changed unless all that is to be loaded fits.

    Positional encodings for another grid are resized (bicubic; the class token's stays).

    Args:
        path_or_url: .safetensors, or .pth / .pt, which is read without running any code in it; a dict under "model"
            or "state_dict" is unwrapped. An address is downloaded once, with a progress bar, into torch.hub's folder.
        strict: whether a name that only one side has is an error. Otherwise such names are returned.
        sha256: the file's expected checksum, or the beginning of it.
        source_grid: rows and columns of the checkpoint's positions, where they are not those of a square.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a wrong checksum, a file that is no checkpoint or would run code, names or shapes that do not fit.
    """
    path = _download(str(path_or_url), sha256) if _is_address(path_or_url) else Path(path_or_url)
    if not path.exists():
        raise FileNotFoundError(f"there is no weights file {path}")
    if not _is_address(path_or_url) and sha256:
        _require_checksum(path, sha256)
    state = _fit_positions(_read(path), model, source_grid)
    mismatch, shapes = _compare(state, model.state_dict())
    if shapes or (strict and any(mismatch)):
        raise ValueError(_explain(path, mismatch, shapes))
    model.load_state_dict(state, strict=False)
    return mismatch


def save_weights(model: nn.Module, path: str | os.PathLike, dtype: torch.dtype | None = None) -> None:
    """Write a model's weights as safetensors; floating-point ones as `dtype` if one is given.

    The file appears whole or not at all. Raises ValueError for another ending than .safetensors.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"save_weights writes .safetensors, got {path.name}")
    state = {
        name: t.detach().cpu().to(dtype if dtype and t.is_floating_point() else t.dtype).clone().contiguous()
        for name, t in model.state_dict().items()
    }
    handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".part")
    os.close(handle)
    try:
        save_file(state, draft)
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _is_address(path_or_url: object) -> bool:
    return urlparse(str(path_or_url)).scheme in ("http", "https", "file")


def _download(url: str, sha256: str | None) -> Path:
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / Path(urlparse(url).path).name
    if not path.exists():
        # Downloads beside its target, checks, and only then moves: a broken download leaves nothing behind.
        try:
            torch.hub.download_url_to_file(url, str(path), hash_prefix=sha256, progress=True)
        except RuntimeError as error:
            raise ValueError(f"{url} was downloaded, but its checksum is not the expected one ({error})") from None
    elif sha256:
        _require_checksum(path, sha256)
    return path


def _require_checksum(path: Path, sha256: str) -> None:
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if not found.startswith(sha256):
        raise ValueError(f"{path} has SHA-256 {found}, expected {sha256}")


def _read(path: Path) -> dict[str, Tensor]:
    try:
        state = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise ValueError(
            f"{path} was not opened: it holds more than tensors, and a pickle can run code when it is opened. "
            f"Ask its author for a safetensors file, or save its state_dict alone"
        ) from None
    except (SafetensorError, RuntimeError, EOFError) as error:
        raise ValueError(f"{path} is not a readable checkpoint: {error}") from None
    for key in ("model", "state_dict"):
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if not isinstance(state, Mapping) or not state or not all(isinstance(t, Tensor) for t in state.values()):
        raise ValueError(f"{path} is not a state dict: a mapping from names to tensors was expected")
    return dict(state)


def _fit_positions(state: dict[str, Tensor], model: DeiT, source_grid: tuple[int, int] | None) -> dict[str, Tensor]:
    """Positions [1, 1 + cells, C] for another grid are resized to the model's."""
    wanted, fitted = model.state_dict(), {}
    for name, t in state.items():
        like = wanted.get(name)
        is_position = name.endswith(_POSITIONS) and like is not None and t.ndim == 3 and t.shape[-1] == like.shape[-1]
        moved = is_position and (t.shape[1] != like.shape[1] or source_grid is not None)
        fitted[name] = _resize(t, source_grid, model.grid, name) if moved else t
    return fitted


def _resize(t: Tensor, source: tuple[int, int] | None, target: tuple[int, int], name: str) -> Tensor:
    cells = t.shape[1] - 1
    source = source or (round(cells**0.5),) * 2
    if source[0] * source[1] != cells:
        raise ValueError(f"{name} has positions for {cells} cells, not for {source}: pass source_grid=(rows, columns)")
    first, rest = t[:, :1], t[:, 1:]
    image = rest.mT.unflatten(-1, source)
    image = F.interpolate(image.float(), target, mode="bicubic", align_corners=False).to(t.dtype)
    return torch.cat([first, image.flatten(2).mT], dim=1)


def _compare(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> tuple[Mismatch, list[str]]:
    mismatch = Mismatch(sorted(wanted.keys() - state.keys()), sorted(state.keys() - wanted.keys()))
    shapes = [
        f"{name} is {tuple(state[name].shape)}, the model's is {tuple(t.shape)}"
        for name, t in wanted.items()
        if name in state and state[name].shape != t.shape
    ]
    return mismatch, shapes


def _explain(path: Path, mismatch: Mismatch, shapes: list[str]) -> str:
    lines = [f"the weights in {path} are those of another model; nothing was loaded."]
    for what, names in [("missing", mismatch.missing), ("unexpected", mismatch.unexpected), ("other shapes", shapes)]:
        if names:
            more = f" and {len(names) - 8} more" if len(names) > 8 else ""
            lines.append(f"{what}: {', '.join(names[:8])}{more}")
    return " ".join(lines)
