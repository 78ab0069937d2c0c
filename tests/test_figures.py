"""The page on reproducing figures: each of the paper's has its line, each of ours too, and every label exists."""

import re
from pathlib import Path

import nbformat
import pytest

from flatten_edu.labs import LABS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "book" / "figures.md").read_text()
PAPER = [*(f"Figure {n}" for n in range(3, 8)), *(f"Table {n}" for n in ("3a", "3b", "4", "5", "6", "7"))]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LINK = re.compile(r"\{(?:ref|doc)\}`(?:[^`<]*<)?([^`>]+)>?`")


def labels() -> set[str]:
    """All that a reference may name: targets before headings, and labels of directives."""
    cells = [cell.source for path in NOTEBOOKS for cell in nbformat.read(path, as_version=4).cells]
    texts = [path.read_text() for path in (ROOT / "book").rglob("*.md")] + cells
    pattern = re.compile(r"^\(([\w-]+)\)=$|^:label: ([\w-]+)$", flags=re.MULTILINE)
    return {first or second for text in texts for first, second in pattern.findall(text)}


@pytest.mark.parametrize("figure", PAPER)
def test_each_of_the_paper_s_has_a_line_that_says_how_far_and_links(figure):
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"- **{figure}, ")]
    assert re.search(r"\*(Reproduced|Smaller remake|Not here)\*: ", line)
    assert LINK.findall(line)


def test_every_label_exists():
    known = labels()
    for target in LINK.findall(PAGE):
        assert target in known or any((ROOT / f"{target.lstrip('/')}{end}").exists() for end in (".md", ".ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_chapter_that_shows_a_figure_has_a_line(path):
    cells = nbformat.read(path, as_version=4).cells
    code = "".join(cell.source for cell in cells if cell.cell_type == "code")
    if re.search(r"_figure\(|Lab\(", code):
        mine = re.findall(r"^\(([\w-]+)\)=$", "\n".join(cell.source for cell in cells), flags=re.MULTILINE)
        assert set(mine).intersection(LINK.findall(PAGE))


@pytest.mark.parametrize("lab", sorted(LABS))
def test_each_lab_has_a_line(lab):
    assert f"/book/labs/{lab}" in LINK.findall(PAGE)
    assert f"{LABS[lab].__name__}(" in PAGE
