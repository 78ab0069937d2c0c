"""The book's figures as data: what we measured, and what the paper printed, each in a file of its own."""

import json
import sysconfig
from pathlib import Path

from flatten_edu.functional.checks import require_known

# In a clone the files lie beside the package; an installation has copies among its shared data.
_FOLDERS = (
    Path(__file__).parents[2] / "book" / "data",
    Path(sysconfig.get_path("data")) / "share" / "flatten_edu",
)


def results(name: str) -> dict[str, object]:
    """A file of the book's data by its name: "ablation" and "bench/cpu" are ours, "paper" holds the paper's tables.

    Raises:
        ValueError: there is none of that name; the names are listed.
    """
    files = {
        path.relative_to(folder).with_suffix("").as_posix(): path
        for folder in reversed(_FOLDERS)
        for path in folder.rglob("*.json")
    }
    return json.loads(files[require_known("results", name, files)].read_text("utf-8"))
