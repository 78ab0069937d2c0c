"""What makes a file a record: one schema for `python -m flatten_edu bench` and for the lab `timing`."""

import math
from typing import Any

SCHEMA = 1
MOST_POINTS = 20_000


def check_record(value: Any) -> dict[str, Any]:
    """The value itself, if it is a record. Twin: `readRecord` in labs/timing/record.ts.

    Raises:
        ValueError: what is wrong with it, in the words that the lab has for a file, too.
    """
    _want(isinstance(value, dict), "the file must be an object")
    _want(value.get("schema") == SCHEMA, f'"schema" must be {SCHEMA}, and is {value.get("schema")!r}')
    for key in ["date", "made_by"]:
        _want(isinstance(value.get(key), str), f'"{key}" must be a text')
    for key in ["device", "versions", "settings"]:
        _want(isinstance(value.get(key), dict), f'"{key}" must be an object')
    for key in ["kind", "name"]:
        _want(isinstance(value["device"].get(key), str), f'device "{key}" must be a text')
    points = value.get("points")
    _want(isinstance(points, list) and points, '"points" must be a list that is not empty')
    _want(len(points) <= MOST_POINTS, f'"points" has more than {MOST_POINTS} entries')
    for i, point in enumerate(points):
        _check_point(point, f"point {i + 1}")
    _want(any(point["seconds"] for point in points), "none of its points has a time")
    return value


def _check_point(point: Any, where: str) -> None:
    _want(isinstance(point, dict), f"{where} must be an object")
    for key in ["variant", "what", "passes"]:
        _want(isinstance(point.get(key), str), f'{where}: "{key}" must be a text')
    n, seconds, error = point.get("n"), point.get("seconds"), point.get("error")
    _want(type(n) is int and n >= 1, f'{where}: "n" must be a whole number from 1, and is {n!r}')
    _want(error is None or isinstance(error, str), f'{where}: "error" must be a text or null')
    times = isinstance(seconds, list) and all(map(_is_time, seconds))
    _want(times, f'{where}: "seconds" must be a list of numbers above 0')
    _want(bool(seconds) == (error is None), f"{where}: it must have either times or an error")
    median, wanted = point.get("median"), "a number above 0" if seconds else "null"
    _want(_is_time(median) if seconds else median is None, f'{where}: "median" must be {wanted}')


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0


def _want(holds: Any, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
