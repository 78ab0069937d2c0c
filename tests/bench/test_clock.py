"""Seconds, bytes and ceilings: each is what was measured, on things whose answer is known."""

import pytest
import torch

from flatten_edu.bench import Settings, clock, measure

CPU = torch.device("cpu")


def test_seconds_are_of_one_call(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(clock.time, "perf_counter", lambda: now[0])
    called = []

    def call():
        called.append(1)
        now[0] += 0.25

    assert clock.seconds_of(call, 4, CPU) == 0.25 and len(called) == 4


def peak(call, *owned):
    return clock.peak_bytes(call, list(owned), CPU)


def test_the_peak_counts_what_lives_at_the_same_time():
    x = torch.zeros(1000)  # 4000 bytes

    def two_then_one():
        a = x + 1
        b = a + 1
        del a
        return b + 1

    assert peak(two_then_one, x) == 8000
    assert peak(lambda: x + 1, x) == 4000
    assert peak(lambda: x[10:].view(-1, 5).T, x) == 0  # views are no memory


def test_what_was_there_before_does_not_count():
    x, weight = torch.zeros(10, 10), torch.zeros(10, 10)
    assert peak(lambda: x @ weight.T, x, weight) == 400
    assert peak(lambda: x @ weight.T, x) == 800  # the weight is met for the first time in a view


def test_the_peak_of_a_gradient_holds_what_was_saved_for_it():
    x = torch.zeros(1000, requires_grad=True)
    chain = lambda: torch.autograd.grad(x.exp().exp().exp().sum(), x)  # noqa: E731
    assert peak(chain, x) >= 3 * 4000  # each exponential is saved
    with torch.no_grad():
        assert peak(lambda: x.exp().exp().exp(), x) == 8000


def test_a_map_is_seen_and_grows_with_the_square(monkeypatch):
    monkeypatch.setattr(clock, "ceilings", lambda device, dtype: {"flops_per_s": 1e12, "bytes_per_s": 1e11})
    settings = Settings(
        device="cpu", what=("module",), passes=("forward",), variants=("softmax_written_out", "focused_dwc"),
        tokens=(64, 256, 1024), head_dim=4, seconds=0.01, smallest=64,
    )  # fmt: skip
    record = measure(settings)
    stored, focused = (record.slope("module", "forward", name, "peak_bytes") for name in settings.variants)
    assert stored.exponent == pytest.approx(2, abs=0.15)
    assert focused.exponent < 1.05  # less while what does not grow with N still counts


def test_ceilings_divide_by_the_fastest(monkeypatch):
    monkeypatch.setitem(clock._GEMM, "cpu", 100)
    monkeypatch.setitem(clock._TRIAD, "cpu", 1000)
    times = iter([0.5, 0.2] + [0.4] * 6 + [0.1] * 8)
    monkeypatch.setattr(clock, "seconds_of", lambda call, count, device: call() is None or next(times))
    found = clock.ceilings(CPU, torch.float32)
    assert found == {"flops_per_s": pytest.approx(2e6 / 0.2), "bytes_per_s": pytest.approx(12000 / 0.1)}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_ceilings_of_this_machine(monkeypatch, dtype):
    monkeypatch.setitem(clock._GEMM, "cpu", 256)
    monkeypatch.setitem(clock._TRIAD, "cpu", 2**20)
    found = clock.ceilings(CPU, dtype)
    assert 1e8 < found["flops_per_s"] < 1e15 and 1e8 < found["bytes_per_s"] < 1e13


@pytest.mark.parametrize(("limit", "free"), [("1000\n", 600), ("max\n", 2048), ("", 2048)])
def test_free_memory_is_within_the_group_s_limit(monkeypatch, limit, free):
    files = {"meminfo": "MemTotal: 9 kB\nMemAvailable:   2 kB\n", "memory.max": limit, "memory.current": "400\n"}
    monkeypatch.setattr(clock, "_read", lambda path: files[path.rpartition("/")[2]])
    assert clock.free_bytes(CPU) == free
    monkeypatch.setattr(clock, "_read", lambda path: "")
    assert clock.free_bytes(CPU) is None  # not Linux


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_cuda():
    device = torch.device("cuda")
    x = torch.zeros(2**20, device=device)
    assert clock.peak_bytes(lambda: x + 1, [x], device) == 2**22
    assert 0 < clock.seconds_of(lambda: x + 1, 10, device) < 1
    assert clock.free_bytes(device) > 0
