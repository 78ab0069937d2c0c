"""The labs' mathematics against Python's: one table of twins, and what cannot be a row of it.

A row has a lab, an expression in its module, the Python function, drawn arguments for both, and a tolerance. The pages
hold nothing but the lab's module, so that no site is needed.
"""

import base64
import itertools
import math
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from flatten_edu.analysis import (
    NAMED_KERNELS,
    angle_degrees,
    capture,
    correlation_bound,
    crossing_scale,
    determinant_lemma,
    effective_rank,
    entropy_bits,
    equivalent_map,
    focused_cosine,
    largest_coordinate,
    magnitude_share,
    numerical_rank,
    proposition,
    rank_guarantee,
    rank_tolerance,
    recall_bound,
    scaled_softmax_weights,
    spectrum,
    stable_rank,
    top1_share,
    value_weighted,
    what_if_map,
)  # fmt: skip
from flatten_edu.analysis.proposition import LARGEST_P
from flatten_edu.data import centre_square, cifar10_samples, hash_noise
from flatten_edu.functional import (
    attention_cost,
    depthwise_conv,
    dwc_matrix,
    focused_map,
    linear_attention,
    linear_weights,
    multiply_adds_after,
    softmax_attention,
    softmax_weights,
    wrapped_dwc_matrix,
)  # fmt: skip
from flatten_edu.labs import RankLab
from flatten_edu.labs.maps.lab import MODELS
from flatten_edu.models import pretrained
from flatten_edu.models.pretrained import WEIGHTS
from flatten_edu.publish.mount import split_state

CALL = """
([expression, calls]) => {
  const f = (0, eval)(expression);
  const plain = (x) => (ArrayBuffer.isView(x) ? [...x] : Array.isArray(x) ? x.map(plain)
    : x && typeof x === "object" ? Object.fromEntries(Object.entries(x).map(([k, v]) => [k, plain(v)])) : x);
  return calls.map((args) => plain(f(...args)));
}
"""
TOKENS = [16, 28, 49, 98, 196, 392, 784, 1568, 3136, 6272, 12544]


def double(x) -> torch.Tensor:
    return torch.as_tensor(x, dtype=torch.float64)


def plain(value):
    """Tensors and arrays as lists of numbers, all the way down."""
    if isinstance(value, torch.Tensor | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


def assert_same(found, wanted, rel: float, absolute: float, where: Any = "") -> None:
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys(), where
        for key in wanted:
            assert_same(found[key], wanted[key], rel, absolute, (where, key))
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), where
        if wanted and isinstance(wanted[0], list | dict):
            for i, (one, other) in enumerate(zip(found, wanted, strict=True)):
                assert_same(one, other, rel, absolute, (where, i))
        else:
            assert found == pytest.approx(wanted, rel=rel, abs=absolute, nan_ok=True), where
    elif isinstance(wanted, str | bool | None):
        assert found == wanted, where
    else:
        assert found == pytest.approx(wanted, rel=rel, abs=absolute, nan_ok=True), where


# What is drawn.


def vectors(draw, count):
    """Vectors of 1 to 64 entries from tiny to large, some of them zero, tied or negative."""
    for _ in range(count):
        row = draw.normal(size=draw.integers(1, 65)) * 10.0 ** draw.integers(-4, 5)
        row[draw.random(row.shape) < 0.2] = 0
        yield np.where(draw.random(row.shape) < 0.1, np.abs(row).max(), row).tolist()


def pairs(draw):
    return [[x, draw.permutation(x).tolist()] for x in vectors(draw, 300)]


def positive_pairs(draw, count=400):
    """Pairs of 2 to 8 entries: in the sliders' steps or not, with zeros, ties, one scale or several."""
    while count:
        d = draw.integers(2, 9)
        x, y = draw.random((2, d)) * 10.0 ** draw.integers(-2, 3)
        if draw.random() < 0.5:
            x, y = np.round(x, 2), np.round(y, 2)
        x[draw.random(d) < 0.15] = 0
        y[draw.random(d) < 0.15] = 0
        if draw.random() < 0.1:
            y = 2 * x
        if draw.random() < 0.1:
            x[0] = x.max()
        if x.any() and y.any():
            count -= 1
            yield [x.tolist(), y.tolist()]


def weights(draw):
    rows = [np.maximum(x, 0) for x in vectors(draw, 300)]
    return [[(row / row.sum() if row.sum() else row).tolist()] for row in rows]


def query_and_keys(draw, low=-np.inf):
    shapes = draw.integers(1, 12, size=(200, 2))
    return [[np.maximum(draw.normal(size=size), low).tolist() for size in (d, (m, d))] for m, d in shapes]


