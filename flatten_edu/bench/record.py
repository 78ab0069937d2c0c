"""The record of a run: one JSON, which the browser's lab `timing` writes alike."""

import json
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from flatten_edu.bench.fit import Crossover, Slope, crossover, fit_slope
from flatten_edu.bench.schema import SCHEMA, check_record
from flatten_edu.machine import replace_whole

# (fast, slow): from which N on the first is faster.
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
    def size(self) -> int:
        """The side of a model's image in pixels, or N."""
        return self.pixels or self.n

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
        text = json.dumps(self.as_json(), indent=1)
        text = re.sub(r"\[\s+([^][{}]*?)\s+\]", lambda numbers: f"[{' '.join(numbers[1].split())}]", text)
        replace_whole(Path(path), f"{text}\n".encode())

    def as_json(self) -> dict[str, object]:
        """The values of its file; fits and crossovers follow from the points."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "points"}
        return {"schema": SCHEMA, **own, "points": [point.as_json() for point in self.points]}

    @property
    def batch(self) -> int:
        """Images in a call."""
        return int(self.settings.get("batch") or 1)

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

    def slope(self, what: str, passes: str, variant: str, of: str = "median") -> Slope | None:
        """The exponent of a variant's "median" or "peak_bytes" over the sizes from `settings["smallest"]` on."""
        curve = self.curve(what, passes, variant)
        values = {n: value for n, point in curve.items() if (value := getattr(point, of))}
        return fit_slope(values, int(self.settings.get("smallest") or 1))

    def crossovers(self, what: str, passes: str) -> dict[tuple[str, str], Crossover]:
        """By the faster and the slower: from which N on focused attention beats softmax and its own transcription."""
        found = {}
        for pair in MODEL_PAIRS if what == "model" else PAIRS:
            fast, slow = ({n: p.seconds for n, p in self.curve(what, passes, name).items()} for name in pair)
            if set(fast) & set(slow):
                found[pair] = crossover(fast, slow)
        return found
