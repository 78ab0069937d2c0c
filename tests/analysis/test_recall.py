"""What comes back of stored values: each number against plain loops, and the bound on the correlation."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from flatten_edu.analysis import correlation_bound, recall
from flatten_edu.data import hash_noise
from flatten_edu.functional import attention_matrix
from flatten_edu.labs import RecallLab


def stored(n=9, d=4, e=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    k, error = torch.randn(2, n, d, generator=generator, dtype=torch.float64)
    return k + 0.3 * error, k, torch.randn(n, e, generator=generator, dtype=torch.float64) + 2


def by_loops(q, k, v, kind, p, beside, removed):
    n, e = v.shape
    weights = attention_matrix(q, k, kind, p=p).tolist()
    out = [[sum(weights[i][j] * v[j][c].item() for j in range(n)) for c in range(e)] for i in range(n)]
    if beside is not None:
        out = [[out[i][c] + beside[i][c].item() for c in range(e)] for i in range(n)]
    means = [[sum(row[c] for row in x) / n for c in range(e)] for x in (out, v.tolist())]
    found, wanted = (
        [[row[c] - mean[c] for c in range(e)] for row in x] for x, mean in zip((out, v.tolist()), means, strict=True)
    )
    dot = lambda x, y: sum(a * b for s, t in zip(x, y, strict=True) for a, b in zip(s, t, strict=True))  # noqa: E731
    contrast = math.sqrt(dot(found, found) / dot(wanted, wanted))
    if removed:
        out = [[means[1][c] + found[i][c] / contrast for c in range(e)] for i in range(n)]
    distances = [[math.dist(out[i], v[j].tolist()) for j in range(n)] for i in range(n)]
    return {
        "weight": sum(weights[i][i] for i in range(n)) / n,
        "contrast": contrast,
        "correlation": dot(found, wanted) / math.sqrt(dot(found, found) * dot(wanted, wanted)),
        "right": sum(distances[i][i] == min(distances[i]) for i in range(n)) / n,
    }, out


@pytest.mark.parametrize("removed", [False, True])
@pytest.mark.parametrize("with_beside", [False, True])
@pytest.mark.parametrize(("kind", "p"), [("softmax", 3), ("relu", 3), ("focused", 1), ("focused", 8)])
def test_each_number_is_what_loops_find(kind, p, with_beside, removed):
    q, k, v = stored()
    beside = v.roll(1, 0) / 2 if with_beside else None
    found = recall(q, k, v, kind, p, beside, removed)
    numbers, out = by_loops(q, k, v, kind, p, beside, removed)
    assert {name: getattr(found, name) for name in numbers} == pytest.approx(numbers, abs=1e-12)
    torch.testing.assert_close(found.out, torch.tensor(out, dtype=torch.float64))


@given(seed=st.integers(0, 99), p=st.sampled_from([1, 3, 30]), kind=st.sampled_from(["softmax", "focused"]))
def test_the_switch_adds_nothing(seed, p, kind):
    q, k, v = stored(seed=seed)
    raw, switched = (recall(q, k, v, kind, p, removed=removed) for removed in (False, True))
    for name in ("weight", "contrast", "correlation"):
        assert getattr(raw, name) == getattr(switched, name)
    spread = (switched.out - switched.out.mean(0)).norm()
    assert spread.item() == pytest.approx((v - v.mean(0)).norm().item())
    torch.testing.assert_close(switched.out.mean(0), v.mean(0))


def test_values_that_are_all_the_same_have_no_contrast_to_compare():
    q, k, v = stored()
    found = recall(q, k, torch.ones_like(v), removed=True)
    assert math.isnan(found.correlation) and found.right == 1  # none is nearer than another


@pytest.mark.parametrize(("kind", "p"), [("relu", 1), ("focused", 3), ("focused", 32)])
def test_no_map_of_rank_d_correlates_more_than_the_bound(kind, p):
    """Values of very many numbers stand for the expectation."""
    q, k, _ = stored(n=60, d=12, seed=1)
    v = torch.randn(60, 20_000, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    assert recall(q, k, v, kind, p).correlation < correlation_bound(12, 60) + 0.005
    assert recall(q, k, v, "softmax").correlation > correlation_bound(12, 60)


def test_a_projection_reaches_the_bound():
    """Of all matrices of rank d, one that keeps d directions and drops the rest: with V white, it is the best."""
    n, d = 40, 10
    basis = torch.linalg.qr(torch.randn(n, d, generator=torch.Generator().manual_seed(0), dtype=torch.float64))[0]
    basis = torch.linalg.qr(basis - basis.mean(0))[0]  # directions that the mean over the rows does not touch
    keeps = basis @ basis.mT
    assert keeps.trace() / (keeps.norm() * math.sqrt(n - 1)) == pytest.approx(correlation_bound(d, n))


def test_the_bound_s_ends():
    assert correlation_bound(64, 196) == pytest.approx(0.5729, abs=1e-4) and correlation_bound(64, 49) == 1
    with pytest.raises(ValueError, match="at least one feature and two values, got 4 and 1"):
        correlation_bound(4, 1)


def test_which_p_finds_most_depends_on_who_reads():
    """Chapter 7 says so: the raw answers compared by angle, or longer values, put the same factors in another order."""
    lab = RecallLab(values="noise")
    found = {p: lab.recall("focused", p).out for p in (1, 4, 32)}
    v = lab.memory()[2]
    by_angle = {p: _most_alike(out, v) for p, out in found.items()}
    assert by_angle[4] > 0.35 > by_angle[32] > 0.15 > by_angle[1]
    q, k, _ = lab.memory()
    longer = hash_noise(0, 9, 196, 192)
    removed = {p: recall(q, k, longer, "focused", p, removed=True).right for p in (1, 4, 32)}
    assert removed[1] > 0.95 and 0.8 > removed[4] > 0.6 and removed[32] < 0.3


def _most_alike(out, v):
    cosines = F.normalize(out, dim=-1) @ F.normalize(v, dim=-1).mT
    return (cosines.argmax(-1) == torch.arange(len(v))).double().mean().item()
