"""A record as text, and two beside each other: tables of at most 78 columns, what a page of the book shows."""

import textwrap
from collections.abc import Callable, Sequence
from typing import cast

from flatten_edu.bench.record import Point, Record
from flatten_edu.bench.variants import title_of

WIDTH = 78


def times(record: Record, what: str, passes: str, variants: Sequence[str] | None = None, spread: bool = True) -> str:
    """Milliseconds of a section, a row a variant and a column a size; models' are images per second.

    Args:
        variants: some of them, in this order. spread: with half the distance between the quartiles.
    """
    if what == "model":
        return _table(record, what, passes, variants, lambda p: _three(record.batch / p.median))

    def cell(p: Point) -> str:
        low, high = p.quartiles
        return _three(1e3 * p.median) + (f" ±{_two(1e3 * (high - low) / 2)}" if spread else "")

    return _table(record, what, passes, variants, cell, "median")


def memory(record: Record, what: str, passes: str, variants: Sequence[str] | None = None) -> str:
    """Peak memory beyond weights and input, in MB."""

    def cell(p: Point) -> str:
        return _three(p.peak_bytes / 1e6) if p.peak_bytes else "-"

    return _table(record, what, passes, variants, cell, "peak_bytes")


def roofline(record: Record, what: str, passes: str, variants: Sequence[str] | None = None) -> str:
    """How many times what arithmetic alone would take | what moving the bytes once would take."""
    return _table(record, what, passes, variants, lambda p: "|".join(map(_two, floors(record, p))))


def floors(record: Record, point: Point) -> tuple[float, float]:
    """A point's time over what its multiply-adds would take alone, and over what its bytes would, at the ceilings."""
    ceilings = cast(dict[str, float], record.ceilings)
    arithmetic = 2 * point.multiply_adds / ceilings["flops_per_s"]
    return point.median / arithmetic, point.median * ceilings["bytes_per_s"] / point.bytes_moved


def crossovers(record: Record, what: str, passes: str) -> list[str]:
    """From which N on one stays faster than another, and 95 % of what redrawn repeats say: a line a pair."""
    return [f"{fast} beats {slow} {one}" for (fast, slow), one in record.crossovers(what, passes).items()]


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
        parts.append("\n".join(crossovers(record, what, passes)))
    failed = [f"  {p.what}, {p.passes}, {p.variant}, {_size(p)}: {p.error}" for p in record.points if p.error]
    if failed:
        parts.append("\n".join(["not measured:", *map(_wrapped, failed)]))
    if record.stopped:
        parts.append("The run was stopped: what stands above is what it had measured.")
    return "\n\n".join(filter(None, parts))


def _header(record: Record) -> str:
    d, s = record.device, record.settings
    sizes = f"{s.get('dtype')}, batch {s.get('batch')}, {s.get('heads')} heads of {s.get('head_dim')}"
    threads = f", {d['threads']} threads" if d.get("threads") else ""
    versions = ", ".join(f"{name} {v}" for name, v in record.versions.items())
    header = _wrapped(f"{d.get('kind')}, {d.get('name')}{threads}; {sizes}; {versions}; {record.date}")
    if record.ceilings:
        flops, moved = (record.ceilings[name] / 1e9 for name in ("flops_per_s", "bytes_per_s"))
        header += f"\nceilings in this run: {flops:.0f} Gflop/s (large products), {moved:.1f} GB/s (triad)"
    return header


def _table(
    record: Record, what: str, passes: str, variants: Sequence[str] | None, cell: Callable[[Point], str], fit: str = ""
) -> str:
    """Rows of variants, columns of sizes, and the exponents of what is fitted.

    Columns that find no room stand below, under the rows' names again.
    """
    curves = {name: record.curve(what, passes, name) for name in variants or record.variants(what, passes)}
    sizes = {n: str(p.size) for curve in curves.values() for n, p in curve.items()}
    columns = [[sizes[n], *(cell(c[n]) if n in c else "-" for c in curves.values())] for n in sorted(sizes)]
    slopes = [record.slope(what, passes, name, fit) for name in curves] if fit else []
    if any(slopes):
        columns.append(["exponent", *(str(s or "-").partition(" over")[0].replace("± ", "±") for s in slopes)])
    names = ["pixels" if what == "model" else "N", *map(title_of, curves)]
    blocks = [[name.ljust(max(map(len, names))) for name in names]]
    for column in columns:
        width = max(map(len, column)) + 2
        if len(blocks[-1][0]) + width > WIDTH:
            blocks.append([name.ljust(max(map(len, names))) for name in names])
        blocks[-1] = [line + one.rjust(width) for line, one in zip(blocks[-1], column, strict=True)]
    return "\n".join(line.rstrip() for block in blocks for line in block)


def differences(a: Record, b: Record) -> list[str]:
    """What is not the same in both beyond the times: device, settings and versions."""
    pairs = {f"device's {name}": (a.device.get(name), b.device.get(name)) for name in ("kind", "name", "threads")}
    for name in ("dtype", "batch", "heads", "head_dim", "p"):
        pairs[name] = (a.settings.get(name), b.settings.get(name))
    for name in {**a.versions, **b.versions}:
        pairs[f"version of {name}"] = (a.versions.get(name), b.versions.get(name))
    return [f"{name}: {one} | {other}" for name, (one, other) in pairs.items() if one != other]


def compare(a: Record, b: Record) -> str:
    """A table of the points that both measured: milliseconds, and how many times as fast `b` is.

    Raises:
        ValueError: no point is in both.
    """
    first, second = ({p.key: p for p in record.points if p.seconds} for record in (a, b))
    common = [key for key in first if key in second]
    if not common:
        raise ValueError("the two records have no point in common: what, passes, variant and N must be the same")
    lines = []
    if warnings := differences(a, b):
        lines += ["The two were not made alike, so their times say more than the code:"]
        lines += [*(_wrapped(f"  {warning}") for warning in warnings), ""]
    lines.append(f"{'':54}{'first, ms':>12}{'second, ms':>12}{'first / second':>17}")
    for key in common:
        one, other = first[key], second[key]
        section = f"{one.what}, {'both' if one.passes == 'forward+backward' else one.passes}"
        start = f"{section:18}{title_of(one.variant):26}{_size(one):>10}"
        start += f"{1e3 * one.median:>12.3f}{1e3 * other.median:>12.3f}"
        lines.append(f"{start}{_two(one.median / other.median):>17}")
    missing = len(first) + len(second) - 2 * len(common)
    return "\n".join([*lines, *([f"{missing} points are in one record only."] if missing else [])])


def _size(point: Point) -> str:
    return f"{point.pixels} px" if point.pixels else f"N = {point.n}"


def _three(value: float) -> str:
    """Three figures, or all before the point."""
    return f"{value:.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.{2 + (value < 1)}f}"


def _two(value: float) -> str:
    """Two figures, all before the point, or hundredths."""
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}" if value >= 0.995 else f"{value:.2f}"


def _wrapped(text: str) -> str:
    """Lines of at most `WIDTH` columns, those after the first indented."""
    return textwrap.fill(text, WIDTH, subsequent_indent="    ")
