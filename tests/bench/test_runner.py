"""The runner, with cases and a clock of the test's own: turns, repeats, and everything that can go wrong."""

from dataclasses import dataclass, field, replace

import pytest
import torch

from flatten_edu.bench import Settings, clock, measure, runner
from flatten_edu.bench.cases import Case
from flatten_edu.bench.record import Record
from flatten_edu.bench.runner import _MOST

SETTINGS = Settings(device="cpu", threads=1)


@dataclass(frozen=True)
class Fake(Case):
    """A case that only says that it was called; building it may fail."""

    calls: list = field(default_factory=list, hash=False, compare=False)
    fails: type[BaseException] | None = None

    def build(self):
        if self.fails is not None:
            raise self.fails("DefaultCPUAllocator: can't allocate memory" if self.fails is RuntimeError else "no")
        return (lambda: self.calls.append((self.variant, self.n))), []


class Clock:
    """Takes what the test says a call of a variant takes; `scatter` makes repeats of it differ."""

    def __init__(self, calls, seconds, scatter=0.0):
        self.calls, self.seconds, self.scatter = calls, seconds, scatter
        self.repeats: list[tuple[str, int, int]] = []  # variant, N, calls in a row

    def __call__(self, call, times):
        for _ in range(times):
            call()
        variant, n = self.calls[-1]
        self.repeats.append((variant, n, times))
        value = self.seconds[variant]
        value = value(n) if callable(value) else value
        return value * (1 + self.scatter * (len(self.repeats) % 3))


def fakes(variants, tokens=(784,), settings=SETTINGS, fails=None):
    """Cases, and the list of their calls."""
    calls: list = []
    settings = replace(settings, tokens=tokens)
    fails = fails or {}
    wanted = [
        Fake(name, "module", "forward", n, settings, calls=calls, fails=fails.get((name, n)))
        for n in tokens
        for name in variants
    ]
    return wanted, calls


