"""Weights in and out: safetensors or .pth, from a file or an address, with positions fitted to another grid."""

import hashlib
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.parse import urlparse
from urllib.request import url2pathname

import torch
from safetensors.torch import save
from torch import Tensor

from flatten_edu.machine import replace_whole
from flatten_edu.models.checkpoint import read_checkpoint
from flatten_edu.models.deit import DeiT
from flatten_edu.models.positions import POSITIONS, resize_positions


class Mismatch(NamedTuple):
    """Names that a model and a state dict do not share."""

    missing: list[str]  # the model has them, the file has not
    unexpected: list[str]  # the file has them, the model has not
    taken: str = "the whole file"  # from where in the file the weights came


def load_weights(
    model: DeiT,
    path_or_url: str | os.PathLike,
    strict: bool = True,
    sha256: str | None = None,
    source_grid: tuple[int, int] | None = None,
    backbone_only: bool = False,
) -> Mismatch:
    """Load a checkpoint into a model. Nothing is changed unless all that is to be loaded fits.

    Positions for another grid are resized, see `resize_positions`. Files that `save_weights` wrote say which grid
    theirs is; of others a square is assumed. A model that was built on the meta device comes out whole, on the CPU.

    Args:
        path_or_url: .safetensors, or .pth / .pt, which is read without running any code in it. A dict under "model",
            "state_dict", "model_ema" or "state_dict_ema" is unwrapped, an average first; so are the prefixes of
            DistributedDataParallel, torch.compile, Lightning ("model.") and "backbone.". `Mismatch.taken` names what
            was. An address is downloaded once, with a progress bar, into torch.hub's folder.
        strict: whether a name that only one side has is an error. Otherwise such names are returned; a name that both
            have with another shape is an error all the same.
        sha256: the file's expected checksum, or the beginning of it.
        source_grid: rows and columns of the checkpoint's positions, where they are not those of a square.
        backbone_only: leave the file's classifier, and keep the model's own.

    Raises:
        FileNotFoundError: no such file.
        OSError: an address that cannot be reached.
        ValueError: a wrong checksum, a file that is no checkpoint or would run code, names or shapes that do not fit.
    """
    sha256 = sha256.lower().removeprefix("sha256:") if sha256 else None
    path = _local(str(path_or_url), sha256)
    state, saved_grid, taken = read_checkpoint(path)
    wanted = model.state_dict()
    if backbone_only:
        state, wanted = ({n: t for n, t in one.items() if not n.startswith("head.")} for one in (state, wanted))
    state = _fit_positions(state, model, source_grid or saved_grid)
    mismatch, shapes = _compare(state, wanted, taken)
    nothing = len(mismatch.unexpected) == len(state)
    if shapes or nothing or (strict and (mismatch.missing or mismatch.unexpected)):
        raise ValueError(_explain(path, mismatch, shapes))
    _put(state, model, path)
    return mismatch


def _put(state: dict[str, Tensor], model: DeiT, path: Path) -> None:
    """Fill the model's parameters; those on the meta device, which hold nothing, are replaced."""
    own = model.state_dict()
    if lacking := [name for name, t in own.items() if t.is_meta and name not in state]:
        raise ValueError(f"{path} has no {', '.join(lacking[:8])}, and the model, on the meta device, has none either")
    on_meta = any(t.is_meta for t in own.values())
    if on_meta:  # the file's tensors become the model's, each in the dtype that the model has
        state = {name: t.to(own[name].dtype) for name, t in state.items() if name in own}
    model.load_state_dict(state, strict=False, assign=on_meta)


def save_weights(model: DeiT, path: str | os.PathLike, dtype: torch.dtype | None = None) -> None:
    """Write a model's weights as safetensors; floating-point ones as `dtype` if one is given.

    The file appears whole or not at all.

    Raises:
        ValueError: another ending than .safetensors, or a dtype that is not floating-point.
        FileNotFoundError: no such folder.
        OSError: it cannot be written; a full disk is told with the path.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"save_weights writes .safetensors, got {path.name}")
    if dtype is not None and not dtype.is_floating_point:
        raise ValueError(f"save_weights needs a floating-point dtype, got {dtype}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent} to save weights in")
    state = {
        name: t.detach().cpu().to(dtype if dtype and t.is_floating_point() else t.dtype).clone().contiguous()
        for name, t in model.state_dict().items()
    }
    replace_whole(path, save(state, metadata={"grid": f"{model.grid[0]}x{model.grid[1]}"}))


def _local(path_or_url: str, sha256: str | None) -> Path:
    """The file itself, downloaded first if it is an address; its checksum is the expected one."""
    scheme = urlparse(path_or_url).scheme
    if scheme in ("http", "https"):
        return _download(path_or_url, sha256)
    path = Path(url2pathname(urlparse(path_or_url).path)) if scheme == "file" else Path(path_or_url)
    if not path.is_file():
        raise FileNotFoundError(f"there is no weights file {path}")
    if sha256 and not _checksum(path).startswith(sha256):
        raise ValueError(f"{path} has SHA-256 {_checksum(path)}, expected {sha256}")
    return path


def _download(url: str, sha256: str | None) -> Path:
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    # Two addresses may end in the same name.
    path = folder / f"{hashlib.sha256(url.encode()).hexdigest()[:12]}-{Path(urlparse(url).path).name}"
    if path.exists() and (sha256 is None or _checksum(path).startswith(sha256)):
        return path
    # Downloads beside its target, checks, and only then moves: a broken download leaves nothing behind.
    try:
        torch.hub.download_url_to_file(url, str(path), hash_prefix=sha256, progress=True)
    except URLError as error:
        raise OSError(f"{url} could not be downloaded: {error.reason}") from None
    except RuntimeError as error:
        raise ValueError(f"{url} was downloaded, but its checksum is not the expected one ({error})") from None
    return path


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _fit_positions(state: dict[str, Tensor], model: DeiT, source_grid: tuple[int, int] | None) -> dict[str, Tensor]:
    """Positions [1, 1 + cells, C] for another grid are resized to the model's."""
    wanted, fitted = model.state_dict(), {}
    for name, t in state.items():
        like = wanted.get(name)
        if name.endswith(POSITIONS) and like is not None and t.ndim == 3 and t.shape[-1] == like.shape[-1]:
            source = source_grid or _guess_grid(t.shape[1] - 1, model.grid, name)
            if source[0] * source[1] != t.shape[1] - 1:
                cells = t.shape[1] - 1
                raise ValueError(f"{name} has positions for {cells} cells, not for source_grid={tuple(source)}")
            t = resize_positions(t, source, model.grid)
        fitted[name] = t
    return fitted


def _guess_grid(cells: int, target: tuple[int, int], name: str) -> tuple[int, int]:
    """The grid of positions that come without one: the model's own if the number fits, or a square."""
    side = math.isqrt(cells)
    square, same = side * side == cells, target[0] * target[1] == cells
    if (same and target[0] == target[1]) or (same and not square):
        return target
    if square and not same:
        return side, side
    raise ValueError(f"{name} has positions for {cells} cells: pass source_grid=(rows, columns) to say of which grid")


def _compare(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor], taken: str) -> tuple[Mismatch, list[str]]:
    mismatch = Mismatch(sorted(wanted.keys() - state.keys()), sorted(state.keys() - wanted.keys()), taken)
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
    if mismatch.taken != Mismatch([], []).taken:
        lines.append(f"(It took {mismatch.taken}.)")
    if any(name.startswith("head.") for name in [*shapes, *mismatch.missing, *mismatch.unexpected]):
        lines.append("Pass backbone_only=True to keep the model's own classifier.")
    return " ".join(lines)
