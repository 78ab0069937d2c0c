"""What the lab `timing` times, and how it reads times: against Python's functions and NumPy, on random input."""

import itertools
import json
import math

import numpy as np
import pytest
import torch

from flatten_edu.data import hash_noise
from flatten_edu.functional import depthwise_conv, focused_map, linear_attention, softmax_attention
from tests.browser.conftest import FLAGS
from tools.chromium import find

PAGE = "book/labs/timing.html"
GPU_FLAGS = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]
FLOAT32 = 1e-6  # of the result's largest entry
CALL = """
async ([esm, name, calls]) => {
  const lab = await import(new URL(esm, document.baseURI));
  const plain = (x) => (x === Infinity ? "inf" : Number.isNaN(x) ? "nan" : x);
  const told = (x) => Object.fromEntries(Object.entries(x).map(([key, value]) => [key, plain(value)]));
  return calls.map((args) => lab[name](...args)).map((x) => (typeof x === "object" ? told(x) : plain(x)));
}
"""
ATTENTION = """
async ([esm, cases]) => {
  const lab = await import(new URL(esm, document.baseURI));
  return cases.map(({ kind, n, d, p, grid, kernel, side, ...arrays }) => {
    const [q, k, v] = [arrays.q, arrays.k, arrays.v].map((x) => Float32Array.from(x));
    const room = new lab.Room(n, d);
    room.out.fill(7); // what is left from before has no influence
    if (kind === "softmax_written_out") return [...lab.softmaxAttention(q, k, v, n, room)];
    if (kind === "map") return [...lab.focusedRows(q, room.phiQ, n, d, p)];
    if (kind === "convolution") {
      lab.addConvolution(room.out.fill(0), v, Float32Array.from(kernel), side, grid, d);
      return [...room.out];
    }
    const [phiQ, phiK] = kind === "relu"
      ? [lab.reluRows(q, room.phiQ, n * d), lab.reluRows(k, room.phiK, n * d)]
      : [lab.focusedRows(q, room.phiQ, n, d, p, false), lab.focusedRows(k, room.phiK, n, d, p)];
    return [...lab.linearAttention(phiQ, phiK, v, n, room)];
  });
}
"""


def module(page) -> str:
    return json.loads(page.locator(".fe-mount script").first.text_content())["esm"]


@pytest.fixture
def live(reader):
    """The lab's page, and call(name, calls): a function of the lab's module on each list of arguments."""
    page = reader().open(PAGE)

    def call(name, calls):
        return page.evaluate(CALL, [module(page), name, calls])

    return page, call


def tokens(draw, n, d) -> np.ndarray:
    return draw.normal(size=(n, d)).astype(np.float32)


def wanted(case) -> torch.Tensor:
    """The same by Python's functions, in float64."""
    q, k, v = (torch.tensor(case[name], dtype=torch.float64).reshape(case["n"], case["d"]) for name in "qkv")
    match case["kind"]:
        case "softmax_written_out":
            return softmax_attention(q, k, v)
        case "map":
            return focused_map(q, case["p"])
        case "relu":
            return linear_attention(q.relu(), k.relu(), v)
        case "focused":
            return linear_attention(focused_map(q, case["p"]), focused_map(k, case["p"]), v)
    kernel = torch.tensor(case["kernel"], dtype=torch.float64).reshape(case["side"], case["side"], case["d"])
    return depthwise_conv(v, kernel.permute(2, 0, 1), None, tuple(case["grid"]))


def assert_twins(found, case) -> float:
    exact = wanted(case).reshape(-1)
    largest = exact.abs().max().clamp(min=1e-30)
    difference = float((torch.tensor(found, dtype=torch.float64) - exact).abs().max() / largest)
    assert difference <= FLOAT32, (case["kind"], case["n"], case["d"], case["p"])
    return difference


