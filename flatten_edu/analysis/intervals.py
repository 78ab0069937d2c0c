"""How far a mean or a difference can be trusted: intervals over seeds and over images, and McNemar's test."""

import torch
from jaxtyping import Bool, Float
from scipy.special import bdtr, stdtrit
from torch import Tensor


def seed_interval(values: Float[Tensor, " n"], level: float = 0.95) -> tuple[float, float]:
    """Student's interval for the mean of a few runs, or of their differences seed by seed.

    With three runs it is 2.5 times as wide as their range would make believe: so little do three runs say.

    Raises:
        ValueError: fewer than two values.
    """
    if len(values) < 2:
        raise ValueError(f"an interval needs two values at least, got {len(values)}")
    values = values.double()
    half = float(stdtrit(len(values) - 1, (1 + level) / 2)) * (values.std() / len(values) ** 0.5).item()
    return values.mean().item() - half, values.mean().item() + half


def bootstrap_interval(
    values: Float[Tensor, " n"], level: float = 0.95, draws: int = 4000, seed: int = 0
) -> tuple[float, float]:
    """Percentiles of the mean over samples drawn from the values with replacement: for many values, images say.

    Raises:
        ValueError: fewer than 20 values, of which such samples are too much alike.
    """
    if len(values) < 20:
        raise ValueError(f"a bootstrap needs 20 values at least, got {len(values)}: see seed_interval")
    drawn = torch.randint(len(values), (draws, len(values)), generator=torch.Generator().manual_seed(seed))
    means = values.double()[drawn].mean(1)
    outside = (1 - level) / 2
    low, high = means.quantile(torch.tensor([outside, 1 - outside], dtype=torch.float64)).tolist()
    return low, high


def mcnemar(first: Bool[Tensor, " n"], second: Bool[Tensor, " n"]) -> float:
    """The p-value of two models' being right equally often, from the images that one of them alone got right.

    McNemar (1947), in the exact form: a two-sided binomial test. 1.0 where no image tells them apart.
    """
    gained, lost = int((second & ~first).sum()), int((first & ~second).sum())
    return min(1.0, 2 * float(bdtr(min(gained, lost), gained + lost, 0.5)))
