"""What timings say: exponents by fits on logarithmic axes, and where one curve goes below another."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Slope:
    """A power law fitted to sizes `smallest` to `largest`: value = constant * n ** exponent."""

    exponent: float
    error: float | None  # the exponent's standard error, from the residuals; None of two sizes
    constant: float
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
    spread = ((x - x.mean()) ** 2).sum()
    exponent = ((x - x.mean()) * (y - y.mean())).sum() / spread
    level = y.mean() - exponent * x.mean()
    residual = ((y - level - exponent * x) ** 2).sum()
    error = math.sqrt(residual / (len(kept) - 2) / spread) if len(kept) > 2 else None
    return Slope(float(exponent), error, math.exp(level), kept[0][0], kept[-1][0])


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


def crossing(fast: Mapping[int, float], slow: Mapping[int, float]) -> float:
    """The n from which on `fast` stays below `slow`, between sizes along straight lines on logarithmic axes.

    Args:
        fast, slow: values above 0 by size; at least one size is in both.

    Returns:
        0 where it is below at each size, infinity where it is not at the largest.

    Raises:
        ValueError: no size is in both.
    """
    sizes = sorted(set(fast) & set(slow))
    if not sizes:
        raise ValueError(f"no size is in both curves: {sorted(fast)} and {sorted(slow)}")
    gaps = np.array([[math.log(fast[n] / slow[n]) for n in sizes]])
    return float(_crossings(gaps, np.log(sizes))[0])


def _crossings(gaps: np.ndarray, at: np.ndarray) -> np.ndarray:
    """For each row, where the last step from a gap of at least zero to one below it passes zero.

    Args:
        gaps: rows of log(fast / slow), below zero where `fast` is below. at: the logarithms of the sizes.
    """
    found = np.zeros(len(gaps))
    found[gaps[:, -1] >= 0] = np.inf
    crosses = (gaps[:, -1] < 0) & (gaps >= 0).any(1)
    rows = np.flatnonzero(crosses)
    last = gaps.shape[1] - 1 - (gaps[rows, ::-1] >= 0).argmax(1)
    share = gaps[rows, last] / (gaps[rows, last] - gaps[rows, last + 1])
    found[rows] = np.exp(at[last] + share * (at[last + 1] - at[last]))
    return found


def crossover(
    fast: Mapping[int, Sequence[float]], slow: Mapping[int, Sequence[float]], draws: int = 2000, seed: int = 0
) -> Crossover:
    """`crossing` of the medians, with the interval that a bootstrap over the repeats gives.

    The interval knows how repeats of one run scatter. It does not know what another day, or another load, would give.

    Raises:
        ValueError: no size is in both.
    """
    sizes = sorted(set(fast) & set(slow))
    found = crossing(*({n: float(np.median(curve[n])) for n in sizes} for curve in (fast, slow)))
    generator = np.random.default_rng(seed)
    drawn = [np.stack([_medians(curve[n], draws, generator) for n in sizes], axis=1) for curve in (fast, slow)]
    others = _crossings(np.log(drawn[0] / drawn[1]), np.log(sizes))
    low, high = np.quantile(others, [0.025, 0.975], method="inverted_cdf")  # no means of infinities
    return Crossover(found, float(low), float(high), sizes[0], sizes[-1])


def _medians(repeats: Sequence[float], draws: int, generator: np.random.Generator) -> np.ndarray:
    values = np.asarray(repeats, dtype=float)
    return np.median(generator.choice(values, (draws, len(values))), axis=1)
