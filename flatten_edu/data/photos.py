"""Photographs with a licence that lets us ship them, cut into patches as a vision transformer does."""

import io
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from skimage import data
from torch import Tensor

from flatten_edu.data.images import standardise
from flatten_edu.functional.checks import require_known

# name: (loader, the square to keep as left, top, side). Both come with scikit-image under CC0.
_PHOTOS: dict[str, tuple[Callable[[], np.ndarray], tuple[int, int, int]]] = {
    "chelsea": (data.chelsea, (85, 0, 300)),
    "coffee": (data.coffee, (130, 0, 400)),
}


def photo(name: str = "chelsea", size: int = 224) -> UInt8[np.ndarray, "size size 3"]:
    """A square photograph of size x size pixels, RGB. Raises ValueError with the known names on another name."""
    load, (left, top, side) = _PHOTOS[require_known("photograph", name, _PHOTOS)]
    return centre_square(load()[top : top + side, left : left + side], size, Image.Resampling.LANCZOS)


def centre_square(
    image: UInt8[np.ndarray, "h w 3"], size: int = 28, resampling: Image.Resampling = Image.Resampling.BOX
) -> UInt8[np.ndarray, "size size 3"]:
    """The image's largest square in its middle, brought to size x size pixels, each the mean of what it covers.

    What the labs make of a reader's own picture, before a model that was built for small images sees it.
    """
    height, width = image.shape[:2]
    side = min(height, width)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    return np.asarray(Image.fromarray(image).resize((size, size), resampling, box=box))


def to_jpeg(image: UInt8[np.ndarray, "h w 3"], quality: int = 85) -> bytes:
    """The photograph as a JPEG file, to be shown in a page."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def patch_features(
    image: UInt8[np.ndarray, "h w 3"], patch: int = 16, dim: int = 64, seed: int = 0
) -> Float[Tensor, "n dim"]:
    """One feature row a patch, from nothing but the patch's own pixels: a fixed random projection, not a trained one.

    Pixels are standardised over the photograph and projected by a Gaussian matrix drawn from `seed`; each feature is
    standardised over the n = (h / patch) (w / patch) patches. All are then scaled by one number, so that the products
    x_i . x_j / sqrt(dim) have variance 1: what softmax attention's division by sqrt(d) is for.

    Raises:
        ValueError: the patch size does not divide the photograph's sides.
    """
    height, width, channels = image.shape
    if height % patch or width % patch:
        raise ValueError(f"patch_features needs sides that {patch=} divides, got an image of {height} x {width}")
    rows, columns = height // patch, width // patch
    pixels = torch.from_numpy(image.astype(np.float64)).reshape(rows, patch, columns, patch, channels)
    pixels = pixels.permute(0, 2, 1, 3, 4).reshape(rows * columns, -1)
    projection = torch.from_numpy(np.random.default_rng(seed).standard_normal((pixels.shape[-1], dim)))
    features = _standardise(_standardise(pixels, dim=None) @ projection, dim=0)
    spread = (features @ features.mT / dim**0.5).std()
    return (features / spread.sqrt()).float() if spread > 0 else features.float()


def as_input(image: UInt8[np.ndarray, "h w 3"]) -> Float[Tensor, "1 3 h w"]:
    """The photograph as a model takes it: a batch of one, channels first, by ImageNet's means and deviations."""
    return standardise(torch.tensor(image).permute(2, 0, 1)[None])


def _standardise(x: Tensor, dim: int | None) -> Tensor:
    mean = x.mean() if dim is None else x.mean(dim, keepdim=True)
    spread = x.std() if dim is None else x.std(dim, keepdim=True)
    return (x - mean) / spread.where(spread > 0, 1.0)
