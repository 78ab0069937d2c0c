"""Figures of a benchmark's record: time, memory and the roofline against N, and models' images per second."""

from collections.abc import Callable, Sequence
from typing import cast

from flatten_edu.bench import Record, Slope, floors, title_of
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
        panel
        for what, passes in record.sections()
        for view in (["models"] if what == "model" else ["time", "memory", "roofline"])
        if (panel := _panel(record, view, what, passes)) is not None
    ]
    return panels_figure(panels)


Curves = dict[str, list[Point]]


def _panel(record: Record, view: str, what: str, passes: str, variants: Sequence[str] = ()) -> Panel | None:
    """A view of a section; None where the record has nothing for it."""
    curves: Curves = {}
    for name in variants or record.variants(what, passes):
        points = record.curve(what, passes, name).values()
        if kept := [p for p in points if view != "memory" or p.peak_bytes]:
            curves[name] = kept
    if not curves or (view == "roofline" and record.ceilings is None):
        return None
    return _VIEWS[view](record, f"{what}, {passes}", curves)


def _time(record: Record, section: str, curves: Curves) -> Panel:
    lines = [
        _line(name, points, [1e3 * p.median for p in points], [f"N = {p.n}: {1e3 * p.median:.3g} ms" for p in points],
              record.slope(*points[0].key[:3]),
              intervals=[(1e3 * p.quartiles[0], 1e3 * p.quartiles[1]) for p in points])
        for name, points in curves.items()
    ]  # fmt: skip
    return Panel(f"{section}: time", "N, tokens", "milliseconds", _alt("Time", section, lines), lines, _sizes(curves))


def _memory(record: Record, section: str, curves: Curves) -> Panel:
    lines = []
    for name, points in curves.items():
        megabytes = [(p.peak_bytes or 0) / 1e6 for p in points]
        told = [f"N = {p.n}: {one:.3g} MB" for p, one in zip(points, megabytes, strict=True)]
        lines.append(_line(name, points, megabytes, told, record.slope(*points[0].key[:3], "peak_bytes")))
    alt = _alt("Peak memory", section, lines)
    return Panel(f"{section}: peak memory", "N, tokens", "MB", alt, lines, _sizes(curves))


def _roofline(record: Record, section: str, curves: Curves) -> Panel:
    """Speed against operations per byte; no point can lie above the roof while its data come from memory."""
    ceilings = cast(dict[str, float], record.ceilings)
    flops, moved = ceilings["flops_per_s"], ceilings["bytes_per_s"]
    lines, intensities = [], []
    for name, points in curves.items():
        x = [2 * p.multiply_adds / p.bytes_moved for p in points]
        times = [floors(record, p) for p in points]
        told = [f"N = {p.n}: {a:.2g} x arithmetic, {b:.2g} x bytes" for p, (a, b) in zip(points, times, strict=True)]
        lines.append(_line(name, points, [2 * p.multiply_adds / p.median / 1e9 for p in points], told, x=x))
        intensities += x
    bend = flops / moved
    ends = [min(*intensities, bend / 3), bend, 1.5 * max(*intensities, bend)]
    roof = Line("ceilings", ends, [min(flops, end * moved) / 1e9 for end in ends], marker="", width=2.5)
    axes = ("operations per byte that must be moved", "Gflop/s")
    return Panel(f"{section}: speed under the roof", *axes, _alt("Speed", section, lines), [roof, *lines])


def _models(record: Record, section: str, curves: Curves) -> Panel:
    batch = record.batch
    lines = [
        _line(name, points, [batch / p.median for p in points],
              [f"{p.pixels} pixels: {batch / p.median:.3g} images/s" for p in points], x=[p.size for p in points],
              intervals=[(batch / p.quartiles[1], batch / p.quartiles[0]) for p in points])
        for name, points in curves.items()
    ]  # fmt: skip
    axes = ("image's side, pixels", "images per second")
    return Panel("whole models", *axes, _alt("Speed", section, lines), lines, _sizes(curves))


_VIEWS: dict[str, Callable[[Record, str, Curves], Panel]] = {
    "time": _time,
    "memory": _memory,
    "roofline": _roofline,
    "models": _models,
}


def _line(
    name: str,
    points: list[Point],
    y: list[float],
    told: list[str],
    slope: Slope | None = None,
    x: Sequence[float] = (),
    intervals: Sequence[tuple[float, float]] = (),
) -> Line:
    colour, dash, marker = _STYLES.get(name.removesuffix("_compiled"), (INK, "-", "o"))
    if name.endswith("_compiled"):
        dash, marker = "--", "^"
    label = title_of(name) + (f", N^{slope.exponent:.2f}" if slope else "")
    hover = [f"{title_of(name)}, {one}" for one in told]
    return Line(label, x or [p.n for p in points], y, colour, dash, marker, intervals=intervals, hover=hover)


def _sizes(curves: Curves) -> list[int]:
    return sorted({p.size for points in curves.values() for p in points})


def _alt(what: str, section: str, lines: list[Line]) -> str:
    return f"{what} of {section} on logarithmic axes: {'; '.join(line.name for line in lines)}."
