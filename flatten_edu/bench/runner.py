"""The run: cases of one size side by side, repeat by repeat, so that what drifts hits all alike."""

import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from itertools import count, groupby
from typing import cast

import numpy as np
import torch
from tqdm import tqdm

from flatten_edu.bench import clock
from flatten_edu.bench.cases import PATCH, Case, Ready
from flatten_edu.bench.record import Point, Record
from flatten_edu.bench.settings import Settings
from flatten_edu.machine import name_of

_REPEAT = 2e-3  # seconds that a repeat takes at least: a shorter call is made several times
_MOST = 60  # repeats of a point
_WARM = 0.1  # seconds below which a call is worth a warm-up before each repeat
Timer = Callable[[Callable[[], object], int], float]  # (call, how often) -> seconds of one call


def cases(settings: Settings) -> list[Case]:
    """What a run measures, in order: cases of one size stand together, small sizes first. Models run forward only."""
    found = []
    for what in settings.what:
        for passes in settings.passes if what != "model" else ("forward",):
            if what != "model":
                sizes: list[tuple[int, int | None]] = [(n, None) for n in sorted(set(settings.tokens))]
            else:
                sizes = [((side // PATCH) ** 2 + 1, side) for side in sorted(set(settings.pixels))]
            names = settings.cases_of_models if what == "model" else settings.chosen
            found += [Case(name, what, passes, n, settings, pixels) for n, pixels in sizes for name in names]
    return found


def measure(
    settings: Settings,
    keep: Callable[[Record], None] = lambda record: None,
    show: bool = False,
    timer: Timer | None = None,
    wanted: list[Case] | None = None,
) -> Record:
    """Measure all cases. Ctrl-C ends the run; what was measured is returned, and the record is marked as stopped.

    Args:
        keep: is given the record after each size. show: whether to draw a progress bar with the time that is left.
        timer, wanted: by default the device's clock and `cases(settings)`.

    A case that needs more memory than there is, or more time than the budget, or that fails, is a point with an error.
    """
    timer = timer or (lambda call, times: clock.seconds_of(call, times, settings.torch_device))
    wanted = cases(settings) if wanted is None else wanted
    with _threads(settings.threads):
        record = empty_record(settings)
        bar = tqdm(total=len(wanted), unit="point", disable=None if show else True, leave=False)
        bar.bar_format = "{desc:32}{percentage:3.0f} %|{bar}| {elapsed}, about {remaining} left"
        try:
            record.ceilings = clock.ceilings(settings.torch_device, settings.torch_dtype)
            weights = {case: _expected_seconds(case, record.ceilings) for case in wanted}
            bar.reset(sum(weights.values()))
            for (what, passes, n), group in groupby(wanted, key=lambda case: case.group):
                bar.set_description_str(f"{what}, {passes}, N = {n}")
                together = list(group)
                _measure_group(together, record, timer)
                keep(record)
                bar.update(sum(weights[case] for case in together))
        except KeyboardInterrupt:
            record.stopped = True
            keep(record)
        finally:
            bar.close()
    return record


def empty_record(settings: Settings) -> Record:
    """Where and with what a run is made."""
    device = settings.torch_device
    try:
        own = version("flatten-edu")
    except PackageNotFoundError:  # run from a folder that is not installed
        own = "not installed"
    return Record(
        made_by="flatten_edu bench",
        date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        device={
            "kind": device.type,
            "name": name_of(device),
            "threads": settings.threads if device.type == "cpu" else None,
            "memory_bytes": clock.total_bytes(device),
        },
        versions={"python": platform.python_version(), "torch": torch.__version__, "flatten_edu": own},
        settings=settings.as_json(),
        ceilings=None,
    )


@contextmanager
def _threads(wanted: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(wanted)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _expected_seconds(case: Case, ceilings: dict[str, float]) -> float:
    """A guess for the progress bar: half the speed that the machine can reach, as often as a point is repeated."""
    s = case.settings
    once = 4 * case.multiply_adds / ceilings["flops_per_s"] + 2 * case.map_bytes / ceilings["bytes_per_s"]
    return min(max((s.repeats + 2) * once, 0.5 * s.seconds), s.budget)


@dataclass
class _Running:
    """A case that is being measured, and its point."""

    case: Case
    point: Point
    ready: Ready | None = None
    estimate: float = 0.0  # seconds of a call
    spent: float = field(default=0.0)

    def is_settled(self) -> bool:
        """Whether the median is known as well as was asked: 1.57 IQR / sqrt(n) is about its 95 % interval."""
        seconds, s = self.point.seconds, self.case.settings
        if len(seconds) < s.repeats:
            return False
        low, middle, high = np.quantile(seconds, [0.25, 0.5, 0.75])
        return bool(1.57 * (high - low) / len(seconds) ** 0.5 <= s.spread * middle)

    def may_go_on(self) -> bool:
        """Whether a point has time for another repeat."""
        done, s = len(self.point.seconds), self.case.settings
        return done < s.repeats or (done < _MOST and self.spent < s.seconds)

    def repeat(self, timer: Timer) -> None:
        """Measure once; what it costs counts with the calls that warm the caches again."""
        call = cast(Ready, self.ready).call  # what is measured was built
        warm = self.estimate < _WARM
        if warm:
            call()
        seconds = timer(call, self.point.calls)
        self.point.seconds.append(round(seconds, 10))
        self.spent += seconds * (self.point.calls + warm)


def _measure_group(group: list[Case], record: Record, timer: Timer) -> None:
    """Prepare all cases of one size, then go round them until each is settled or out of time."""
    running: list[_Running] = []
    if any(case.compiled for case in group):
        torch.compiler.reset()  # or the compiler would take another size for a reason to compile for all sizes
    try:
        for case in group:
            one = _Running(case, Point(case.variant, case.what, case.passes, case.n, pixels=case.pixels))
            one.point.multiply_adds, one.point.bytes_moved = case.multiply_adds, case.bytes_moved
            one.point.error = _foreseen(one, record) or _failure(partial(_warm_up, one, timer))
            if one.point.error is not None:
                one.ready = None  # the others may need the room
            running.append(one)
        for turn in count():
            going = [one for one in running if one.point.error is None and one.may_go_on()]
            if all(one.is_settled() for one in going):
                return
            first = turn % len(going)  # nobody always follows the one that leaves the caches cold
            for one in going[first:] + going[:first]:
                one.point.error = _failure(partial(one.repeat, timer))
    finally:  # Ctrl-C keeps what there is
        for one in running:
            if one.point.error is not None:
                one.point.seconds = []
            if one.point.seconds or one.point.error:
                record.points.append(one.point)


def _foreseen(one: _Running, record: Record) -> str | None:
    """Why a case need not be tried: memory that there is not, or what it did at the size before."""
    case, s = one.case, one.case.settings
    free = clock.free_bytes(s.torch_device)
    if free is not None and case.map_bytes > free:
        return f"out of memory: its N x N maps take {case.map_bytes / 1e9:.1f} GB, {free / 1e9:.1f} GB are free"
    before = [p for p in record.points if p.key[:3] == (case.what, case.passes, case.variant)]
    if not before:
        return None
    last = before[-1]
    if last.error is not None:
        hopeless = last.error.startswith(("out of memory", "over the budget", "not tried"))
        return f"not tried: N = {last.n} was too much already" if hopeless else None
    expected = last.median * case.multiply_adds / last.multiply_adds
    if s.repeats * expected > 2 * s.budget:
        return f"not tried: from N = {last.n}, {s.repeats} calls of about {expected:.0f} s are expected"
    return None


def _warm_up(one: _Running, timer: Timer) -> str | None:
    """Build, warm up, estimate and weigh; returns why the case is too slow to be timed, if it is."""
    s = one.case.settings
    one.ready = one.case.build()
    one.estimate = timer(one.ready.call, 1)
    if one.case.compiled or one.estimate < s.budget / s.repeats / 2:  # the first call is often the slowest by far
        one.estimate = min(timer(one.ready.call, 1) for _ in range(3 if one.estimate < _WARM else 1))
    if s.repeats * one.estimate > s.budget:
        return f"over the budget: {s.repeats} calls of {one.estimate:.1f} s, and {s.budget:g} s are allowed"
    if s.memory and not one.case.compiled:
        one.point.peak_bytes = clock.peak_bytes(one.ready.call, one.ready.owned, s.torch_device)
    one.point.calls = max(1, min(1000, round(_REPEAT / max(one.estimate, 1e-9) + 0.5)))
    return None


def _failure(action: Callable[[], str | None]) -> str | None:
    """What an action returns, or what went wrong in it: in one line."""
    try:
        return action()
    except MemoryError:
        return "out of memory"
    except (RuntimeError, ValueError) as error:
        said = " ".join(str(error).split())[:160]
        lacking = isinstance(error, torch.OutOfMemoryError) or "allocate memory" in said
        return f"out of memory: {said}" if lacking else f"{type(error).__name__}: {said}"
