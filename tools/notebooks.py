"""Bring the notebooks into the form in which they are committed: `make notebooks`.

The first cell installs flatten_edu from the repository that _config.yml names, and each notebook is run. Kept are the
outputs that nbval compares. A figure or a lab is compared by the sentence that stands for it; its picture is kept
small, for viewers that run nothing, such as GitHub's preview. With --check nothing is written, and the exit status says
whether anything would be.
"""

import argparse
import base64
import io
import re
import sys
from pathlib import Path

import nbformat
import yaml
from nbclient import NotebookClient
from PIL import Image

from flatten_edu.publish.address import PLACEHOLDER

ROOT = Path(__file__).parent.parent
BUILT = ROOT / "_build" / "jupyter_execute" / "notebooks"  # the notebooks as the book's build has run them
WIDEST = 78  # characters of an output that a page shows without scrolling
WIDTH, COLOURS = 640, 32  # its pixels and colours
CHECKED = "# NBVAL_CHECK_OUTPUT"
FIRST = """\
try:
    import flatten_edu
except ModuleNotFoundError:  # in Colab, say
    \
"""
INSTALL = '%pip install -q "flatten-edu @ git+{url}"'
WHAT_TO_SET = "Set repository.url in _config.yml first."
NOT_YET = f'raise SystemExit("{WHAT_TO_SET}") from None'


def repository_url() -> str:
    """The one place where the repository's address stands."""
    return yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"].rstrip("/")


def first_cell() -> str:
    """What the first cell of each notebook has to say: silent where flatten_edu is installed."""
    url = repository_url()
    return FIRST + (NOT_YET if PLACEHOLDER in url else INSTALL.format(url=url))


def faults(notebook: nbformat.NotebookNode) -> list[str]:
    """What keeps a notebook from being committed as it is."""
    found = []
    first = notebook.cells[0]
    if first.source != first_cell() or "remove-cell" not in first.metadata.get("tags", []):
        found.append("the first cell does not install flatten_edu from _config.yml's repository.url")
    for i, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        if CHECKED not in cell.source and cell.outputs:
            found.append(f"cell {i} keeps an output that nothing checks")
        if CHECKED in cell.source and not (cell.outputs and cell.execution_count):
            found.append(f"cell {i} is to be checked and was not run")
        text = "".join(output.get("text", "") for output in cell.outputs)
        if max(map(len, text.splitlines()), default=0) > WIDEST:
            found.append(f"cell {i} prints lines of more than {WIDEST} characters")
    if "widgets" in notebook.metadata:
        found.append("it carries widget state")
    return found


def previews(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """A cell's outputs with their pictures small and in few colours; beside the first stand the words, for nbval."""
    found = []
    for output in outputs:
        data = output.get("data", {})
        drawn = re.findall(r'src="data:image/png;base64,([^"]+)"', data.get("text/html", ""))
        drawn += [data["image/png"]] if "image/png" in data else []
        found += [nbformat.v4.new_output("display_data", {"image/png": _small(png)}) for png in drawn] or [output]
        if drawn:
            found[-len(drawn)].data["text/plain"] = data["text/plain"]
    return found


def _small(png: str) -> str:
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA")
    picture.thumbnail((WIDTH, 10 * WIDTH), Image.Resampling.LANCZOS)
    content = io.BytesIO()
    picture.quantize(COLOURS, Image.Quantize.FASTOCTREE).save(content, "PNG", optimize=True)
    return base64.b64encode(content.getvalue()).decode()


def refresh(path: Path) -> None:
    """Set the first cell, run the notebook, and keep what nbval checks and small pictures."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source = first_cell()
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": path.parent}}).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.metadata.pop("execution", None)
            if CHECKED in cell.source:
                cell.outputs = previews(_merged(cell.outputs))  # with a count: nbval refuses outputs without
            else:
                cell.outputs, cell.execution_count = [], None
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, path)


def built_pictures(path: Path) -> dict[str, list[nbformat.NotebookNode]]:
    """The small pictures of each code cell, by its source, as the book's build has run the notebook."""
    built = nbformat.read(BUILT / path.name, as_version=4)
    return {cell.source: previews(_merged(cell.outputs)) for cell in built.cells if cell.cell_type == "code"}


def take_pictures(path: Path) -> None:
    """Bring a notebook's small pictures up to date without a run."""
    notebook, shown = nbformat.read(path, as_version=4), built_pictures(path)
    for cell in notebook.cells:
        if cell.cell_type == "code" and any("data" in output for output in cell.outputs):
            cell.outputs = shown[cell.source]
    nbformat.write(notebook, path)


def _merged(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """One stream a cell: how a kernel cuts it into messages changes from run to run."""
    merged: list[nbformat.NotebookNode] = []
    for output in outputs:
        if merged and output.output_type == "stream" == merged[-1].output_type and output.name == merged[-1].name:
            merged[-1].text += output.text
        else:
            merged.append(output)
    return merged


def main() -> int:
    """Refresh the notebooks, or say what is wrong with them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a notebook is not in form")
    parser.add_argument("--pictures", action="store_true", help="run nothing; take the pictures from the built book")
    given = parser.parse_args()
    wrong = 0
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        if given.pictures:
            take_pictures(path)
        elif not given.check:
            refresh(path)
        for fault in faults(nbformat.read(path, as_version=4)):
            print(f"{path.relative_to(ROOT)}: {fault}", file=sys.stderr)
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