@pytest.mark.parametrize("kind", ["softmax_written_out", "relu", "focused", "map", "convolution"])
def test_typed_arrays(live, kind, measured):
    page, _ = live
    draw = np.random.default_rng(sum(map(ord, kind)))
    shapes = [
        (1, 1),
        (2, 3),
        (3, 2),
        (4, 4),
        (5, 4),
        (16, 32),
        (49, 64),
        (63, 7),
        (64, 8),
        (65, 32),
        (131, 64),
        (196, 33),
    ]
    cases = []
    for n, d in shapes + [tuple(draw.integers(1, 90, size=2).tolist()) for _ in range(20)]:
        grid = next([h, n // h] for h in range(int(math.sqrt(n)), 0, -1) if n % h == 0)
        # Stored as float32, products of 100 would be off by 1e-5, and so would their exponentials.
        q, k, v = (
            tokens(draw, n, d) * 10.0 ** draw.integers(-2, 1 if kind == "softmax_written_out" else 2) for _ in range(3)
        )
        q[draw.random(n) < 0.1] *= -1  # rows of either sign
        q[0] = -np.abs(q[0])  # a query without a positive entry
        kernel, side = draw.normal(size=25 * d).astype(np.float32), 5
        p = draw.choice([1.0, 1.5, 2.0, 3.0, 8.0, 20.0]).item()
        arrays = {name: x.ravel().tolist() for name, x in zip("qkv", (q, k, v), strict=True)}
        cases.append(dict(kind=kind, n=n, d=d, p=p, grid=grid, kernel=kernel.tolist(), side=side, **arrays))
    found = page.evaluate(ATTENTION, [module(page), cases])
    furthest = max(assert_twins(one, case) for one, case in zip(found, cases, strict=True))
    measured(f"lab timing, {kind}: twins", f"{len(cases)} sizes, within {furthest:.0e} of the largest entry")


def test_tiny_and_huge_rows_are_mapped_as_in_python(live):
    page, _ = live
    draw = np.random.default_rng(1)
    cases = []
    for scale in [1e-30, 1e-12, 1.0, 1e12, 1e30]:
        q = tokens(draw, 6, 8) * np.float32(scale)
        arrays = dict.fromkeys("kv", q.ravel().tolist()) | {"q": q.ravel().tolist()}
        cases += [dict(kind="map", n=6, d=8, p=p, **arrays) for p in (1.0, 3.0, 8.0, 32.0)]
    for found, case in zip(page.evaluate(ATTENTION, [module(page), cases]), cases, strict=True):
        assert_twins(found, case)


def test_the_inputs_are_python_s(live):
    page, _ = live
    found = page.evaluate(
        "async ([esm]) => { const { inputs, kernel } = await import(new URL(esm, document.baseURI));"
        " return [...inputs(49, 32), kernel(32)].map((x) => [...x]); }",
        [module(page)],
    )
    exact = [hash_noise(0, stream, 49, 32) for stream in range(3)] + [hash_noise(0, 3, 25, 32) / 5]
    for one, other in zip(found, exact, strict=True):
        assert one == other.float().reshape(-1).tolist()


# The shaders on one machine's adapter: their results, and those of the typed arrays.
SHADERS = """
async ([esm, tasks, sizes, mapBytes]) => {
  const lab = await import(new URL(esm, document.baseURI));
  if (!navigator.gpu || !(await navigator.gpu.requestAdapter())) return null;
  const found = [];
  for (const task of tasks) {
    const gpu = await lab.Gpu.open(task, mapBytes);
    const typed = new lab.TypedArrays(task);
    for (const n of sizes) {
      for (const variant of ["softmax_written_out", "relu", "focused"]) {
        const [one, other] = [await gpu.output(variant, n), await typed.output(variant, n)];
        const largest = other.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
        const apart = other.reduce((most, x, i) => Math.max(most, Math.abs(x - one[i])), 0);
        found.push({ ...task, variant, n, length: one.length, share: apart / largest, out: [...one] });
      }
    }
    found.at(-1).seconds = await gpu.elapsed("relu", 49, 2);
    found.at(-1).name = `${gpu.name}, ${gpu.timer}`;
  }
  return found;
}
"""


@pytest.fixture(scope="module")
def shaders(browser, site):
    """Run SHADERS in a Chromium that has WebGPU, if only in software."""
    chromium = browser.browser_type.launch(executable_path=find(), args=FLAGS + GPU_FLAGS)
    page = chromium.new_page()
    page.goto(site + PAGE)

    def run(tasks, sizes, map_bytes):
        found = page.evaluate(SHADERS, [module(page), tasks, sizes, map_bytes])
        if found is None:
            pytest.skip("this Chromium has no WebGPU adapter, not even in software")
        return found

    yield run
    chromium.close()


def on_inputs(variant, n, d, p, dwc) -> torch.Tensor:
    q, k, v = (hash_noise(0, stream, n, d) for stream in range(3))
    if variant == "softmax_written_out":
        return softmax_attention(q, k, v)
    phi = torch.relu if variant == "relu" else lambda x: focused_map(x, p)
    out = linear_attention(phi(q), phi(k), v)
    if variant == "relu" or not dwc:
        return out
    rows = {16: 4, 28: 4, 49: 7, 98: 7, 196: 14, 392: 14}[n]
    kernel = (hash_noise(0, 3, 25, d) / 5).reshape(5, 5, d).permute(2, 0, 1)
    return out + depthwise_conv(v, kernel, None, (rows, n // rows))


def test_the_shaders_are_twins_of_the_typed_arrays_and_of_python(shaders, measured):
    """With little room for the map, so that softmax goes through it in several blocks; 392 tokens are two chunks."""
    tasks = [
        {"d": 64, "p": 3, "dwc": False}, {"d": 32, "p": 2.5, "dwc": True}, {"d": 64, "p": 1, "dwc": True},
        {"d": 32, "p": 12, "dwc": False},
    ]  # fmt: skip
    found = shaders(tasks, [16, 98, 49, 392], 4 * 64 * 392)
    shares = []
    for one in found:
        exact = on_inputs(*(one[key] for key in ("variant", "n", "d", "p", "dwc"))).reshape(-1)
        # A general power is exp2(p log2 x) on a device, good for 5 digits; all else is as good as float32.
        tolerance = 1e-4 if one["variant"] == "focused" and one["p"] in (2.5, 12) else 3e-6
        difference = (torch.tensor(one.pop("out"), dtype=torch.float64) - exact).abs().max() / exact.abs().max()
        assert one["length"] == len(exact) and one["share"] < tolerance and difference < tolerance, one
        shares.append(one["share"])
    assert all(one["seconds"] > 0 for one in found if "seconds" in one)
    name = next(one["name"] for one in found if "name" in one)
    measured("lab timing, WebGPU: twins", f"{len(found)} cases within {max(shares):.0e} of the largest entry ({name})")


def number(x):
    return {"inf": math.inf, "nan": math.nan}.get(x, x)


def test_a_power_law_is_numpy_s_straight_line(live):
    _, call = live
    draw = np.random.default_rng(2)
    calls = []
    for _ in range(100):
        n = np.unique(draw.integers(1, 20_000, size=draw.integers(2, 12)))
        seconds = 10.0 ** draw.uniform(-6, -2) * n ** draw.uniform(0, 3) * np.exp(draw.normal(size=n.size) / 5)
        calls.append([n.tolist(), seconds.tolist(), draw.choice([0, 196]).item()])
    for (n, seconds, start), law in zip(calls, call("fitPowerLaw", calls), strict=True):
        kept = [(x, y) for x, y in zip(n, seconds, strict=True) if x >= start]
        assert law["points"] == len(kept)
        if len(kept) < 2:
            assert law["exponent"] == "nan"
            continue
        exponent, intercept = np.polyfit(*np.log(np.array(kept).T), 1)
        assert law["exponent"] == pytest.approx(exponent, rel=1e-8, abs=1e-8)
        assert law["factor"] == pytest.approx(np.exp(intercept), rel=1e-7)


def test_quantiles_are_numpy_s(live):
    _, call = live
    draw = np.random.default_rng(3)
    calls = [
        [draw.normal(size=draw.integers(1, 30)).tolist(), draw.choice([0, 0.25, 0.5, 0.77, 1])] for _ in range(100)
    ]
    assert call("quantile", calls) == pytest.approx([np.quantile(values, share) for values, share in calls])


TOKENS = [16, 28, 49, 98, 196, 392, 784, 1568, 3136, 6272, 12544]


def times(n, factor, exponent):
    return {"n": n, "seconds": [factor * x**exponent for x in n]}


def test_the_crossover_of_two_power_laws_is_where_they_are_equal(live):
    _, call = live
    draw = np.random.default_rng(4)
    calls, exact = [], []
    for _ in range(100):
        at, slow, fast = 10 ** draw.uniform(0.5, 5), draw.uniform(1.6, 2.4), draw.uniform(0.8, 1.4)
        mine = [n for n in TOKENS if draw.random() < 0.8] or [49]
        calls.append([times(mine, 1e-6, slow), times(TOKENS[:9], 1e-6 * at ** (slow - fast), fast)])
        common = [n for n in mine if n in TOKENS[:9]]
        exact.append(math.nan if not common else 0 if at < min(common) else math.inf if at > max(common) else at)
    found = [number(x) for x in call("crossover", calls)]
    assert found == pytest.approx(exact, rel=1e-9, nan_ok=True)
    assert {0, math.inf} < set(exact)


def test_the_crossover_is_the_last_one(live):
    """A point that noise has put on the wrong side before it does not count; ties are no win."""
    _, call = live
    n = [10, 20, 40, 80]
    fast = {"n": n, "seconds": [1, 1, 1, 1]}
    cases = {(2, 0.5, 2, 4): 20 * 2**0.5, (1, 1, 1, 2): 40, (2, 1, 1, 1): math.inf, (2, 2, 2, 2): 0}
    found = call("crossover", [[{"n": n, "seconds": list(slow)}, fast] for slow in cases])
    assert [number(x) for x in found] == pytest.approx(list(cases.values()))


BOOTSTRAP = """
async ([esm, cases]) => {
  const lab = await import(new URL(esm, document.baseURI));
  return cases.map(([a, b]) => {
    const [{ low, high }] = lab.bootstrap([a, b], ([one, other]) => [lab.crossover(one, other)]);
    return [low, high, lab.crossover(lab.middle(a), lab.middle(b))].map((x) => (x === Infinity ? "inf" : x));
  });
}
"""


def test_the_bootstrap_s_interval_covers_the_truth_about_as_often_as_it_says(live, measured):
    """Noise of 10 % on 7 repeats: of 200 made-up machines the interval holds the true crossover in most."""
    page, _ = live
    draw = np.random.default_rng(5)
    cases, truth = [], []
    for _ in range(200):
        at = 10 ** draw.uniform(2, 3)
        pair = [times(TOKENS[:9], 1e-6, 2), times(TOKENS[:9], 1e-6 * at, 1)]
        noisy = [np.array(one["seconds"])[:, None] * np.exp(0.1 * draw.normal(size=(9, 7))) for one in pair]
        cases.append([{"n": TOKENS[:9], "seconds": seconds.tolist()} for seconds in noisy])
        truth.append(at)
    found = page.evaluate(BOOTSTRAP, [module(page), cases])
    assert all(low <= at <= high for low, high, at in found)
    covered = np.mean([low <= at <= high for (low, high, _), at in zip(found, truth, strict=True)])
    measured("lab timing: crossover's interval", f"holds the truth in {covered:.0%} of 200 made-up runs (says 95 %)")
    assert covered > 0.85


MEDIANS = """
async ([esm, rows]) => {
  const lab = await import(new URL(esm, document.baseURI));
  return rows.map((values) => {
    const drawn = [];
    lab.bootstrap([{ n: [1], seconds: [values] }], ([one]) => { drawn.push(one.seconds[0]); return one.seconds; });
    return drawn;
  });
}
"""


def test_the_bootstrap_s_medians_are_those_of_samples_drawn_with_replacement(live):
    """Against all samples of k draws from k values where they are few, against very many where they are not."""
    page, _ = live
    rows = [[3.0, 1.0, 2.0], [5.0, 1.0, 4.0, 2.0, 3.0, 7.0, 6.0], [2.0, 1.0], [4.0]]
    for values, drawn in zip(rows, page.evaluate(MEDIANS, [module(page), rows]), strict=True):
        every = np.array(list(itertools.product(sorted(values), repeat=len(values)))) if len(values) < 7 else None
        exact = np.median(every if every is not None else np.random.default_rng(0).choice(values, (50_000, 7)), axis=1)
        assert set(drawn) <= set(exact)
        assert np.mean(drawn) == pytest.approx(exact.mean(), abs=4 * exact.std() / math.sqrt(len(drawn)) + 1e-12)
        assert np.std(drawn) == pytest.approx(exact.std(), rel=0.25)


def test_repeats_without_spread_have_no_interval(live):
    page, _ = live
    steady = [{"n": TOKENS, "seconds": [[s] * 7 for s in times(TOKENS, 1e-6, e)["seconds"]]} for e in (2, 1.5)]
    ((low, high, at),) = page.evaluate(BOOTSTRAP, [module(page), [steady]])
    assert low == high == at


# A made-up machine with exact times: what is measured, in which order, until the plan is done or somebody stops.
SIMULATE = """
async ([esm, { budget, least, factors, stopAt, fails }]) => {
  const lab = await import(new URL(esm, document.baseURI));
  const point = (record, variant, n) => record.points.find((p) => p.variant === variant && p.n === n);
  const seconds = ({ variant, n }) => factors[variant] * n ** (variant === "softmax_written_out" ? 2 : 1);
  const record = { points: [] };
  const order = [];
  const budgets = [...budget];
  for (let i = 0; i < 5000; i++) {
    const cell = lab.next(lab.plan(record, budgets[0], least));
    if (!cell) {
      budgets.shift();
      if (!budgets.length) break;
      continue;
    }
    order.push([cell.variant, cell.n]);
    const failed = fails && fails[0] === cell.variant && cell.n >= fails[1];
    const before = point(record, cell.variant, cell.n)?.seconds ?? [];
    record.points = record.points.filter((p) => p.variant !== cell.variant || p.n !== cell.n);
    record.points.push(lab.makePoint(cell.variant, cell.n, 64, failed ? [] : [...before, seconds(cell)], failed ? "out of memory" : null));
  }
  return { order, progress: lab.progress(lab.plan(record, budget.at(-1), least)) };
}
"""  # noqa: E501
MACHINE = {"least": 0.01, "factors": {"softmax_written_out": 1e-7, "relu": 6e-6, "focused": 7e-6}}


def simulate(page, **machine):
    return page.evaluate(SIMULATE, [module(page), MACHINE | machine])


def test_a_plan_keeps_to_its_budget_and_measures_each_point_seven_times(live):
    page, _ = live
    for budget in [1, 3, 10, 60, 1000]:
        found = simulate(page, budget=[budget])
        counts = {tuple(cell): found["order"].count(cell) for cell in found["order"]}
        assert set(counts.values()) == {7}
        spent = sum(
            max(0.012, MACHINE["factors"][v] * n ** (2 if v == "softmax_written_out" else 1)) * 7 for v, n in counts
        )
        # Beyond the first point a cost is guessed before it is known.
        assert spent <= 1.15 * budget
        for variant in MACHINE["factors"]:
            mine = sorted(n for v, n in counts if v == variant)
            assert mine == TOKENS[: len(mine)]
        assert found["progress"]["left"] == 0 and found["progress"]["taken"] == found["progress"]["all"]
    assert sorted(n for v, n in counts if v == "softmax_written_out") == TOKENS


def test_rounds_go_over_all_points_and_another_variant_begins_each(live):
    page, _ = live
    order = [tuple(cell) for cell in simulate(page, budget=[5])["order"]]
    cells = len(set(order))
    rounds = [order[i : i + cells] for i in range(0, len(order), cells)]
    assert len(rounds) == 7 and all(set(one) == set(order) for one in rounds)
    assert {one[0][0] for one in rounds} == set(MACHINE["factors"])


def test_a_larger_budget_adds_points_and_loses_none(live):
    page, _ = live
    small, both = simulate(page, budget=[1]), simulate(page, budget=[1, 100])
    assert both["order"][: len(small["order"])] == small["order"] and len(both["order"]) > len(small["order"])
    assert all(both["order"].count(cell) == 7 for cell in both["order"])


def test_a_point_that_fails_ends_its_variant_and_not_the_run(live):
    page, _ = live
    order = simulate(page, budget=[100], fails=["softmax_written_out", 784])["order"]
    assert order.count(["softmax_written_out", 784]) == 1 and ["softmax_written_out", 1568] not in order
    assert order.count(["relu", 12544]) == 7


STOPWATCH = """
async ([esm, [perCall, tick, least]]) => {
  const { Stopwatch, clockTick } = await import(new URL(esm, document.baseURI));
  const asked = [];
  const engine = { elapsed: async (variant, n, times) => { asked.push(times); return Math.floor((perCall * times) / tick) * tick; } };
  const watch = new Stopwatch(engine);
  const first = await watch.sample("relu", 49, least);
  const tries = asked.length;
  const second = await watch.sample("relu", 49, least);
  return { first, second, tries, times: asked.at(-1), again: asked.length - tries, tick: clockTick() };
}
"""  # noqa: E501


@pytest.mark.parametrize("per_call", [1e-8, 1e-6, 3e-5, 2e-3, 0.5])
def test_a_sample_is_long_against_the_clock(live, per_call):
    """A clock of 0.1 ms that rounds down: what it says of one evaluation is right to a hundredth."""
    page, _ = live
    found = page.evaluate(STOPWATCH, [module(page), [per_call, 1e-4, 0.01]])
    assert found["first"] == found["second"] == pytest.approx(per_call, rel=0.011)
    assert found["again"] == 1 and found["tries"] < 12
    assert per_call * found["times"] < 10 * 0.01 or found["times"] == 1
    assert 0 < found["tick"] < 0.2  # this browser's own
