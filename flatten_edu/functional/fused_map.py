"""Equation 6 in place, on rows whose entries are all positive, and in few passes."""

from dataclasses import dataclass

import torch
from torch import Tensor

from flatten_edu.functional.pieces import FocusedShape

ROOM = 40  # bits: a rescaled row's power has a length of about 2**40
POWERS_LAST = 4  # up to this p, rows as they come may be raised, if their lengths are ordinary
_SMALLEST, _LARGEST = 2.0**-62, 2.0**48  # of such a power: its square is an ordinary number, a sum of squares too
_SMALLEST_ENTRY = 2.0**-20  # about eps, what ReLU leaves of a negative one


@dataclass
class Mapped:
    """Rows of queries or keys by groups of channels that share a norm, [..., groups, C / groups].

    f_p(r) = powered / ratio, all but the constant `stretch`; the others are a number a row and group, [..., groups, 1].
    """

    powered: Tensor  # unit**p
    unit: Tensor  # scaling * stretch * r, or `powered` itself if that took its place
    length: Tensor  # stretch * |r|
    powered_length: Tensor
    scaling: Tensor | None  # None for 1

    @property
    def ratio(self) -> Tensor:
        """What is left to divide by."""
        return self.powered_length / self.length


def stretch(p: int | float) -> float:
    """A constant that all rows are multiplied by, so that the powers of what ReLU left at eps are not denormal.

    A processor takes ten times as long over denormal numbers.
    """
    return max(1.0, 4 * _SMALLEST ** (1 / p) / _SMALLEST_ENTRY) if p <= POWERS_LAST else 1.0


def map_rows(r: Tensor, p: int | float, powered: Tensor | None = None) -> Mapped:
    """Map rows r > 0, [..., groups, C / groups], in place, or into `powered`; r is overwritten by `Mapped.unit`."""
    length = torch.linalg.vector_norm(r, dim=-1, keepdim=True)
    scaling = None
    if not _may_be_raised(length, p):
        size = length if p <= POWERS_LAST else r.amax(-1, keepdim=True)
        scaling = 2 ** (ROOM / max(p, 1)) / size
        r.mul_(scaling)
    powered = power(r, p, p, out=r if powered is None else powered)
    return Mapped(powered, r, length, torch.linalg.vector_norm(powered, dim=-1, keepdim=True), scaling)


def _may_be_raised(length: Tensor, p: int | float) -> bool:
    """Whether the powers of rows of these lengths, and their squares, stay in range. Not asked where it must wait."""
    if p > POWERS_LAST or length.device.type != "cpu":
        return False
    smallest, largest = length.aminmax()
    return smallest.item() > _SMALLEST ** (1 / max(p, 1)) and largest.item() < _LARGEST ** (1 / max(p, 1))


def power(unit: Tensor, p: int | float, exponent: int | float, out: Tensor) -> Tensor:
    """unit**exponent, for exponents p and p - 1. A p-th power below 2**-100 of the largest is raised to that.

    Such an entry counts for nothing, but a denormal one takes time.
    """
    base = unit if p <= POWERS_LAST else torch.clamp_min(unit, 2 ** (-60 / p), out=out)
    return torch.pow(base, exponent, out=out)


def ratio_to_sums(shape: FocusedShape, tokens: int) -> float:
    """How often a query's ratio is added to its sum of similarities, for eps added to their mean, unstretched."""
    return shape.eps * tokens * stretch(shape.p) ** 2


def heads_first(x: Tensor, shape: FocusedShape) -> Tensor:
    """[b, n, C], or that by groups of channels, seen as [b, h, n, d]."""
    return x.reshape(*x.shape[:2], shape.num_heads, -1).transpose(1, 2)


def for_all_heads(x: Tensor | None, shape: FocusedShape) -> Tensor | None:
    """The convolution's kernel or bias, one a channel of a head, for the channels of all heads."""
    return None if x is None else torch.cat([x] * shape.num_heads)
