"""What the lab `timing` computes on WebGPU, what it measures next, and how it takes a sample."""

import pytest
import torch

from flatten_edu.data import hash_noise
from flatten_edu.functional import depthwise_conv, focused_map, linear_attention, softmax_attention
from tests.browser.conftest import with_module
from tests.browser.test_twins import TOKENS


@pytest.fixture
def module(bare):
    return bare("timing")


# The shaders on one machine's adapter: their results, and those of the typed arrays.
SHADERS = """
async ([tasks, sizes, mapBytes]) => {
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


@pytest.fixture
def shaders(gpu):
    page = with_module(gpu.new_page(), "timing")

    def run(tasks, sizes, map_bytes):
        found = page.evaluate(SHADERS, [tasks, sizes, map_bytes])
        if found is None:
            pytest.skip("this Chromium has no WebGPU adapter, not even in software")
        return found

    return run


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


# A made-up machine with exact times: what is measured, in which order, until the plan is done or somebody stops.
SIMULATE = """
({ budget, least, factors, fails }) => {
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
    return page.evaluate(SIMULATE, MACHINE | machine)


def test_a_plan_keeps_to_its_budget_and_measures_each_point_seven_times(module):
    for budget in [1, 3, 10, 60, 1000]:
        found = simulate(module, budget=[budget])
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


def test_rounds_go_over_all_points_and_another_variant_begins_each(module):
    order = [tuple(cell) for cell in simulate(module, budget=[5])["order"]]
    cells = len(set(order))
    rounds = [order[i : i + cells] for i in range(0, len(order), cells)]
    assert len(rounds) == 7 and all(set(one) == set(order) for one in rounds)
    assert {one[0][0] for one in rounds} == set(MACHINE["factors"])


def test_a_larger_budget_adds_points_and_loses_none(module):
    small, both = simulate(module, budget=[1]), simulate(module, budget=[1, 100])
    assert both["order"][: len(small["order"])] == small["order"] and len(both["order"]) > len(small["order"])
    assert all(both["order"].count(cell) == 7 for cell in both["order"])


def test_a_point_that_fails_ends_its_variant_and_not_the_run(module):
    order = simulate(module, budget=[100], fails=["softmax_written_out", 784])["order"]
    assert order.count(["softmax_written_out", 784]) == 1 and ["softmax_written_out", 1568] not in order
    assert order.count(["relu", 12544]) == 7


STOPWATCH = """
async ([perCall, tick, least]) => {
  const { Stopwatch, clockTick } = lab;
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
def test_a_sample_is_long_against_the_clock(module, per_call):
    """A clock of 0.1 ms that rounds down: what it says of one evaluation is right to a hundredth."""
    found = module.evaluate(STOPWATCH, [per_call, 1e-4, 0.01])
    assert found["first"] == found["second"] == pytest.approx(per_call, rel=0.011)
    assert found["again"] == 1 and found["tries"] < 12
    assert per_call * found["times"] < 10 * 0.01 or found["times"] == 1
    assert 0 < found["tick"] < 0.2  # this browser's own