def three_matrices(draw):
    for _ in range(200):
        n, d, e = draw.integers(1, 9), draw.integers(1, 5), draw.integers(1, 5)
        matrices = [draw.normal(size=size).tolist() for size in [(n, d), (n, d), (n, e)]]
        yield from ([*matrices, order] for order in ("qk_first", "kv_first"))


def sharp_rows(draw):
    """With keys that are all alike now and then, and with an entropy that no scale gives."""
    for _ in range(300):
        d, n = draw.integers(1, 17), draw.choice([2, 3, 5, 12, 40])
        q, k = draw.normal(0.3, 1, d), draw.normal(0.3, 1, (n, d))
        if draw.random() < 0.1:
            q, k[:] = np.round(3 * q), np.round(3 * k[0])  # whole numbers, whose products are the same in any order
        bits = draw.choice([1.1, draw.uniform(0.05, 0.95)], p=[0.1, 0.9]) * math.log2(n)
        yield [q.tolist(), k.tolist(), 2 ** draw.uniform(-3, 3), bool(draw.random() < 0.5), float(bits)]


def counts(draw):
    for n, d, e in [(6, 3, 3), (6, 3, 4), (8, 4, 5), (1, 1, 1), (2, 4, 1)]:
        for order in ("qk_first", "kv_first"):
            for entries in range(attention_cost(n, d, order, e).intermediate + n * e + 1):
                yield [entries, n, d, order, e]


def times_at_n(draw):
    for _ in range(100):
        n = np.unique(draw.integers(1, 20_000, size=draw.integers(2, 12)))
        seconds = 10.0 ** draw.uniform(-6, -2) * n ** draw.uniform(0, 3) * np.exp(draw.normal(size=n.size) / 5)
        yield [n.tolist(), seconds.tolist(), int(draw.choice([0, 196]))]


def power_laws(n, factor, exponent):
    return {"n": n, "seconds": [factor * x**exponent for x in n]}


def crossing_laws(draw):
    """Two power laws that meet at `at`, and that place; with fewer N, or none, in common."""
    for _ in range(100):
        at, slow, fast = 10 ** draw.uniform(0.5, 5), draw.uniform(1.6, 2.4), draw.uniform(0.8, 1.4)
        mine = [n for n in TOKENS if draw.random() < 0.8] or [49]
        yield [power_laws(mine, 1e-6, slow), power_laws(TOKENS[:9], 1e-6 * at ** (slow - fast), fast), at]


def layers(draw):
    """Small layers of random shape: what one row of theirs is asked for."""
    for seed in range(300):
        grid, heads, d = [int(draw.integers(1, 6)), int(draw.integers(1, 6))], draw.integers(1, 4), draw.integers(1, 7)
        first = int(draw.random() < 0.5)
        n = math.prod(grid) + first
        generator = torch.Generator().manual_seed(seed)
        size = 10 ** draw.uniform(-2, 1)
        rows = (torch.randn(3, heads, n, d, generator=generator, dtype=torch.float64) * size).tolist()
        kind = str(draw.choice(["softmax", "relu", "focused"]))
        sides = [int(draw.choice([1, 3, 5])), int(draw.choice([1, 3]))]
        yield [{
            "rows": rows, "scale": (draw.random(heads * d) + 0.1).tolist(), "kind": kind, "grid": grid, "first": first,
            "p": float(draw.choice([1, 1.05, 2, 3, 8, 32.5])), "perHead": bool(kind == "relu" or draw.random() < 0.5),
            "kernel": draw.normal(size=(d, *sides)).tolist(), "i": int(draw.integers(n)),
            "head": int(draw.integers(-1, heads)), "channel": int(draw.integers(-1, d)),
        }]  # fmt: skip


LAYER = """(c) => {
  const heads = c.rows[0].length, n = c.rows[0][0].length;
  const flat = (x) => Float64Array.from(x[0].flatMap((_, i) => x.flatMap((head) => head[i])));
  const [q, k, v] = c.rows.map(flat);
  const layer = { n, heads, q, k, v, scale: Float64Array.from(c.scale), kernel: null };
  const row = new lab.AttentionMap(layer, { kind: c.kind, p: c.p, perHead: c.perHead }).row(c.i, c.head);
  const kernel = { sides: [c.kernel[0].length, c.kernel[0][0].length], data: Float64Array.from(c.kernel.flat(2)) };
  const whole = lab.equivalentRow(row, c.i, kernel, c.grid, c.first, c.channel);
  return [row, whole, lab.valueWeighted(row, v, heads, c.head), lab.magnitudeShare(whole)];
}"""


