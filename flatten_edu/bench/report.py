"""A record as text: tables of at most 78 columns, what a page of the book shows."""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from flatten_edu.bench.record import MODEL_PAIRS, PAIRS, Point, Record
from flatten_edu.bench.variants import title_of

WIDTH = 78
Cell = Callable[[Point], str]


def times(record: Record, what: str, passes: str, variants: Sequence[str] | None = None, spread: bool = True) -> str:
    """Milliseconds of a section, a row a variant and a column a size; models' are images per second.

    Args:
        variants: some of them, in this order. spread: with half the distance between the quartiles.
    """
    if what == "model":
        return _table(record, what, passes, variants, lambda p: _three(_batch(record) / p.median))

    def cell(p: Point) -> str:
        low, high = p.quartiles
        return _three(1e3 * p.median) + (f" ±{two(1e3 * (high - low) / 2)}" if spread else "")

    return _table(record, what, passes, variants, cell, "seconds")


def memory(record: Record, what: str, passes: str, variants: Sequence[str] | None = None) -> str:
    """Peak memory beyond weights and input, in MB."""

    def cell(p: Point) -> str:
        return _three(p.peak_bytes / 1e6) if p.peak_bytes else "-"

    return _table(record, what, passes, variants, cell, "peak_bytes")


def roofline(record: Record, what: str, passes: str, variants: Sequence[str] | None = None) -> str:
    """How many times what arithmetic alone would take | what moving the bytes once would take."""
    return _table(record, what, passes, variants, lambda p: "|".join(map(two, floors(record, p))))


def floors(record: Record, point: Point) -> tuple[float, float]:
    """A point's time over what its multiply-adds would take alone, and over what its bytes would, at the ceilings."""
    ceilings = cast(dict[str, float], record.ceilings)
    arithmetic = 2 * point.multiply_adds / ceilings["flops_per_s"]
    return point.median / arithmetic, point.median * ceilings["bytes_per_s"] / point.bytes_moved


def ratios(record: Record, what: str, passes: str) -> str:
    """How many times the time of focused attention the others take; empty where there is nothing to compare."""
    rows: dict[str, dict[int, str]] = {}
    sizes: dict[int, Point] = {}
    for fast, slow in PAIRS + MODEL_PAIRS:
        own, other = record.curve(what, passes, fast), record.curve(what, passes, slow)
        both = {n: two(other[n].median / own[n].median) for n in own if n in other}
        if both:
            rows[f"{slow} / {fast}"] = both
            sizes |= {n: own[n] for n in both}
    return _layout(rows, sizes) if rows else ""


def report(record: Record) -> str:
    """All of it."""
    parts = [_header(record)]
    for what, passes in record.sections():
        section = f"{what}, {passes}"
        unit = "images per second" if what == "model" else "milliseconds, median ± half of the quartiles' distance"
        parts.append(f"{section}: {unit}\n{times(record, what, passes)}")
        if any(p.peak_bytes for p in record.points if (p.what, p.passes) == (what, passes)):
            parts.append(f"{section}: peak memory beyond weights and input, MB\n{memory(record, what, passes)}")
        if record.ceilings:
            about = "times what arithmetic alone | moving the bytes once would take"
            parts.append(f"{section}: {about}\n{roofline(record, what, passes)}")
        if compared := ratios(record, what, passes):
            parts.append(f"{section}: time over that of focused attention\n{compared}")
        parts.append("\n".join(crossovers(record, what, passes)))
    failed = [f"  {p.what}, {p.passes}, {p.variant}, {size_of(p)}: {p.error}" for p in record.points if p.error]
    if failed:
        parts.append("\n".join(["not measured:", *(line for one in failed for line in wrapped(one))]))
    if record.stopped:
        parts.append("The run was stopped: what stands above is what it had measured.")
    return "\n\n".join(filter(None, parts))


def crossovers(record: Record, what: str, passes: str) -> list[str]:
    """From which N on one stays faster than another, and 95 % of what redrawn repeats say: a line a pair."""
    found = {key[2:]: one for key, one in record.crossovers().items() if key[:2] == (what, passes)}
    return [f"{fast} beats {slow} {one}" for (fast, slow), one in found.items()]


def _header(record: Record) -> str:
    d, s = record.device, record.settings
    sizes = f"{s.get('dtype')}, batch {s.get('batch')}, {s.get('heads')} heads of {s.get('head_dim')}"
    threads = f", {d['threads']} threads" if d.get("threads") else ""
    versions = ", ".join(f"{name} {v}" for name, v in (record.versions or {}).items())
    lines = wrapped(f"{d.get('kind')}, {d.get('name')}{threads}; {sizes}; {versions}; {record.date}")
    if record.ceilings:
        flops, moved = (record.ceilings[name] / 1e9 for name in ("flops_per_s", "bytes_per_s"))
        lines.append(f"ceilings in this run: {flops:.0f} Gflop/s (large products), {moved:.1f} GB/s (triad)")
    return "\n".join(lines)


def _table(
    record: Record, what: str, passes: str, variants: Sequence[str] | None, cell: Cell, slope_of: str = ""
) -> str:
    """Rows of variants, columns of sizes, and the fitted exponents."""
    curves = {name: record.curve(what, passes, name) for name in variants or record.variants(what, passes)}
    sizes = {n: p for curve in curves.values() for n, p in curve.items()}
    slopes = {name: record.slopes().get((what, passes, name, slope_of)) for name in curves}
    rows = {title_of(name): {n: cell(p) for n, p in curve.items()} for name, curve in curves.items()}
    if any(slopes.values()):
        last = [str(one or "-").partition(" over")[0].replace("± ", "±") for one in slopes.values()]
        return _layout(rows, sizes, {"exponent": last})
    return _layout(rows, sizes)


def _layout(
    rows: Mapping[str, Mapping[int, str]], sizes: Mapping[int, Point], more: Mapping[str, list[str]] | None = None
) -> str:
    """Columns of equal height side by side; those that find no room stand below, under the rows' names again."""
    heads = {n: str(point.pixels or n) for n, point in sorted(sizes.items())}
    columns = {head: [row.get(n, "-") for row in rows.values()] for n, head in heads.items()} | dict(more or {})
    names = _padded(["pixels" if any(p.pixels for p in sizes.values()) else "N", *rows], left=True)
    blocks = [names]
    for head, cells in columns.items():
        added = _padded([head, *cells])
        if len(blocks[-1][0]) + len(added[0]) + 2 > WIDTH:
            blocks.append(names)
        blocks[-1] = [f"{line}  {cell}" for line, cell in zip(blocks[-1], added, strict=True)]
    return "\n".join(line.rstrip() for block in blocks for line in block)


def _padded(cells: Sequence[str], left: bool = False) -> list[str]:
    width = max(map(len, cells))
    return [cell.ljust(width) if left else cell.rjust(width) for cell in cells]


def size_of(point: Point) -> str:
    """N, or the pixels of a model's image."""
    return f"{point.pixels} px" if point.pixels else f"N = {point.n}"


def _batch(record: Record) -> int:
    return int(record.settings.get("batch") or 1)


def _three(value: float) -> str:
    """Three figures, or all before the point."""
    return f"{value:.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.{2 + (value < 1)}f}"


def two(value: float) -> str:
    """Two figures, all before the point, or hundredths."""
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}" if value >= 0.995 else f"{value:.2f}"


def wrapped(text: str) -> list[str]:
    """Lines of at most `WIDTH` columns, those after the first indented."""
    return textwrap.wrap(text, WIDTH, subsequent_indent="    ", drop_whitespace=True, replace_whitespace=False)
