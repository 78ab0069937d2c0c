"""The run: cases of one size side by side, repeat by repeat, so that what drifts hits all alike."""

import platform
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, groupby

import numpy as np
import torch
from tqdm import tqdm

import flatten_edu
from flatten_edu.bench import clock
from flatten_edu.bench.cases import Case, cases
from flatten_edu.bench.record import Point, Record
from flatten_edu.bench.settings import Settings
from flatten_edu.machine import name_of

_REPEAT = 2e-3  # seconds that a repeat takes at least: a shorter call is made several times
_MOST = 60  # repeats of a point
_WARM = 0.1  # seconds below which a call is worth a warm-up before each repeat


def measure(settings: Settings, keep: Callable[[Record], None] = lambda record: None, show: bool = False) -> Record:
    """Measure all cases. Ctrl-C ends the run; what was measured is returned, and the record is marked as stopped.

    Args:
        keep: is given the record after each size. show: whether a terminal has a progress bar.

    A case that needs more memory than there is, or more time than the budget, or that fails, is a point with an error.
    """
    device, before = settings.torch_device, torch.get_num_threads()
    threads = settings.threads if device.type == "cpu" else None
    record = Record(
        made_by="flatten_edu bench",
        date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        device={"kind": device.type, "name": name_of(device), "threads": threads},
        versions={
            "python": platform.python_version(),
            "torch": torch.__version__,
            "flatten_edu": flatten_edu.__version__,
        },
        settings=settings.as_json(),
        ceilings=None,
    )
    groups = [list(group) for _, group in groupby(cases(settings), lambda case: (case.what, case.passes, case.n))]
    torch.set_num_threads(settings.threads)
    try:
        record.ceilings = clock.ceilings(device, settings.torch_dtype)
        with tqdm(groups, disable=None if show else True, leave=False) as bar:
            bar.bar_format = "{desc:32}size {n} of {total} |{bar}| {elapsed}"  # large sizes take the most of the time
            for group in bar:
                bar.set_description_str(f"{group[0].what}, {group[0].passes}, N = {group[0].n}")
                _measure_group(group, record)
                keep(record)
    except KeyboardInterrupt:
        record.stopped = True
        keep(record)
    finally:
        torch.set_num_threads(before)
    return record


@dataclass
class _Running:
    """A case that is being measured, and its point."""

    case: Case
    point: Point
    call: Callable[[], object] | None = None
    estimate: float = 0.0  # seconds of a call
    spent: float = 0.0

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

    def warm_up(self) -> str | None:
        """Build, warm up, estimate and weigh; returns why the case is too slow to be timed, if it is."""
        case, s = self.case, self.case.settings
        self.call, owned = case.build()
        self.estimate = clock.seconds_of(self.call, 1, s.torch_device)
        if case.compiled or self.estimate < s.budget / s.repeats / 2:  # the first call is often the slowest by far
            tries = 3 if self.estimate < _WARM else 1
            self.estimate = min(clock.seconds_of(self.call, 1, s.torch_device) for _ in range(tries))
        if s.repeats * self.estimate > s.budget:
            return f"over the budget: {s.repeats} calls of {self.estimate:.1f} s, and {s.budget:g} s are allowed"
        if not case.compiled:
            self.point.peak_bytes = clock.peak_bytes(self.call, owned, s.torch_device)
        self.point.calls = max(1, min(1000, round(_REPEAT / max(self.estimate, 1e-9) + 0.5)))
        return None

    def repeat(self) -> None:
        """Measure once; what it costs counts with the calls that warm the caches again."""
        assert self.call is not None  # what is measured was built
        warm = self.estimate < _WARM
        if warm:
            self.call()
        seconds = clock.seconds_of(self.call, self.point.calls, self.case.settings.torch_device)
        self.point.seconds.append(round(seconds, 10))
        self.spent += seconds * (self.point.calls + warm)


def _measure_group(group: list[Case], record: Record) -> None:
    """Prepare all cases of one size, then go round them until each is settled or out of time."""
    running: list[_Running] = []
    if any(case.compiled for case in group):
        torch.compiler.reset()  # or the compiler would take another size for a reason to compile for all sizes
    try:
        for case in group:
            one = _Running(case, Point(case.variant, case.what, case.passes, case.n, pixels=case.pixels))
            one.point.multiply_adds, one.point.bytes_moved = case.multiply_adds, case.bytes_moved
            one.point.error = _foreseen(case, record) or _failure(one.warm_up)
            if one.point.error is not None:
                one.call = None  # the others may need the room
            running.append(one)
        for turn in count():
            going = [one for one in running if one.point.error is None and one.may_go_on()]
            if all(one.is_settled() for one in going):
                return
            first = turn % len(going)  # nobody always follows the one that leaves the caches cold
            for one in going[first:] + going[:first]:
                one.point.error = _failure(one.repeat)
    finally:  # Ctrl-C keeps what there is
        for one in running:
            if one.point.error is not None:
                one.point.seconds = []
            if one.point.seconds or one.point.error:
                record.points.append(one.point)


def _foreseen(case: Case, record: Record) -> str | None:
    """Why a case need not be tried: memory that there is not, or what it did at the size before."""
    s = case.settings
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
