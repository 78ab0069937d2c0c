"""Level 4: the book's figures as data: what was measured, and what the paper printed, each in a file of its own."""

import json
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from flatten_edu.functional.checks import require_known

__all__ = ["results"]


def results(name: str) -> dict[str, Any]:
    """A file of the book's data by its name: "ablation" and "bench/cpu" are ours, "paper" holds the paper's tables.

    Who made each is in the README beside them.

    Raises:
        ValueError: there is none of that name; the names are listed.
    """
    found = dict(_files(files(__name__)))
    return json.loads(found[require_known("results", name, found)].read_text("utf-8"))


def _files(folder: Traversable, before: str = "") -> Iterator[tuple[str, Traversable]]:
    """The JSON files in a folder and below it, by name."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry, f"{before}{entry.name}/")
        elif entry.name.endswith(".json"):
            yield before + entry.name.removesuffix(".json"), entry