def measured(wanted, timer, **more):
    """The record of these cases, by the test's own clock."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "cases", lambda settings: wanted)
        patch.setattr(clock, "seconds_of", lambda call, times, device: timer(call, times))
        patch.setattr(clock, "peak_bytes", lambda call, owned, device: None)
        patch.setattr(clock, "ceilings", lambda device, dtype: {"flops_per_s": 1e12, "bytes_per_s": 1e11})
        return measure(wanted[0].settings, **more)


def run(variants, seconds, tokens=(784,), scatter=0.0, settings=SETTINGS, fails=None, **more):
    wanted, calls = fakes(variants, tokens, settings, fails)
    timer = Clock(calls, seconds, scatter)
    return measured(wanted, timer, **more), timer


def rounds(timer, warm_up):
    """The variants in the order in which repeats were timed."""
    return [variant for variant, _, _ in timer.repeats[warm_up:]]


def test_variants_take_turns_and_nobody_is_always_first():
    record, timer = run(["softmax", "relu", "focused_dwc"], {"softmax": 0.2, "relu": 0.2, "focused_dwc": 0.2})
    turns = rounds(timer, warm_up=6)  # two calls each
    assert len(turns) == 15
    for turn in range(5):
        assert sorted(turns[3 * turn : 3 * turn + 3]) == ["focused_dwc", "relu", "softmax"]
    assert {turns[3 * turn] for turn in range(5)} == {"softmax", "relu", "focused_dwc"}
    assert all(point.seconds == [0.2] * 5 and point.median == 0.2 for point in record.points)


def test_a_drift_hits_all_alike():
    """A machine that slows down tenfold in the middle: medians of equal variants stay equal."""
    wanted, calls = fakes(["softmax", "relu"], settings=replace(SETTINGS, seconds=0.1))
    slow = lambda n: 0.001 if len(calls) < 24 else 0.01  # noqa: E731
    record = measured(wanted, Clock(calls, dict.fromkeys(["softmax", "relu"], slow)))
    first, second = (point.seconds for point in record.points)
    assert abs(len(first) - len(second)) <= 1 and len(first) > 5
    assert sum(a != b for a, b in zip(first, second, strict=False)) <= 1 < len(set(first))  # the round it came in


def test_noise_is_answered_by_repeats_up_to_a_time_and_a_number():
    quiet, _ = run(["softmax"], {"softmax": 0.01})
    noisy, _ = run(["softmax"], {"softmax": 0.01}, scatter=0.2)
    hopeless, _ = run(["softmax"], {"softmax": 0.15}, scatter=0.2)
    counts = [len(record.points[0].seconds) for record in (quiet, noisy, hopeless)]
    assert counts[0] == 5 and counts[1] == _MOST
    assert 5 < counts[2] < _MOST and sum(hopeless.points[0].seconds[:-1]) <= SETTINGS.seconds


def test_a_settled_variant_goes_on_with_the_others():
    wanted, calls = fakes(["softmax", "relu"], settings=replace(SETTINGS, seconds=1.0))
    record = measured(wanted, Clock(calls, {"softmax": 0.02, "relu": lambda n: 0.02 * (1 + len(calls) % 5)}))
    assert len(record.points[0].seconds) == len(record.points[1].seconds) > 5


def test_short_calls_are_made_several_times_in_a_row():
    record, timer = run(["softmax", "relu"], {"softmax": 1e-5, "relu": 0.5})
    assert [point.calls for point in record.points] == [200, 1]
    assert {times for variant, _, times in timer.repeats if variant == "relu"} == {1}
    assert timer.repeats[-1][2] in (1, 200) and ("softmax", 784, 200) in timer.repeats


def test_what_takes_longer_than_the_budget_is_a_point_and_larger_sizes_are_not_tried():
    settings = replace(SETTINGS, budget=10.0)
    record, timer = run(
        ["softmax", "relu"], {"softmax": lambda n: n / 200, "relu": 0.2}, (784, 1764, 3136), settings=settings
    )
    errors = {point.n: point.error for point in record.points if point.variant == "softmax"}
    assert errors[784].startswith("over the budget: 5 calls of 3.9 s, and 10 s are allowed")
    assert errors[1764] == "not tried: N = 784 was too much already" == errors[3136].replace("1764", "784")
    assert [n for variant, n, _ in timer.repeats if variant == "softmax"] == [784]  # one call
    assert all(len(point.seconds) == 5 for point in record.points if point.variant == "relu")
    failed = next(point for point in record.points if point.n == 1764)
    assert failed.seconds == [] and failed.median is None and failed.quartiles is None and failed.multiply_adds > 0


def test_a_size_that_must_take_too_long_is_not_tried():
    settings = replace(SETTINGS, budget=10.0)
    record, timer = run(
        ["softmax_written_out"], {"softmax_written_out": lambda n: 1e-6 * n**2}, (784, 12544), settings=settings
    )
    assert record.points[0].median == pytest.approx(0.6147, rel=1e-3)
    assert record.points[1].error == "not tried: from N = 784, 5 calls of about 109 s are expected"
    assert {n for _, n, _ in timer.repeats} == {784}


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (MemoryError, "out of memory"),
        (RuntimeError, "out of memory: DefaultCPUAllocator"),
        (ValueError, "ValueError: no"),
    ],
)
def test_a_failure_is_a_point_and_not_the_end(failure, said):
    record, _ = run(
        ["softmax", "relu"], dict.fromkeys(["softmax", "relu"], 0.2), (49, 196), fails={("softmax", 49): failure}
    )
    assert record.points[0].error.startswith(said) and not record.stopped
    after = record.points[2]
    tried_again = failure is ValueError  # a size that cannot be says nothing of another
    assert (after.variant, after.n) == ("softmax", 196)
    assert (len(after.seconds) == 5) == tried_again and (after.error is None) == tried_again
    assert all(len(point.seconds) == 5 for point in record.points if point.variant == "relu")


def test_cudas_out_of_memory_in_the_middle_of_the_repeats():
    wanted, calls = fakes(["softmax"])

    def timer(call, times):
        call()
        if len(calls) > 6:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return 0.2

    (point,) = measured(wanted, timer).points
    assert point.error.startswith("out of memory: CUDA out of memory.") and point.seconds == []


def test_maps_that_do_not_fit_are_known_before(monkeypatch):
    monkeypatch.setattr(clock, "free_bytes", lambda device: 10**9)
    record, timer = run(
        ["softmax_written_out", "softmax"], dict.fromkeys(["softmax_written_out", "softmax"], 0.01), (784, 12544)
    )
    errors = {(point.variant, point.n): point.error for point in record.points}
    assert errors["softmax_written_out", 12544] == "out of memory: its N x N maps take 3.8 GB, 1.0 GB are free"
    assert errors["softmax_written_out", 784] is None is errors["softmax", 12544]
    assert ("softmax_written_out", 12544, 1) not in timer.repeats


@pytest.mark.parametrize("when", [4, 9, 30])
def test_ctrl_c_keeps_what_was_measured(when):
    kept = []
    wanted, calls = fakes(["softmax", "relu"], (49, 196, 784))

    def timer(call, times):
        call()
        if len(calls) > when:
            raise KeyboardInterrupt
        return 0.2

    record = measured(wanted, timer, keep=kept.append)
    assert record.stopped and kept[-1] is record
    taken = sum(len(point.seconds) for point in record.points)
    assert taken == {4: 0, 9: 5, 30: 20}[when]  # calls but for those that warm up: four a size
    assert all(point.seconds and point.error is None for point in record.points)


def test_the_record_is_kept_after_each_size():
    sizes = []
    run(["softmax"], {"softmax": 0.2}, (49, 196, 784), keep=lambda record: sizes.append(len(record.points)))
    assert sizes == [1, 2, 3]


def test_the_record_says_where_and_with_what():
    record, _ = run(["softmax"], {"softmax": 0.2})
    assert record.device["kind"] == "cpu" and record.device["name"] and record.device["threads"] == 1
    assert record.versions["torch"] == torch.__version__ and record.date.endswith("Z")
    assert record.settings["dtype"] == "float32" and record.settings["tokens"] == [784]
    assert record.settings["what"] == "module, model"
    assert record.ceilings == {"flops_per_s": 1e12, "bytes_per_s": 1e11} and isinstance(record, Record)


def test_threads_are_set_for_the_run_alone():
    before = torch.get_num_threads()
    during = []
    wanted, _ = fakes(["softmax"])

    def timer(call, times):
        during.append(torch.get_num_threads())
        return 0.2

    measured(wanted, timer)
    assert set(during) == {1} and torch.get_num_threads() == before


def test_a_progress_bar_says_what_is_left(capfd):
    run(["softmax"], {"softmax": 0.2}, show=True)
    run(["softmax"], {"softmax": 0.2})
    assert capfd.readouterr().err == ""  # no terminal, no bar
