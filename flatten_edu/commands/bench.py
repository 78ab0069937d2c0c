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
from flatten_edu.bench.settings import DTYPES, PASSES, WHAT
from flatten_edu.plot import bench_figure
from flatten_edu.results import results


def add(parser: argparse.ArgumentParser) -> None:
    """The command's options: fields of `Settings`, which has the defaults."""
    book = {field.name: getattr(Settings(device="cpu"), field.name) for field in fields(Settings)}

    def words(name: str) -> str:
        return f"({' '.join(map(str, book[name]))})"

    many: dict[str, Any] = {"nargs": "+", "metavar": "NAME"}
    parser.add_argument("--what", **many, help=f"of {', '.join(WHAT)} {words('what')}")
    parser.add_argument("--passes", **many, help=f"of {', '.join(PASSES)}; models run forward {words('passes')}")
    parser.add_argument(
        "--variants",
        **many,
        help=f"of {', '.join(VARIANTS)} (all that can run)",
    )
    parser.add_argument("--compile", action="store_true", help="the compiled forms alone, of those chosen")
    parser.add_argument("--tokens", nargs="+", type=int, metavar="N", help=words("tokens"))
    parser.add_argument("--pixels", nargs="+", type=int, metavar="SIDE", help=f"of models' images {words('pixels')}")
    parser.add_argument("--batch", type=int, help=f"({book['batch']})")
    parser.add_argument("--heads", type=int, help=f"({book['heads']})")
    parser.add_argument("--head-dim", type=int, help=f"d, features of a head ({book['head_dim']})")
    parser.add_argument("--dtype", help=f"of {', '.join(DTYPES)} ({book['dtype']})")
    parser.add_argument("--device", help="cpu, cuda or mps; by default a GPU where there is one")
    parser.add_argument("--threads", type=int, help="of the CPU (all)")
    parser.add_argument(
        "--budget", type=float, help=f"seconds a point may take at least; beyond, it is an error ({book['budget']:g})"
    )
    parser.add_argument("--seconds", type=float, help=f"that short points are repeated for ({book['seconds']:g})")
    parser.add_argument("--repeats", type=int, help=f"of a point, at least ({book['repeats']})")
    parser.add_argument("--spread", type=float, help=f"of a median, relative, that will do ({book['spread']:g})")
    parser.add_argument("--smallest", type=int, help=f"N from which on exponents are fitted ({book['smallest']})")
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
    chosen = {field.name: getattr(given, field.name, None) for field in fields(Settings)}
    settings = Settings(**{name: _settled(value) for name, value in chosen.items() if value is not None})
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
        figure = bench_figure(record)
        for suffix in (".png", ".svg"):
            figure.savefig(out.with_suffix(suffix), facecolor="white", dpi=150)
        print(f"\nwritten: {out}, and its plot as .png and .svg")
    if record.stopped:
        raise KeyboardInterrupt


def _record(name: str) -> Record:
    return Record.read(name) if Path(name).suffix else Record.of(results(name), name)


def _settled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
