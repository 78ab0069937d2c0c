"""Two records side by side: what both measured, and what keeps their times from being compared."""

from flatten_edu.bench.record import Point, Record
from flatten_edu.bench.report import size_of, two, wrapped
from flatten_edu.bench.variants import title_of

_SETTINGS = ("dtype", "batch", "heads", "head_dim", "p")


def differences(a: Record, b: Record) -> list[str]:
    """What is not the same in both beyond the times: device, settings and versions."""
    pairs = {f"device's {name}": (a.device.get(name), b.device.get(name)) for name in ("kind", "name", "threads")}
    pairs |= {name: (a.settings.get(name), b.settings.get(name)) for name in _SETTINGS}
    first, second = (dict(record.versions or {}) for record in (a, b))
    pairs |= {f"version of {name}": (first.get(name), second.get(name)) for name in {**first, **second}}
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
    warnings = differences(a, b)
    lines = ["The two were not made alike, so their times say more than the code:", *(f"  {w}" for w in warnings), ""]
    lines = [line for one in lines for line in wrapped(one) or [""]] if warnings else []
    lines.append(f"{'':18}{'':26}{'':>10}{'first, ms':>12}{'second, ms':>12}{'first / second':>17}")
    lines += [_row(first[key], second[key]) for key in common]
    missing = len(first) + len(second) - 2 * len(common)
    return "\n".join([*lines, *([f"{missing} points are in one record only."] if missing else [])])


def _row(one: Point, other: Point) -> str:
    section = {"forward": "forward", "forward+backward": "both"}.get(one.passes, one.passes)
    start = f"{one.what + ', ' + section:18}{title_of(one.variant):26}{size_of(one):>10}"
    return start + "".join(f"{1e3 * p.median:>12.3f}" for p in (one, other)) + f"{two(one.median / other.median):>17}"
