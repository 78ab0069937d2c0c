"""Figures of a benchmark's record: time, memory and the roofline against N, and models' images per second."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from flatten_edu.bench import Record, floors, title_of
from flatten_edu.bench.record import Point
from flatten_edu.functional.checks import require_known
from flatten_edu.plot.panels import Line, LivePanel, Panel, panels_figure
from flatten_edu.plot.style import INK, Picture

# Colour, line, marker: softmax in warm colours, focused in blue and green, the others in grey.
_STYLES = {
    "softmax_written_out": ("#dd6a1a", "-", "s"),
    "softmax": ("#c7659f", "-", "D"),
    "window": ("#b8860b", "--", "s"),
    "relu": ("#8a7bd8", "-", "^"),
    "published": ("#12a07a", "-", "o"),
    "focused_dwc": ("#2088c9", "-", "o"),
    "triton": ("#2088c9", ":", "D"),
    "hydra": (INK, "-", "^"),
    "efficient": (INK, "--", "o"),
    "angular": (INK, ":", "s"),
    "deit_tiny": ("#c7659f", "-", "D"),
    "flatten_deit_tiny": ("#2088c9", "-", "o"),
}


@dataclass(frozen=True)
class _View:
    """What a panel shows of each point."""

    title: str
    alt: str
    axes: tuple[str, str]
    y: Callable[[Record, Point, float], float]  # of a point that takes so many seconds
    told: Callable[[Record, Point], str]  # to a reader who points at it
    fit: str = ""  # what has an exponent
    x: Callable[[Point], int | float] | None = None  # by default its size, at which the axis is marked
    quartiles: bool = False


def _times_of_floors(record: Record, point: Point) -> str:
    arithmetic, moved = floors(record, point)
    return f"N = {point.n}: {arithmetic:.2g} x arithmetic, {moved:.2g} x bytes"


_VIEWS = {
    "time": _View(
        "{}: time", "Time", ("N, tokens", "milliseconds"), lambda record, p, seconds: 1e3 * seconds,
        lambda record, p: f"N = {p.n}: {1e3 * p.median:.3g} ms", fit="median", quartiles=True,
    ),
    "memory": _View(
        "{}: peak memory", "Peak memory", ("N, tokens", "MB"), lambda record, p, seconds: (p.peak_bytes or 0) / 1e6,
        lambda record, p: f"N = {p.n}: {(p.peak_bytes or 0) / 1e6:.3g} MB", fit="peak_bytes",
    ),
    # No point can lie above the roof while its data come from memory.
    "roofline": _View(
        "{}: speed under the roof", "Speed", ("operations per byte that must be moved", "Gflop/s"),
        lambda record, p, seconds: 2 * p.multiply_adds / seconds / 1e9, _times_of_floors,
        x=lambda p: 2 * p.multiply_adds / p.bytes_moved,
    ),
    "models": _View(
        "whole models", "Speed", ("image's side, pixels", "images per second"),
        lambda record, p, seconds: record.batch / seconds,
        lambda record, p: f"{p.pixels} pixels: {record.batch / p.median:.3g} images/s", quartiles=True,
    ),
}  # fmt: skip


def bench_panel(
    record: Record, view: str = "time", what: str = "module", passes: str = "forward", variants: Sequence[str] = ()
) -> LivePanel:
    """One panel of a record, live where the page or the notebook can show it.

    Args:
        view: "time" or "memory" against N with fitted exponents, "roofline" (speed against operations per byte), or
            "models" (images per second). variants: some, in this order; () for all.

    Raises:
        ValueError: an unknown view, or nothing of that kind in the record.
    """
    require_known("view", view, _VIEWS)
    what = "model" if view == "models" else what
    panel = _panel(record, view, what, passes, variants)
    if panel is None:
        raise ValueError(f"the record has no {what}, {passes}, of {', '.join(variants) or 'anything'} for {view}")
    return LivePanel(panel)


def bench_figure(record: Record) -> Picture:
    """Every panel that the record has points for, as the command writes it."""
    panels = [
        _panel(record, view, what, passes)
        for what, passes in record.sections()
        for view in (["models"] if what == "model" else ["time", "memory", "roofline"])
    ]
    return panels_figure([panel for panel in panels if panel is not None])


def _panel(record: Record, view: str, what: str, passes: str, variants: Sequence[str] = ()) -> Panel | None:
    """A view of a section; None where the record has nothing for it."""
    shown = _VIEWS[view]
    lines: list[Line] = []
    sizes: set[int] = set()
    for name in variants or record.variants(what, passes):
        points = [p for p in record.curve(what, passes, name).values() if view != "memory" or p.peak_bytes]
        if not points or (view == "roofline" and record.ceilings is None):
            continue
        colour, dash, marker = _STYLES.get(name.removesuffix("_compiled"), (INK, "-", "o"))
        if name.endswith("_compiled"):
            dash, marker = "--", "^"
        slope = record.slope(what, passes, name, shown.fit) if shown.fit else None
        line = Line(
            title_of(name) + (f", N^{slope.exponent:.2f}" if slope else ""),
            [shown.x(p) if shown.x else p.size for p in points],
            [shown.y(record, p, p.median) for p in points],
            *(colour, dash, marker, 2.5 if name == "flatten_deit_tiny" else 1.5),
            intervals=[sorted(shown.y(record, p, one) for one in p.quartiles) for p in points if shown.quartiles],
            hover=[f"{title_of(name)}, {shown.told(record, p)}" for p in points],
        )
        lines.append(line)
        sizes |= {p.size for p in points}
    if not lines:
        return None
    alt = f"{shown.alt} of {what}, {passes} on logarithmic axes: {'; '.join(line.name for line in lines)}."
    if view == "roofline":
        lines.insert(0, _roof(record, [x for line in lines for x in line.x]))
    return Panel(shown.title.format(f"{what}, {passes}"), *shown.axes, alt, lines, () if shown.x else sorted(sizes))


def _roof(record: Record, intensities: list[int | float]) -> Line:
    """The lower of the two ceilings."""
    ceilings = cast(dict[str, float], record.ceilings)
    flops, moved = ceilings["flops_per_s"], ceilings["bytes_per_s"]
    bend = flops / moved
    ends = [min(*intensities, bend / 3), bend, 1.5 * max(*intensities, bend)]
    return Line("ceilings", ends, [min(flops, end * moved) / 1e9 for end in ends], marker="", width=2.5)
