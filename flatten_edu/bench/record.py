"""The record of a run: one JSON, which the browser's lab `timing` writes alike."""

import json
import math
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from flatten_edu.bench.fit import Crossover, Slope, crossover, fit_slope
from flatten_edu.bench.schema import SCHEMA, check_record
from flatten_edu.machine import replace_whole

#: (fast, slow): from which N on the first is faster is looked for, and how many times, is printed.
PAIRS = (
    ("focused_dwc", "softmax"),
    ("focused_dwc", "softmax_written_out"),
    ("focused_dwc", "published"),
    ("focused_dwc", "window"),
    ("focused_dwc_compiled", "softmax_compiled"),
    ("focused_dwc_compiled", "published"),
    ("focused_dwc_compiled", "published_compiled"),
)
MODEL_PAIRS = (("flatten_deit_tiny", "deit_tiny"), ("flatten_deit_tiny_compiled", "deit_tiny_compiled"))


@dataclass
class Point:
    """One variant at one size: every repeat, or the error that took their place."""

    variant: str
    what: str
    passes: str
    n: int
    seconds: list[float] = field(default_factory=list)  # of one call, repeat by repeat
    peak_bytes: int | None = None  # beyond weights and input
    multiply_adds: int = 0
    bytes_moved: int = 0
    error: str | None = None
    pixels: int | None = None  # of a model's image
    calls: int = 1  # in a row that a repeat is the mean of

    @property
    def median(self) -> float | Any:  # Any is None, of a point without repeats: a `curve` has none of them
        """Seconds; None without repeats."""
        return float(np.median(self.seconds)) if self.seconds else None

    @property
    def quartiles(self) -> list[float] | Any:
        """The first and the third, in seconds; None without repeats."""
        return [float(q) for q in np.quantile(self.seconds, [0.25, 0.75])] if self.seconds else None

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What makes a point the same in two records."""
        return self.what, self.passes, self.variant, self.n

    def as_json(self) -> dict[str, object]:
        """With what readers need not compute: median and quartiles."""
        return {**asdict(self), "median": self.median, "quartiles": self.quartiles}


@dataclass
class Record:
    """All that a run measured, and where."""

    made_by: str
    date: str
    device: dict[str, Any]
    versions: dict[str, str]
    settings: dict[str, Any]
    ceilings: dict[str, float] | None
    points: list[Point] = field(default_factory=list)
    stopped: bool = False  # before it had measured all

    @classmethod
    def of(cls, values: Any, source: str = "this") -> "Record":
        """A record from what its JSON held.

        Raises:
            ValueError: it is no record, as `check_record` says.
        """
        try:
            check_record(values)
        except ValueError as error:
            raise ValueError(f"{source} is no record of a benchmark: {error}") from None
        points = [
            Point(**{f.name: point[f.name] for f in fields(Point) if f.name in point}) for point in values["points"]
        ]
        known = {name: values[name] for name in ("made_by", "date", "device", "versions", "settings")}
        return cls(**known, ceilings=values.get("ceilings"), points=points, stopped=bool(values.get("stopped")))

    @classmethod
    def read(cls, path: str | Path) -> "Record":
        """A record from its file. Raises OSError, or ValueError as `of` does."""
        try:
            return cls.of(json.loads(Path(path).read_text("utf-8")), str(path))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} is not JSON: {error}") from None

    def write(self, path: str | Path) -> None:
        """Replace the file whole."""
        text = re.sub(r"\[\s+([^][{}]*?)\s+\]", _on_one_line, json.dumps(self.as_json(), indent=1))
        replace_whole(Path(path), f"{text}\n".encode())

    def as_json(self) -> dict[str, object]:
        """With the fits and crossovers that the points give."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "points"}
        slopes = [_named(("what", "passes", "variant", "quantity"), *entry) for entry in self.slopes().items()]
        crossovers = [_named(("what", "passes", "fast", "slow"), *entry) for entry in self.crossovers().items()]
        found = {"slopes": slopes, "crossovers": crossovers, "points": [point.as_json() for point in self.points]}
        return {"schema": SCHEMA, **own, **found}

    def sections(self) -> list[tuple[str, str]]:
        """The kinds of cases and passes in it, in order."""
        return list(dict.fromkeys((point.what, point.passes) for point in self.points))

    def variants(self, what: str, passes: str) -> list[str]:
        """The variants of a section, in order."""
        return list(dict.fromkeys(p.variant for p in self.points if (p.what, p.passes) == (what, passes)))

    def curve(self, what: str, passes: str, variant: str) -> dict[int, Point]:
        """The points of a variant that were measured, by size."""
        wanted = (what, passes, variant)
        return {p.n: p for p in sorted(self.points, key=lambda p: p.n) if p.key[:3] == wanted and p.seconds}

    def slopes(self) -> dict[tuple[str, str, str, str], Slope]:
        """Of time ("seconds") and memory ("peak_bytes") of each variant of core and module."""
        smallest = int(self.settings.get("smallest") or 1)
        found = {}
        for what, passes in self.sections():
            for variant in self.variants(what, passes) if what != "model" else []:
                curve = self.curve(what, passes, variant)
                for quantity, of in {"seconds": "median", "peak_bytes": "peak_bytes"}.items():
                    slope = fit_slope({n: value for n, p in curve.items() if (value := getattr(p, of))}, smallest)
                    if slope:
                        found[what, passes, variant, quantity] = slope
        return found

    def crossovers(self) -> dict[tuple[str, str, str, str], Crossover]:
        """From which N on focused attention is faster than softmax in each form, and than its plain transcription."""
        found = {}
        for what, passes in self.sections():
            for fast, slow in MODEL_PAIRS if what == "model" else PAIRS:
                curves = [{n: p.seconds for n, p in self.curve(what, passes, name).items()} for name in (fast, slow)]
                if set(curves[0]) & set(curves[1]):
                    found[what, passes, fast, slow] = crossover(curves[0], curves[1])
        return found


def _named(names: tuple[str, ...], key: tuple[str, ...], found: Slope | Crossover) -> dict[str, object]:
    """An entry of the JSON, its numbers in six figures. JSON has no infinity: null, and the text says which end."""
    numbers = asdict(found).items()
    values = {n: float(f"{v:.6g}") if isinstance(v, float) and math.isfinite(v) else v for n, v in numbers}
    values = {n: None if v == math.inf else v for n, v in values.items()}
    return {**dict(zip(names, key, strict=True)), **values, "text": str(found)}


def _on_one_line(numbers: re.Match) -> str:
    return f"[{' '.join(numbers[1].split())}]"
