"""Time attention on this machine: softmax in three forms, focused and other linear attentions, and whole models.

Writes a record (JSON) and its plot (PNG and SVG) and prints tables. Ctrl-C keeps what was measured. `bench compare
A.json B.json` puts two records side by side.
"""

import argparse
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from flatten_edu.bench import VARIANTS, Record, Settings, compare, measure, report
from flatten_edu.plot import bench_figure
from flatten_edu.results import results


def add(parser: argparse.ArgumentParser) -> None:
    """The command's options: the fields of `Settings`, which has the defaults."""
    for setting in fields(Settings):
        option: dict[str, Any] = {"help": setting.metadata["help"], "type": str}
        if isinstance(setting.default, tuple):
            first, *_ = setting.default or [""]
            option |= {"nargs": "+", "type": type(first), "metavar": "N" if isinstance(first, int) else "NAME"}
            option["help"] += f" ({' '.join(map(str, setting.default))})" if setting.default else ""
        elif isinstance(setting.default, int | float | str):
            option |= {"type": type(setting.default), "help": f"{option['help']} ({setting.default})"}
        elif setting.name == "threads":
            option["type"] = int
        parser.add_argument(f"--{setting.name.replace('_', '-')}", **option)
    parser.add_argument("--compile", action="store_true", help="the compiled forms alone, of those chosen")
    parser.add_argument("--out", type=Path, help="the record's file; the plot goes beside it (bench_DEVICE_TIME.json)")
    actions = parser.add_subparsers(dest="action", metavar="compare")
    two = actions.add_parser("compare", help="two records side by side", description=compare.__doc__)
    for which in ("first", "second"):
        two.add_argument(which, help="a record's file, or one of the book's by name, such as bench/cpu")


def run(given: argparse.Namespace) -> None:
    """Measure, write and print; or compare."""
    if given.action == "compare":
        print(compare(_record(given.first), _record(given.second)))
        return
    chosen: dict[str, Any] = {one.name: getattr(given, one.name) for one in fields(Settings)}
    chosen = {name: tuple(value) if isinstance(value, list) else value for name, value in chosen.items()}
    settings = Settings(**{name: value for name, value in chosen.items() if value is not None})
    if given.compile:
        compiled = dict.fromkeys(f"{name.removesuffix('_compiled')}_compiled" for name in settings.chosen)
        settings = replace(settings, variants=tuple(name for name in compiled if name in VARIANTS))
    out = given.out or Path(f"bench_{settings.device}_{datetime.now():%Y%m%d_%H%M%S}.json")
    if out.suffix != ".json":
        raise ValueError(f"--out is the record's file and ends in .json, got {out}")
    out.parent.mkdir(parents=True, exist_ok=True)
    record = measure(settings, keep=lambda record: record.write(out), show=True)
    if record.points:
        print(report(record))
    if any(point.seconds for point in record.points):
        figure = bench_figure(record)
        for suffix in (".png", ".svg"):
            figure.savefig(out.with_suffix(suffix), facecolor="white", dpi=150)
        print(f"\nwritten: {out}, and its plot as .png and .svg")
    if record.stopped:
        raise KeyboardInterrupt


def _record(name: str) -> Record:
    return Record.read(name) if Path(name).suffix else Record.of(results(name), name)
