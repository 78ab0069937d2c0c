"""What timings say: exponents by fits on logarithmic axes, and where one curve goes below another."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Slope:
    """The exponent of a power law fitted to sizes `smallest` to `largest`."""

    exponent: float
    error: float | None  # the exponent's standard error, from the residuals; None of two sizes
    smallest: int
    largest: int

    def __str__(self) -> str:
        error = "" if self.error is None else f" ± {self.error:.2f}"
        return f"{self.exponent:.2f}{error} over N = {self.smallest}..{self.largest}"


def fit_slope(values: Mapping[int, int | float], smallest: int = 1) -> Slope | None:
    """Least squares of log(value) on log(n) over the sizes from `smallest` on; None of fewer than two.

    Args:
        values: by size, all above 0.
    """
    kept = sorted((n, value) for n, value in values.items() if n >= smallest)
    if len(kept) < 2:
        return None
    x, y = np.log(np.array(kept, dtype=float)).T
    exponent = float(np.polyfit(x, y, 1)[0])
    error = math.sqrt(np.polyfit(x, y, 1, cov=True)[1][0, 0]) if len(kept) > 2 else None
    return Slope(exponent, error, kept[0][0], kept[-1][0])


@dataclass(frozen=True)
class Crossover:
    """From which n on one curve is below another. 0: from the smallest size on; infinity: not up to the largest.

    `low` and `high` hold 95 % of what other draws from the repeats give.
    """

    n: float
    low: float
    high: float
    smallest: int
    largest: int

    def __str__(self) -> str:
        interval = f" ({self._word(self.low)} to {self._word(self.high)})" if self.low != self.high else ""
        if self.n == 0:
            return f"at every N measured, from {self.smallest} on{interval}"
        if self.n == math.inf:
            return f"not up to N = {self.largest}{interval}"
        return f"from N = {self.n:.0f} on{interval}"

    def _word(self, n: float) -> str:
        return f"below {self.smallest}" if n == 0 else f"above {self.largest}" if n == math.inf else f"{n:.0f}"


def crossover(
    fast: Mapping[int, Sequence[float]], slow: Mapping[int, Sequence[float]], draws: int = 2000, seed: int = 0
) -> Crossover:
    """The n from which on the medians of `fast` stay below those of `slow`, with a bootstrap's interval.

    Between sizes the curves are straight lines on logarithmic axes. The interval knows how repeats of one run scatter.
    It does not know what another day, or another load, would give.

    Args:
        fast, slow: by size the repeats, all above 0. draws: how often the repeats are drawn anew.

    Raises:
        ValueError: no size is in both.
    """
    sizes = sorted(set(fast) & set(slow))
    if not sizes:
        raise ValueError(f"no size is in both curves: {sorted(fast)} and {sorted(slow)}")
    generator = np.random.default_rng(seed)
    gaps = _medians(fast, sizes, draws, generator) - _medians(slow, sizes, draws, generator)
    found, *others = (_crossing(row, np.log(sizes)) for row in gaps)
    low, high = np.quantile(others, [0.025, 0.975], method="inverted_cdf")  # no means of infinities
    return Crossover(found, float(low), float(high), sizes[0], sizes[-1])


def _medians(
    curve: Mapping[int, Sequence[float]], sizes: list[int], draws: int, generator: np.random.Generator
) -> np.ndarray:
    """Their logarithms, a column a size: in the first row of what was measured, in the others of what is drawn."""
    columns = []
    for n in sizes:
        measured = np.asarray(curve[n], dtype=float)
        drawn = generator.choice(measured, (draws, len(measured)))
        columns.append([np.median(measured), *np.median(drawn, axis=1)])
    return np.log(columns).T


def _crossing(gaps: np.ndarray, at: np.ndarray) -> float:
    """Where the last step from a gap of at least zero to one below it passes zero.

    Args:
        gaps: log(fast / slow), below zero where `fast` is below. at: the logarithms of the sizes.
    """
    above = np.flatnonzero(gaps >= 0)
    if not len(above):
        return 0.0
    if gaps[-1] >= 0:
        return math.inf
    last = above[-1]
    return math.exp(np.interp(0, [gaps[last + 1], gaps[last]], [at[last + 1], at[last]]))
