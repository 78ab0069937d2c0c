"""Random numbers that a browser draws too, bit for bit: integers, and sums that float64 holds exactly."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

_DRAWS = 12  # the sum of 12 uniform numbers has variance 1
_GOLDEN = np.uint32(0x9E3779B9)


def hash_noise(seed: int, stream: int, rows: int, columns: int) -> Float[Tensor, "rows columns"]:
    """Nearly normal numbers, mean 0 and variance 1: each the sum of 12 hashed uniform ones, less 6.

    An entry depends on seed, stream, row and column alone: a larger table begins with the smaller one. Twin in the
    labs: `hashNoise`.

    Args:
        seed, stream: whole numbers from 0 to 2**32 - 1; streams of one seed are unrelated.
    """
    key = _mixed(_mixed(np.array([seed], np.uint32)) ^ np.uint32(stream))
    row = _mixed(key + np.arange(rows, dtype=np.uint32) * _GOLDEN)
    entry = _mixed(row[:, None] ^ _mixed(np.arange(columns, dtype=np.uint32)))
    total = np.zeros((rows, columns))
    for draw in range(_DRAWS):
        total += _mixed(entry + np.full(1, draw, np.uint32) * _GOLDEN)
    return torch.from_numpy(total / 2.0**32 - _DRAWS / 2)


def _mixed(x: np.ndarray) -> np.ndarray:
    """Murmur3's last step: each bit of the input moves about half of the output's."""
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return x ^ (x >> np.uint32(16))
