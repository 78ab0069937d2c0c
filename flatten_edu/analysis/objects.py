"""Where the object is in a picture on a plain ground, found from its pixels alone: no model has a say in it."""

import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

_BORDER = 2  # pixels, whose colours say what the ground looks like
_UNLIKE = 60  # distance from the ground's colour, of 0 to 441, from which on a patch belongs to the object
_PLAIN = 10  # mean deviation of the border's pixels, below which the ground is plain


def object_patches(
    images: UInt8[Tensor, "b 3 h w"], patch: int
) -> tuple[Bool[Tensor, "b rows columns"], Bool[Tensor, " b"]]:
    """Which patches show the object, and in which pictures that can be told.

    The ground's colour is the median of the picture's border. A patch belongs to the object where its mean colour is
    far from it. It can be told where the border is plain, at most a tenth of the outermost patches are the object's,
    and a tenth to a half of all.

    Raises:
        ValueError: a patch that does not divide the pictures' sides.
    """
    height, width = images.shape[2:]
    if height % patch or width % patch:
        raise ValueError(f"patches of {patch} pixels do not divide a picture of {height} x {width}")
    pixels = images.float()
    border = pixels[..., _frame(height, width, _BORDER)]
    ground = border.median(-1).values
    plain = (border - ground[..., None]).abs().mean((1, 2)) < _PLAIN
    colours = pixels.unflatten(3, (-1, patch)).unflatten(2, (-1, patch)).mean((3, 5))
    mask = (colours - ground[..., None, None]).norm(dim=1) > _UNLIKE
    share = mask.float().mean((1, 2))
    at_edge = mask[:, _frame(mask.shape[1], mask.shape[2], 1)].float().mean(1)
    return mask, plain & (at_edge < 0.1) & (share > 0.1) & (share < 0.5)


def _frame(height: int, width: int, thickness: int) -> Bool[Tensor, "h w"]:
    frame = torch.ones(height, width, dtype=torch.bool)
    frame[thickness:-thickness, thickness:-thickness] = False
    return frame
