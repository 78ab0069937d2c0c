"""What a reader may set: each trait's kind, limits and choices, declared once.

The rule of a trait checks what Python sets, words the error, and travels with the lab's state: there it limits the
trait's control and checks what a link brings. Twin of `allows`: `allows` in schema.ts.
"""

import copy
import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import torch
import traitlets as t

Rule = dict[str, Any]
Number = int | float
MOST_SHOWN = 80  # letters of a refused value


class Setting(t.TraitType):
    """A trait of a lab that a control and a link can set; `rule` says what it takes."""

    name: str  # the lab's class gives it

    def __init__(self, default: Any, **rule: Any) -> None:
        super().__init__(default)
        self.rule: Rule = rule
        self.tag(sync=True)

    def default(self, obj: t.HasTraits | None = None) -> Any:
        """A copy, so that no lab changes another's."""
        return copy.deepcopy(self.default_value)

    def validate(self, obj: Any, value: object) -> Any:
        """The value as plain numbers and lists, or the lab's error."""
        found = plain(value, self.rule)
        if not allows(self.rule, found):
            raise refuse(obj, self.name, wanted(obj.rules()[self.name]), value)
        return found


def number(default: Number, least: Number, most: Number, *, besides: Number | None = None) -> Setting:
    """A number from `least` to `most`, or the one `besides`."""
    return Setting(default, kind="number", least=least, most=most, besides=besides)


def whole(default: int, least: int, most: int) -> Setting:
    """A whole number from `least` to `most`."""
    return Setting(default, kind="whole", least=least, most=most)


def choice(default: Any, *others: Any) -> Setting:
    """One of a few; the first is the default."""
    return Setting(default, kind="choice", of=[default, *others])


def flag(default: bool) -> Setting:
    """True or false."""
    return Setting(default, kind="flag")


def vector(default: Sequence[Number], fewest: int, most: int, *, least: Number, largest: Number = 1e6) -> Setting:
    """A row of numbers."""
    return Setting([float(x) for x in default], kind="vector", length=[fewest, most], least=least, most=largest)


def rows(
    default: Sequence[Sequence[Number]], most_rows: int, columns: tuple[int, int], *, largest: Number = 1e6
) -> Setting:
    """Rows of as many numbers each, between -largest and largest."""
    start = [[float(x) for x in row] for row in default]
    return Setting(start, kind="rows", rows=[1, most_rows], columns=list(columns), least=-largest, most=largest)


def grid(default: tuple[int, int], most: int) -> Setting:
    """Rows and columns of 2 to `most` cells."""
    return Setting(default, kind="grid", most=most)


def plain(value: object, rule: Rule) -> Any:
    """Tensors and arrays as lists, numbers of any library as Python's; what cannot be so read stays as it is."""
    kind = rule["kind"]
    if kind in ("vector", "rows"):
        try:
            read = torch.as_tensor(value, dtype=torch.float64).detach()
        except (TypeError, ValueError, RuntimeError):
            return value
        # A row of a tensor, [1, d], is a vector too: so queries come out of a model.
        return read.reshape(-1).tolist() if kind == "vector" else read.tolist()
    if kind == "grid":
        return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
    if isinstance(value, bool):
        return value
    if kind == "number" and isinstance(value, Real):
        return float(value)
    return int(value) if isinstance(value, Integral) else value


def allows(rule: Rule, value: Any) -> bool:
    """Whether a plain value keeps a rule. NaN keeps none."""
    match rule["kind"]:
        case "number":
            return _is(value, int, float) and (rule["least"] <= value <= rule["most"] or value == rule["besides"])
        case "whole":
            return _is(value, int) and rule["least"] <= value <= rule["most"]
        case "choice":
            return any(value == one and type(value) is type(one) for one in rule["of"])
        case "flag":
            return isinstance(value, bool)
        case "vector":
            return _row(value, rule, rule["length"])
        case "rows":
            return (
                isinstance(value, list)
                and rule["rows"][0] <= len(value) <= rule["rows"][1]
                and all(_row(row, rule, rule["columns"]) for row in value)
                and len({len(row) for row in value}) == 1
            )
        case "grid":
            pair = isinstance(value, tuple | list) and len(value) == 2 and all(_is(side, int) for side in value)
            return pair and min(value) >= 1 and 2 <= math.prod(value) <= rule["most"]
    raise ValueError(f"no rule is of kind {rule['kind']!r}")


def _is(value: Any, *kinds: type) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)


def _row(value: Any, rule: Rule, length: list[int]) -> bool:
    fits = isinstance(value, list) and length[0] <= len(value) <= length[1]
    return fits and all(_is(x, int, float) and rule["least"] <= x <= rule["most"] for x in value)


def wanted(rule: Rule) -> str:
    """A rule in words."""
    match rule["kind"]:
        case "number":
            besides = "" if rule["besides"] is None else f"{rule['besides']:g}, or "
            return f"{besides}a number from {_short(rule['least'])} to {_short(rule['most'])}"
        case "whole":
            return f"a whole number from {rule['least']} to {rule['most']}"
        case "choice":
            return "one of " + ", ".join(map(repr, rule["of"]))
        case "flag":
            return "True or False"
        case "vector":
            return f"{_span(rule['length'])} finite numbers from {_short(rule['least'])} to {_short(rule['most'])}"
        case "rows":
            numbers = f"finite numbers between {_short(rule['least'])} and {_short(rule['most'])}"
            return f"{_span(rule['rows'])} rows of {_span(rule['columns'])} {numbers}"
    return f"rows and columns of 2 to {rule['most']} cells"


def _span(ends: list[int]) -> str:
    return str(ends[0]) if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _short(x: Number) -> str:
    if 0 < x < 1 and float(1 / x).is_integer():
        return f"1/{1 / x:.0f}"
    return f"{x:g}" if abs(x) < 1e6 else f"{x:.0e}".replace("e+0", "e")


def refuse(lab: t.HasTraits, trait: str, what: str, got: object) -> t.TraitError:
    """The error of a trait that was given a value which will not do, with the lab's hint, if it has one."""
    hint = getattr(lab, "hints", {}).get(trait, "")
    return t.TraitError(f"{type(lab).__name__} needs {trait} to be {what}, got {shown(got)}{hint and f'. {hint}'}")


def shown(got: object) -> str:
    """A value within an error: a tensor or an array by its shape, and no more of another than a line holds."""
    shape = tuple(getattr(got, "shape", ()))
    if shape:
        return f"{'a tensor' if isinstance(got, torch.Tensor) else 'an array'} of shape {shape}"
    text = repr(got)
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 4]} ..."
