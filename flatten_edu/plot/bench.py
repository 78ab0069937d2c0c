"""Figures of a benchmark's record: time, memory and the roofline against N, and models' images per second."""

from collections.abc import Sequence
from typing import Any, cast

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
for _name in ("softmax", "relu", "published", "focused_dwc", "deit_tiny", "flatten_deit_tiny"):
    _STYLES[f"{_name}_compiled"] = (_STYLES[_name][0], "--", "^")
_VIEWS = ("time", "memory", "roofline", "models")


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
    names = variants or record.variants(what, passes)
    curves = {name: points for name in names if (points := list(record.curve(what, passes, name).values()))}
    if not curves:
        raise ValueError(f"the record has no {what}, {passes}, of {', '.join(names) or 'anything'}")
    draw = {"time": _time, "memory": _memory, "roofline": _roofline, "models": _models}[view]
    return LivePanel(draw(record, f"{what}, {passes}", curves))


def bench_figure(record: Record) -> Picture:
    """Every panel that the record has points for, as the command writes it."""
    panels = []
    for what, passes in record.sections():
        curves = {name: list(record.curve(what, passes, name).values()) for name in record.variants(what, passes)}
        curves = {name: points for name, points in curves.items() if points}
        views = [_models] if what == "model" else [_time, _memory, _roofline]
        if what != "model" and not any(p.peak_bytes for points in curves.values() for p in points):
            views.remove(_memory)
        if record.ceilings is None and _roofline in views:
            views.remove(_roofline)
        panels += [view(record, f"{what}, {passes}", curves) for view in views if curves]
    return panels_figure(panels)


Curves = dict[str, list[Point]]


def _time(record: Record, section: str, curves: Curves) -> Panel:
    slopes = record.slopes()
    lines = [
        _line(name, points, [1e3 * p.median for p in points], slopes.get((*points[0].key[:3], "seconds")),
              intervals=[(1e3 * p.quartiles[0], 1e3 * p.quartiles[1]) for p in points],
              hover=[f"{title_of(name)}, N = {p.n}: {1e3 * p.median:.3g} ms" for p in points])
        for name, points in curves.items()
    ]  # fmt: skip
    return Panel(f"{section}: time", "N, tokens", "milliseconds", _alt("Time", section, lines), lines, _sizes(curves))


def _memory(record: Record, section: str, curves: Curves) -> Panel:
    slopes = record.slopes()
    weighed = {name: kept for name, points in curves.items() if (kept := [p for p in points if p.peak_bytes])}
    lines = [
        _line(name, points, [_megabytes(p) for p in points], slopes.get((*points[0].key[:3], "peak_bytes")),
              hover=[f"{title_of(name)}, N = {p.n}: {_megabytes(p):.3g} MB" for p in points])
        for name, points in weighed.items()
    ]  # fmt: skip
    return Panel(
        f"{section}: peak memory", "N, tokens", "MB", _alt("Peak memory", section, lines), lines, _sizes(curves)
    )


def _roofline(record: Record, section: str, curves: Curves) -> Panel:
    """Speed against operations per byte; no point can lie above the roof while its data come from memory."""
    ceilings = cast(dict[str, float], record.ceilings)
    flops, moved = ceilings["flops_per_s"], ceilings["bytes_per_s"]
    lines, intensities = [], []
    for name, points in curves.items():
        x = [2 * p.multiply_adds / p.bytes_moved for p in points]
        hover = []
        for p in points:
            arithmetic, bytes_once = floors(record, p)
            hover.append(f"{title_of(name)}, N = {p.n}: {arithmetic:.2g} x arithmetic, {bytes_once:.2g} x bytes")
        lines.append(_line(name, points, [2 * p.multiply_adds / p.median / 1e9 for p in points], x=x, hover=hover))
        intensities += x
    bend = flops / moved
    ends = [min(*intensities, bend / 3), bend, 1.5 * max(*intensities, bend)]
    roof = Line("ceilings", ends, [min(flops, end * moved) / 1e9 for end in ends], marker="", width=2.5)
    axes = ("operations per byte that must be moved", "Gflop/s")
    return Panel(f"{section}: speed under the roof", *axes, _alt("Speed", section, lines), [roof, *lines])


def _models(record: Record, section: str, curves: Curves) -> Panel:
    batch = int(record.settings.get("batch") or 1)
    lines = [
        _line(name, points, [batch / p.median for p in points], x=[p.pixels or p.n for p in points],
              intervals=[(batch / p.quartiles[1], batch / p.quartiles[0]) for p in points],
              hover=[f"{title_of(name)}, {p.pixels} pixels: {batch / p.median:.3g} images/s" for p in points])
        for name, points in curves.items()
    ]  # fmt: skip
    sides = sorted({p.pixels or p.n for points in curves.values() for p in points})
    return Panel(
        "whole models", "image's side, pixels", "images per second", _alt("Speed", section, lines), lines, sides
    )


def _line(
    name: str,
    points: list[Point],
    y: list[float],
    slope: Slope | None = None,
    x: Sequence[int | float] = (),
    **more: Any,
) -> Line:
    colour, dash, marker = _STYLES.get(name, (INK, "-", "o"))
    label = title_of(name) + (f", N^{slope.exponent:.2f}" if slope else "")
    width = 2.5 if name in ("focused", "flatten_deit_tiny") else 1.5
    return Line(label, x or [p.n for p in points], y, colour, dash, marker, width, **more)


def _megabytes(point: Point) -> float:
    return (point.peak_bytes or 0) / 1e6


def _sizes(curves: Curves) -> list[int]:
    return sorted({p.n for points in curves.values() for p in points})


def _alt(what: str, section: str, lines: list[Line]) -> str:
    return f"{what} of {section} on logarithmic axes: {'; '.join(line.name for line in lines)}."
