"""Run notebooks where there is no repository, as Colab does: the wheel and Colab's old ipywidgets, in a folder apart.

The rest of the packages are this Python's own. Each notebook has to run through; the labs have to say what they show.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
COLAB = ("ipywidgets==7.7.1", "widgetsnbextension==3.6.10", "jupyterlab-widgets==1.1.11", "ipython-genutils==0.2.0")
WIDGET = "application/vnd.jupyter.widget-view+json"


def install(folder: Path, wheel: Path) -> None:
    """The wheel and Colab's ipywidgets, without what they depend on, in a folder of their own."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, wheel, *COLAB]
    subprocess.run(command, check=True)


def run(path: Path, folder: Path) -> int:
    """Execute a copy of a notebook in a folder; how many widgets it showed."""
    notebook = nbformat.read(shutil.copy(path, folder), as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return sum(WIDGET in output.get("data", {}) for output in outputs)


def main() -> None:
    """Build the wheel, install it elsewhere, run the notebooks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="*", help="such as 06_focused_function; all by default")
    given = parser.parse_args()
    names = given.notebooks or sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
    with tempfile.TemporaryDirectory() as place:
        packages, desk = Path(place) / "packages", Path(place) / "desk"
        desk.mkdir()
        subprocess.run([sys.executable, "-m", "build", "--outdir", place, ROOT], check=True, stdout=subprocess.DEVNULL)
        install(packages, next(Path(place).glob("*.whl")))
        os.environ["PYTHONPATH"] = str(packages)  # before everything else, in the kernels
        for name in names:
            widgets = run(ROOT / "notebooks" / f"{name}.ipynb", desk)
            print(f"{name}: ran outside the repository, {widgets} widgets", flush=True)


if __name__ == "__main__":
    main()