def layer_rows(c):
    q, k, v = double(c["rows"])
    maps = what_if_map(q, k, c["kind"], c["p"], double(c["scale"]), "head" if c["perHead"] else "channels")
    one = maps.mean(0) if c["head"] < 0 else maps[c["head"]]
    equivalent = equivalent_map(one, double(c["kernel"]), tuple(c["grid"]), bool(c["first"]))
    whole = (equivalent.abs().mean(0) if c["channel"] < 0 else equivalent[c["channel"]])[c["i"]]
    value = v.transpose(0, 1).flatten(1) if c["head"] < 0 else v[c["head"]]
    return [one[c["i"]], whole, value_weighted(one, value)[c["i"]], magnitude_share(whole)]


def attention_tokens(kind):
    """Queries, keys and values of many sizes, in float32; rows of either sign, and a query without a positive entry."""

    def drawn(draw):
        sizes = [(1, 1), (2, 3), (3, 2), (4, 4), (5, 4), (16, 32), (49, 64), (63, 7), (64, 8), (65, 32), (131, 64)]
        for n, d in sizes + draw.integers(1, 90, size=(20, 2)).tolist():
            # Stored as float32, products of 100 would be off by 1e-5, and so would their exponentials.
            scales = 10.0 ** draw.integers(-2, 1 if kind == "softmax_written_out" else 2, size=3)
            q, k, v = (draw.normal(size=(n, d)).astype(np.float32) * np.float32(scale) for scale in scales)
            q[0] = -np.abs(q[0])
            grid = next([h, n // h] for h in range(int(math.sqrt(n)), 0, -1) if n % h == 0)
            kernel = draw.normal(size=25 * d).astype(np.float32)
            p = float(draw.choice([1, 1.5, 2, 3, 8, 20]))
            yield [kind, n, d, p, grid, kernel.tolist(), *(x.ravel().tolist() for x in (q, k, v))]
        if kind == "map":  # tiny and huge rows
            for scale in [1e-30, 1e-12, 1e12, 1e30]:
                q = (draw.normal(size=48) * scale).astype(np.float32).tolist()
                yield from ([kind, 6, 8, p, [2, 3], [0] * 200, q, q, q] for p in (1.0, 3.0, 8.0, 32.0))

    return drawn


TYPED = """(kind, n, d, p, grid, kernel, ...rows) => {
  const [q, k, v] = rows.map((x) => Float32Array.from(x));
  const room = lab.roomFor(n, d);
  room.out.fill(7); // what is left from before has no influence
  if (kind === "softmax_written_out") return lab.softmaxAttention(q, k, v, n, room).slice();
  if (kind === "map") return lab.focusedRows(q, room.phiQ, n, d, p).slice();
  if (kind === "convolution") {
    lab.addConvolution(room.out.fill(0), v, Float32Array.from(kernel), 5, grid, d);
    return room.out.slice();
  }
  const [phiQ, phiK] = kind === "relu"
    ? [lab.reluRows(q, room.phiQ, n * d), lab.reluRows(k, room.phiK, n * d)]
    : [lab.focusedRows(q, room.phiQ, n, d, p, false), lab.focusedRows(k, room.phiK, n, d, p)];
  return lab.linearAttention(phiQ, phiK, v, n, room).slice();
}"""


def attention(kind, n, d, p, grid, kernel, *rows):
    q, k, v = (double(x).reshape(n, d) for x in rows)
    maps = {"relu": torch.relu, "focused": lambda x: focused_map(x, p)}
    if kind in maps:
        return linear_attention(maps[kind](q), maps[kind](k), v).reshape(-1)
    if kind == "convolution":
        return depthwise_conv(v, double(kernel).reshape(5, 5, d).permute(2, 0, 1), None, tuple(grid)).reshape(-1)
    return (softmax_attention(q, k, v) if kind == "softmax_written_out" else focused_map(q, p)).reshape(-1)


def verdict(x, y):
    found = proposition(double(x), double(y))
    return {
        "case": found.case, "limit": found.limit, "fails": found.fails, "holdsFrom": found.holds_from,
        "worstP": found.worst_p, "worstDegrees": found.worst_degrees,
    }  # fmt: skip


def cost(*size):
    found = attention_cost(*size)
    names = {"first": found.first, "second": found.second}
    return names | {"multiplyAdds": found.multiply_adds, "intermediate": found.intermediate}


def both_products(q, k, v, order):
    q, k, v = double(q), double(k), double(v)
    middle = q @ k.mT if order == "qk_first" else k.mT @ v
    divided = linear_attention(q.relu(), k.relu(), v, order=order)
    return [middle, linear_attention(q, k, v, order=order, normalised=False), divided]


PRODUCTS = """(q, k, v, order) => {
  const relu = (x) => x.map((row) => row.map((entry) => Math.max(entry, 0)));
  const { middle, out } = lab.bothProducts(q, k, v, order);
  return [middle, out, lab.dividedByLast(lab.bothProducts(relu(q), relu(k), lab.withOnes(v), order).out)];
}"""


def straight_line(n, seconds, start):
    kept = [(x, y) for x, y in zip(n, seconds, strict=True) if x >= start]
    if len(kept) < 2:
        return {"exponent": math.nan, "points": len(kept)}
    exponent, intercept = np.polyfit(*np.log(np.array(kept).T), 1)
    return {"exponent": exponent, "factor": math.exp(intercept), "points": len(kept)}


LAW = """(n, seconds, start) => {
  const { exponent, factor, points } = lab.fitPowerLaw(n, seconds, start);
  return points < 2 ? { exponent, points } : { exponent, factor, points };
}"""


def crossing(slow, fast, at):
    common = [n for n in slow["n"] if n in fast["n"]]
    return math.nan if not common else 0 if at < min(common) else math.inf if at > max(common) else at


def pictures(draw):
    for height, width in [(28, 28), (56, 84), (31, 40), (97, 61), (13, 20), (140, 28)]:
        yield [draw.integers(0, 256, (height * width * 4,)).tolist(), width, height, 28]


def hard_matrices(draw, n=40):
    """Zeros, nilpotent, graded, repeated and tiny: where iterations of other programs have failed to end."""
    shift = np.eye(n, k=1)
    graded = np.diag(10.0 ** -np.arange(n)) @ draw.normal(size=(n, n))
    matrices = [
        np.zeros((n, n)), np.eye(n), shift, shift @ shift, np.ones((n, n)), graded, graded.T, 1e-300 * np.eye(n),
        1e150 * shift, np.triu(np.ones((n, n))), np.diag(np.r_[1.0, np.zeros(n - 1)]), draw.normal(size=(n, n)) ** 9,
        np.outer(draw.normal(size=n), draw.normal(size=n)), np.eye(n) - 1 / n,
    ]  # fmt: skip
    return [[matrix.ravel().tolist(), n] for matrix in matrices]


@dataclass(frozen=True)
class Twin:
    """Of a lab: an expression in its module, the Python function, arguments drawn for both, how far they may differ."""

    lab: str
    typescript: str
    python: Callable
    drawn: Callable
    rel: float = 1e-6
    absolute: float = 1e-12
    of_largest: bool = False  # differences are shares of the result's largest entry


HALVES = np.arange(0x7C00, dtype=np.uint16)[::7]
TWINS = [
    Twin("focus", "() => lab.LARGEST_P", lambda: LARGEST_P, lambda draw: [[]], 0, 0),
    Twin("focus", "focusedMap", lambda x, p: focused_map(double(x), float(p)),
         lambda draw: [[x, p] for x in vectors(draw, 60) for p in (1, 1.05, 2, 3, 8, 32.4, 256)]),
    Twin("focus", "angleDegrees", lambda x, y: angle_degrees(double(x), double(y)), pairs),
    Twin("focus", "softmaxWeights", lambda q, k: softmax_weights(double([q]), double(k))[0], query_and_keys),
    Twin("focus", "linearWeights", lambda q, k: linear_weights(double([q]), double(k))[0],
         lambda draw: query_and_keys(draw, 0)),
    Twin("focus", "entropyBits", lambda row: entropy_bits(double(row)), weights),
    Twin("focus", "top1Share", lambda row: top1_share(double(row)), weights),
    Twin("focus", "largestCoordinate", lambda row: int(largest_coordinate(double(row))), weights, 0, 0),
    Twin("focus", "stopsOfP", lambda largest: [2**o * (1 + i / 20) for o in range(8) for i in range(20)] + [largest],
         lambda draw: [[256]], 0, 0),
    Twin("focus", "(stops, x) => lab.position(stops, x)", lambda stops, x: np.interp(x, stops, range(len(stops))),
         lambda draw: [[[1, 2, 4, 8, 16], x] for x in (0.5, 1, 1.5, 3, 8, 11, 16, 40)]),
    Twin("reorder", "attentionCost", cost, lambda draw: [
        [int(draw.integers(1, 16385)), int(draw.integers(1, 257)), str(draw.choice(["qk_first", "kv_first"])), 7]
        for _ in range(400)], 0, 0),
    Twin("reorder", "multiplyAddsAfter", multiply_adds_after, counts, 0, 0),
    Twin("reorder", PRODUCTS, both_products, three_matrices, 1e-9),
    Twin("proof", "proposition", verdict, positive_pairs),
    Twin("proof", "focusedCosine", lambda x, y, p: focused_cosine(double(x), double(y), p),
         lambda draw: [[*pair, float(draw.choice([1, 1.05, 2, 3, 8.4, 64, 256]))] for pair in positive_pairs(draw)]),
    Twin("sharpness", "(q, k, s, divide, bits) => lab.crossingScale(q, k, bits, divide)",
         lambda q, k, s, divide, bits: crossing_scale(double(q), double(k), bits, divide), sharp_rows),
    Twin("sharpness", "(q, k, s, x) => [lab.scaledSoftmaxWeights(q, k, s, x), lab.entropyCurve(q, k, [s], x)]",
         lambda q, k, s, divide, bits: [row := scaled_softmax_weights(double(q), double(k), s, divide),
                                        [entropy_bits(row).item()]], sharp_rows),
    Twin("maps", LAYER, layer_rows, layers),
    Twin("maps", "centreSquare", lambda rgba, width, height, size: centre_square(
        np.array(rgba, dtype=np.uint8).reshape(height, width, 4)[..., :3], size).astype(int).ravel(),
        pictures, 0, 1),  # Pillow rounds once on the way
    Twin("maps", "erf", math.erf, lambda draw: [[x] for x in np.linspace(-7, 7, 1001).tolist()], 1e-13, 1e-15),
    Twin("maps", "(bits) => [lab.half(bits), lab.half(bits | 0x8000)]",
         lambda bits: [float(np.uint16(bits).view(np.float16)), -float(np.uint16(bits).view(np.float16))],
         lambda draw: [[int(bits)] for bits in HALVES], 0, 0),
    Twin("recall", "recallBound", recall_bound, lambda draw: draw.integers(1, 300, (50, 2)).tolist()),
    Twin("recall", "correlationBound", correlation_bound, lambda draw: draw.integers(2, 300, (50, 2)).tolist()),
    Twin("rank", "hashNoise", lambda *case: hash_noise(*case).reshape(-1), lambda draw: [
        [0, 0, 3, 5], [7, 1, 20, 64], [2**32 - 1, 2**31, 9, 9], [99, 2, 256, 25], [2**31, 3, 1, 1]], 0, 0),
    Twin("rank", "(m, n) => lab.singularValues(Float64Array.from(m), n)",
         lambda m, n: np.linalg.svd(np.array(m).reshape(n, n), compute_uv=False), hard_matrices, 0, 1e-13, True),
    *(Twin("timing", TYPED, attention, attention_tokens(kind), 0, 1e-6, True)
      for kind in ("softmax_written_out", "relu", "focused", "map", "convolution")),
    Twin("timing", "(n, d) => [...lab.inputs(n, d), lab.kernel(d)]",
         lambda n, d: [hash_noise(0, s, n, d).float().reshape(-1) for s in range(3)]
         + [(hash_noise(0, 3, 25, d) / 5).float().reshape(-1)], lambda draw: [[49, 32]], 0, 0),
    Twin("timing", LAW, straight_line, times_at_n, 1e-7, 1e-8),
    Twin("timing", "quantile", np.quantile, lambda draw: [
        [draw.normal(size=draw.integers(1, 30)).tolist(), float(draw.choice([0, 0.25, 0.5, 0.77, 1]))]
        for _ in range(100)]),
    Twin("timing", "crossover", crossing, crossing_laws, 1e-9),
]  # fmt: skip


def named(twin: Twin) -> str:
    found = re.findall(r"lab\.(?!roomFor)(\w+)", twin.typescript)
    return f"{twin.lab}-{(found or [twin.typescript])[0]}"


@pytest.mark.parametrize("twin", TWINS, ids=named)
def test_twins(bare, twin):
    calls = plain(list(twin.drawn(np.random.default_rng(0))))
    expression = twin.typescript if "=>" in twin.typescript else f"lab.{twin.typescript}"
    assert len(calls)
    for args, found in zip(calls, bare(twin.lab).evaluate(CALL, [expression, calls]), strict=True):
        wanted = plain(twin.python(*args))
        if twin.of_largest:
            scale = max(map(abs, wanted)) or 1
            found, wanted = ([x / scale for x in row] for row in (found, wanted))
        assert_same(found, wanted, twin.rel, twin.absolute, str(args)[:120])


def test_what_is_refused(bare):
    with pytest.raises(Exception, match="focusedMap needs a finite p > 0, got 0"):
        bare("focus").evaluate("lab.focusedMap([1, 2], 0)")
    with pytest.raises(Exception, match="cut short"):
        bare("maps").evaluate("lab.readSafetensors(new DataView(new Uint8Array(16).fill(9).buffer)), 0")


def test_the_crossover_is_the_last_one(bare):
    """A point that noise has put on the wrong side before it does not count; ties are no win."""
    n = [10, 20, 40, 80]
    cases = {(2, 0.5, 2, 4): 20 * 2**0.5, (1, 1, 1, 2): 40, (2, 1, 1, 1): math.inf, (2, 2, 2, 2): 0}
    calls = [[{"n": n, "seconds": list(slow)}, {"n": n, "seconds": [1, 1, 1, 1]}] for slow in cases]
    assert bare("timing").evaluate(CALL, ["lab.crossover", calls]) == pytest.approx(list(cases.values()))


INTERVAL = """(a, b) => {
  const [{ low, high }] = lab.bootstrap([a, b], ([one, other]) => [lab.crossover(one, other)]);
  return [low, high, lab.crossover(lab.middle(a), lab.middle(b))];
}"""


def test_the_bootstrap_s_interval_covers_the_truth_about_as_often_as_it_says(bare, measured):
    """Noise of 10 % on 7 repeats: of 200 made-up machines the interval holds the true crossover in most."""
    draw = np.random.default_rng(5)
    calls, truth = [], []
    for noise in [0.1] * 200 + [0]:
        at = 10 ** draw.uniform(2, 3)
        laws = [power_laws(TOKENS[:9], 1e-6, 2), power_laws(TOKENS[:9], 1e-6 * at, 1)]
        noisy = [np.array(one["seconds"])[:, None] * np.exp(noise * draw.normal(size=(9, 7))) for one in laws]
        calls.append([{"n": TOKENS[:9], "seconds": seconds.tolist()} for seconds in noisy])
        truth.append(at)
    found = bare("timing").evaluate(CALL, [INTERVAL, calls])
    assert all(low <= at <= high for low, high, at in found) and len(set(found[-1])) == 1  # no spread, no interval
    covered = np.mean([low <= at <= high for (low, high, _), at in zip(found[:200], truth, strict=False)])
    measured("lab timing: crossover's interval", f"holds the truth in {covered:.0%} of 200 made-up runs (says 95 %)")
    assert covered > 0.85


MEDIANS = """(values) => {
  const drawn = [];
  lab.bootstrap([{ n: [1], seconds: [values] }], ([one]) => { drawn.push(one.seconds[0]); return one.seconds; });
  return drawn;
}"""


def test_the_bootstrap_s_medians_are_those_of_samples_drawn_with_replacement(bare):
    """Against all samples of k draws from k values where they are few, against very many where they are not."""
    rows = [[3.0, 1.0, 2.0], [5.0, 1.0, 4.0, 2.0, 3.0, 7.0, 6.0], [2.0, 1.0], [4.0]]
    for values, drawn in zip(rows, bare("timing").evaluate(CALL, [MEDIANS, [[row] for row in rows]]), strict=True):
        every = np.array(list(itertools.product(sorted(values), repeat=len(values)))) if len(values) < 7 else None
        exact = np.median(every if every is not None else np.random.default_rng(0).choice(values, (50_000, 7)), axis=1)
        assert set(drawn) <= set(exact)
        assert np.mean(drawn) == pytest.approx(exact.mean(), abs=4 * exact.std() / math.sqrt(len(drawn)) + 1e-12)
        assert np.std(drawn) == pytest.approx(exact.std(), rel=0.25)


def packed(array) -> str:
    return base64.b64encode(np.ascontiguousarray(array, dtype=np.float32).tobytes()).decode()


FORWARD = """
([weights, cases]) => {
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const floats = (text) => Float64Array.from(new Float32Array(bytes(text).buffer));
  const tensors = lab.readSafetensors(new DataView(bytes(weights).buffer));
  const far = (x, text) => {
    const y = floats(text);
    return x.length === y.length ? x.reduce((most, entry, i) => Math.max(most, Math.abs(entry - y[i])), 0) : Infinity;
  };
  return cases.map(({ image, settings, logits, blocks }) => {
    const from = performance.now();
    const pass = lab.forward(tensors, floats(image), settings);
    const worst = { logits: far(pass.logits, logits), milliseconds: performance.now() - from };
    blocks.forEach((block, i) => Object.entries(block).forEach(([name, wanted]) => {
      worst[name] = Math.max(worst[name] ?? 0, far(pass.blocks[i][name], wanted));
    }));
    return worst;
  });
}
"""


def forward_case(model, image: torch.Tensor, p: float, whole: bool) -> dict:
    kind = model.config.attention
    for block in model.blocks:
        block.attn.p = p
        if kind == "relu":
            block.attn.feature_map = "focused"  # at p = 1 this is ReLU
    with capture(model) as records, torch.no_grad():
        logits = model(image[None])
    settings = {"variant": kind, "heads": model.config.num_heads, "p": p, "perHead": kind == "relu"}
    rows = lambda x: packed(x[0].transpose(0, 1).flatten(1))  # noqa: E731
    blocks = [{"q": rows(r.q), "k": rows(r.k), "v": rows(r.v), "weights": packed(r.weights)} for r in records]
    return {"image": packed(image), "settings": settings, "logits": packed(logits), "blocks": blocks if whole else []}


@pytest.mark.parametrize("name", MODELS)
def test_the_forward_pass_is_pytorch_s(bare, measured, name):
    model = pretrained(name)
    kind = model.config.attention
    generator = torch.Generator().manual_seed(0)
    images = [*cifar10_samples().batch(torch.arange(20))[0], *torch.randn(12, 3, 28, 28, generator=generator)]
    cases = [forward_case(model, image, 1 if kind == "relu" else 3, i % 10 == 0) for i, image in enumerate(images)]
    if kind != "softmax":
        cases += [forward_case(model, images[i], p, i < 2) for i, p in enumerate([1, 2, 8, 4.5])]
    weights = base64.b64encode((WEIGHTS / f"{name}.safetensors").read_bytes()).decode()
    found = bare("maps").evaluate(FORWARD, [weights, cases])
    worst = {part: max(one.get(part, 0) for one in found) for part in found[0]}
    times = sorted(one["milliseconds"] for one in found)
    del worst["milliseconds"]
    assert max(worst.values()) < 1e-4, worst
    apart = ", ".join(f"{part} {value:.0e}" for part, value in worst.items())
    measured(f"lab maps, {kind}: a pass", f"median {times[len(times) // 2]:.0f} ms (goal 100); from PyTorch {apart}")


# The lab `rank`, worker and all, on hundreds of random settings.

GRIDS = [(1, 2), (4, 4), (5, 3), (2, 9), (7, 7), (6, 9), (7, 14), (10, 10), (14, 14)]
MAPS = ("linear", "dwc", "equivalent", "softmax")
# LAPACK's values and these may differ by so much of the largest; a value that near to the tolerance is undecided.
FLOOR = 1e-13
STUDY = """(traits, tokens) => {
  const state = { ...traits, tokens: tokens && new DataView(Uint8Array.from(atob(tokens), (c) => c.charCodeAt(0)).buffer) };
  const made = new lab.CaseMaker().make({ get: (name) => state[name] });
  const { spectra, lemma } = new lab.SpectrumCache().answer(made);
  const names = Object.keys(spectra);
  const per = (f) => Object.fromEntries(names.map((name) => [name, f(spectra[name])]));
  return {
    spectra, ranks: per((s) => lab.numericalRank(s)), chosen: per((s) => lab.numericalRank(s, state.tolerance || undefined)),
    effective: per(lab.effectiveRank), stable: per(lab.stableRank), wrong: made.wrong, ones: made.ones,
    bounds: lab.bounds(spectra.linear, spectra.dwc, spectra.equivalent),
    checks: names.map((name) => made.maps[name].reduce((sum, v, i) => sum + v * Math.cos(i), 0)),
    lemma: lemma && Object.values(lemma).map(({ sign, log10 }) => [sign, log10]),
  };
}"""  # noqa: E501


def random_setting(draw: random.Random, given: bool) -> RankLab:
    common = {
        "p": draw.choice([1.0, 1.5, 3.0, 3.0, 8.0, 32.0]), "wrapped": draw.random() < 0.3,
        "convolution": draw.choice(["random", "random", *NAMED_KERNELS, *["given"] * 3 * given]),
        "channel": draw.randrange(70),
        "tolerance": draw.choice([0.0, 0.0, 1e-12, 1e-6, 1e-3, 0.01, 0.1]),
        "seed": draw.choice([draw.randrange(100), draw.randrange(2**32)]),
    }  # fmt: skip
    rows, columns = draw.choice(GRIDS)
    if not given:
        return RankLab(grid=(rows, columns), d=draw.choice([1, 2, 4, 8, 16, 32, 64, 128, 256]), **common)
    n, d, heads, layers = rows * columns, draw.choice([1, 3, 16, 40]), draw.choice([1, 2]), draw.choice([1, 3])
    generator = torch.Generator().manual_seed(common["seed"] % 2**31)
    dtype = draw.choice([torch.float16, torch.float32, torch.float64])
    q, k = (torch.randn(layers, heads, n, d, generator=generator).to(dtype) for _ in range(2))
    kernel = torch.randn(layers, d, draw.choice([1, 3, 5]), draw.choice([1, 3, 7]), generator=generator).to(dtype)
    own = {"layer": draw.randrange(4), "head": draw.randrange(3)}
    return RankLab(q=q, k=k, kernel=kernel, **common | own | {"grid": (rows, columns)})


def sent(lab: RankLab) -> list:
    """A lab's state, and its tensors where they are asked for."""
    state, buffers = split_state(lab)
    needed = "given" in (lab.source, lab.convolution)
    return [state, base64.b64encode(buffers["tokens"]).decode() if needed else None]


def line_of(matrix, tolerance) -> float:
    return float(tolerance * spectrum(matrix)[0] if tolerance else rank_tolerance(matrix))


def on_the_line(matrix, tolerance) -> bool:
    """Whether rounding decides a rank: a singular value within the floor of the tolerance."""
    values = spectrum(matrix)
    floor = min(FLOOR * float(values[0]), 0.05 * line_of(matrix, tolerance))
    return bool(((values - line_of(matrix, tolerance)).abs() < floor).any())


@pytest.mark.parametrize("given", [False, True], ids=["random", "given"])
def test_hundreds_of_settings_of_rank_give_what_python_gives(bare, measured, given):
    draw = random.Random(0)
    labs = [random_setting(draw, given) for _ in range(30 if given else 120)]
    found = bare("rank").evaluate(CALL, [STUDY, [sent(lab) for lab in labs]])
    furthest, undecided, unequal, ranks, lemmas = 0.0, 0, 0, 0, 0
    for lab, browser in zip(labs, found, strict=True):
        maps = lab.maps()
        n = len(maps.linear)
        for i, name in enumerate(MAPS):
            matrix = getattr(maps, name)
            values = spectrum(matrix)
            weight = torch.cos(torch.arange(n * n, dtype=torch.float64)).reshape(n, n)
            check = float((matrix * weight).sum())
            assert browser["checks"][i] == pytest.approx(check, abs=1e-9 * max(1, float(values[0])))
            if values[0] > 0:
                gap = np.abs(np.array(browser["spectra"][name]) - values.numpy()).max() / float(values[0])
                furthest = max(furthest, gap)
            for key, tolerance in {"ranks": 0.0, "chosen": lab.tolerance}.items():
                wanted = int(numerical_rank(matrix, line_of(matrix, tolerance)))
                ranks += 1
                near = on_the_line(matrix, tolerance)
                undecided += near
                unequal += browser[key][name] != wanted
                assert abs(browser[key][name] - wanted) <= near, (name, lab.convolution, lab.grid, lab.d, lab.p)
            for key, measure in {"effective": effective_rank, "stable": stable_rank}.items():
                assert browser[key][name] == pytest.approx(float(measure(matrix)), rel=1e-6, nan_ok=True)
        lemmas += assert_guarantees(maps, browser, n)
        kernel, grid = lab._kernel(len(maps.w[0])).double(), tuple(lab._tokens()[2])
        differ = dwc_matrix(kernel, grid) != wrapped_dwc_matrix(kernel, grid)
        assert browser["wrong"] == {"entries": int(differ.sum()), "rows": int(differ.any(1).sum())}
        assert browser["ones"] == pytest.approx(float(maps.equivalent.sum(1).norm()), rel=1e-6, abs=1e-12)
    assert furthest < FLOOR and undecided < 0.02 * ranks
    measured(
        f"lab rank, {'given' if given else 'random'}: twins",
        f"{len(labs)} settings, {ranks - unequal} of {ranks} ranks equal ({undecided} lie on the tolerance), "
        f"singular values within {furthest:.0e} of the largest, {lemmas} determinants",
    )


def assert_guarantees(maps, browser, n) -> int:
    """Bounds and, where they are defined, both sides of the lemma."""
    python = rank_guarantee(maps.dwc, maps.u, maps.w)
    found = browser["bounds"]
    if any(on_the_line(matrix, 0) for matrix in (maps.dwc, maps.linear, maps.equivalent)):
        return 0
    assert (found["dwc"], found["linear"], found["sum"]) == (python.dwc_rank, python.linear_rank, python.sum_rank)
    assert (found["low"], found["high"]) == (python.lower_bound, python.upper_bound)
    assert (browser["lemma"] is None) == (python.dwc_rank < n)
    if browser["lemma"] is None or python.sum_rank < n:
        return 0
    wanted = [number for side in determinant_lemma(maps.dwc, maps.u, maps.w) for number in side]
    assert [number for side in browser["lemma"] for number in side] == pytest.approx(wanted, rel=1e-6, abs=1e-6)
    return 1
