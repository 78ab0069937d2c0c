"""What Proposition 1 of Han et al. 2023 says about a pair of vectors: from which p on, and where it does not hold.

The proposition: take x, y >= 0, each with a single largest entry, at m and at n. If m = n there exists a p > 1 with
<phi_p(x), phi_p(y)> greater than <x, y>; if m is not n there exists one with smaller. As f_p keeps lengths, either is
a statement about the angle alone.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from flatten_edu.analysis.metrics import angle_degrees, largest_coordinate

LARGEST_P = 256.0
PER_OCTAVE = 64
TOLERANCE = 1e-9  # of a boundary in p, relative

Case = Literal["same", "different", "tie", "parallel", "orthogonal"]


@dataclass(frozen=True)
class Verdict:
    """What became of a pair between p = 1 and `LARGEST_P`.

    `tie` means that a vector has no single largest entry; `parallel` and `orthogonal` pairs keep their angle for every
    p, so that no strict inequality can hold. For all three there is nothing to fail, and nothing to hold.
    """

    case: Case
    limit: float | None  #: of the cosine for p to infinity: 1 or 0; None for a tie
    fails: tuple[tuple[float, float], ...]  #: open intervals of p in which the inequality is the wrong way round
    holds_from: float | None  #: for every larger p, up to `LARGEST_P`; None where it never does
    worst_p: float | None  #: where it fails worst, of the values scanned
    worst_degrees: float | None  #: the angle there


def focused_cosine(x: Float[Tensor, " d"], y: Float[Tensor, " d"], p: int | float) -> float:
    """The cosine of the angle between f_p(x) and f_p(y), in float64, for vectors with entries >= 0.

    Twin: `focusedCosine` in labs/frame/maths/proposition.ts.

    Raises:
        ValueError: as `proposition`.
    """
    _check(x, y)
    return float(_cosines(x, y, torch.tensor([p], dtype=torch.float64)))


def _directions(x: Float[Tensor, " d"], p: Float[Tensor, " s"]) -> Float[Tensor, "s d"]:
    """The unit vector of f_p(x) for each p."""
    powered = (x.double() / x.double().max()) ** p[:, None]
    return powered / powered.norm(dim=-1, keepdim=True)


def _cosines(x: Float[Tensor, " d"], y: Float[Tensor, " d"], p: Float[Tensor, " s"]) -> Float[Tensor, " s"]:
    return (_directions(x, p) * _directions(y, p)).sum(-1).clamp(max=1)


def _angles(x: Float[Tensor, " d"], y: Float[Tensor, " d"], p: Float[Tensor, " s"]) -> Float[Tensor, " s"]:
    return angle_degrees(_directions(x, p), _directions(y, p))


def proposition(x: Float[Tensor, " d"], y: Float[Tensor, " d"]) -> Verdict:
    """Where the proposition's inequality holds for a pair, and where not, for p from 1 to `LARGEST_P`.

    From a scan of `PER_OCTAVE` values of p an octave; each change between two of them is then found by bisection to
    `TOLERANCE`. An episode that begins and ends between two values of the scan is not seen.
    Book: {ref}`lab-proof`. Twin: `proposition` in labs/frame/maths/proposition.ts.

    Raises:
        ValueError: a negative, infinite or missing entry, a zero vector, or vectors of two lengths.
    """
    _check(x, y)
    x, y = x.double(), y.double()
    m, n = int(largest_coordinate(x)), int(largest_coordinate(y))
    if m < 0 or n < 0:
        return Verdict("tie", None, (), None, None, None)
    if m == n and _parallel(x, y):
        return Verdict("parallel", 1.0, (), None, None, None)
    if m != n and not ((x > 0) & (y > 0)).any():
        return Verdict("orthogonal", 0.0, (), None, None, None)
    # Each measure keeps its digits where its case needs them: the angle near 0, the cosine near a right angle.
    measure = _angles if m == n else _cosines
    scan = 2 ** (torch.arange(round(math.log2(LARGEST_P)) * PER_OCTAVE + 1, dtype=torch.float64) / PER_OCTAVE)
    values = measure(x, y, scan)
    failing = values >= values[0]
    failing[0] = False
    fails = _runs(
        scan.tolist(), failing.tolist(), lambda p: bool(measure(x, y, torch.tensor([p]).double()) >= values[0])
    )
    worst = float(scan[values.where(failing, -1.0).argmax()]) if fails else None
    return Verdict(
        "same" if m == n else "different",
        1.0 if m == n else 0.0,
        tuple(fails),
        1.0 if not fails else None if failing[-1] else fails[-1][1],
        worst,
        None if worst is None else float(_angles(x, y, torch.tensor([worst]).double())),
    )


def widens_at_first(a: int | float, b: int | float) -> bool:
    r"""Whether f_p, for p just above 1, pushes (1, a) and (1, b) apart, for 0 <= a, b < 1.

    The angle of (1, t) under f_p is atan(t^p), which at p = 1 falls at the rate g(t) = t ln t / (1 + t^2). The pair
    widens where the one nearer to the axis falls faster. In two dimensions that settles all: there is then exactly one
    interval of widening, and it begins at p = 1; else there is none. Proof: {ref}`lab-proof-plane`.
    Twin: `widensAtFirst` in labs/frame/maths/proposition.ts.
    """
    if not (0 <= a < 1 and 0 <= b < 1):
        raise ValueError(f"widens_at_first needs ratios from 0 to below 1, got {a} and {b}")
    nearer, further = sorted([a, b])
    return _rate(nearer) < _rate(further)


def _rate(t: int | float) -> float:
    return t * math.log(t) / (1 + t * t) if t > 0 else 0.0


def _runs(scan: list[float], failing: list[bool], fails: Callable[[float], bool]) -> list[tuple[float, float]]:
    """The intervals of p in which it fails. What fails at the first value after 1 does so from 1 on."""
    runs: list[tuple[float, float]] = []
    start = None
    for i in range(1, len(scan)):
        if failing[i] and start is None:
            start = 1.0 if i == 1 else _boundary(fails, scan[i - 1], scan[i])
        elif start is not None and not failing[i]:
            runs.append((start, _boundary(fails, scan[i - 1], scan[i])))
            start = None
    return runs if start is None else [*runs, (start, LARGEST_P)]


def _boundary(fails: Callable[[float], bool], low: float, high: float) -> float:
    """The p between two at which `fails` changes, by bisection."""
    at_low = fails(low)
    while high - low > TOLERANCE * high:
        middle = (low + high) / 2
        low, high = (middle, high) if fails(middle) == at_low else (low, middle)
    return (low + high) / 2


def _parallel(x: Tensor, y: Tensor) -> bool:
    """Whether two vectors point the same way to the last few digits."""
    return bool(((x / x.max() - y / y.max()).abs() <= 1e-12).all())


def _check(x: Tensor, y: Tensor) -> None:
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"proposition needs two vectors of one length, got {tuple(x.shape)} and {tuple(y.shape)}")
    for name, vector in {"x": x, "y": y}.items():
        if not ((vector >= 0) & vector.isfinite()).all() or not vector.any():
            raise ValueError(f"proposition needs entries >= 0, one of them above, got {name} = {vector.tolist()}")
