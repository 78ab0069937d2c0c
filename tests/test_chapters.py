"""Chapters 1 to 8 tell one story: each opens with the six patches and a question; nothing comes before its place."""

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parent.parent
ALL = sorted((ROOT / "notebooks").glob("*.ipynb"))
NOTEBOOKS = ALL[:8]  # one story
# What a chapter may not speak of yet, by the chapter that brings it.
PLACES = {
    r"\bheads?\b|class token|\bMLP\b": 2,
    r"feature map|linear attention": 3,
    r"\brank\b|singular value": 5,
    r"f_p|\\phi_p|focus(ed|ing) (function|factor)|focused_map": 6,
    r"convolution|DWC": 7,
    r"\bfp16\b|half precision|softplus": 8,
}


def cells(path: Path) -> list[nbformat.NotebookNode]:
    return nbformat.read(path, as_version=4).cells


def prose(path: Path) -> str:
    """What a reader reads, without the names of pages that it links to."""
    text = "\n".join(cell.source for cell in cells(path) if cell.cell_type == "markdown")
    return re.sub(r"\{\w+\}`[^`]*`|:label: \S+|^\([\w-]+\)=$", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_opens_with_the_six_patches_and_a_prediction(path):
    sources = [cell.source for cell in cells(path)[1:]]
    opening = "\n".join(sources)
    opening = opening[: opening.index("\n## ")]
    assert "thread_figure(" in opening and ":::{predict}" in opening
    assert opening.index("thread_figure(") < opening.index(":::{predict}")


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_it_ends_with_what_is_known_and_what_follows(path):
    headings = re.findall(r"^## (.+)$", prose(path), flags=re.MULTILINE)
    assert headings[-3:-1] == ["What you now know, and the question that it leaves", "Exercises"]
    assert headings[-1].startswith("What is proved, measured, and the paper")
    text = "\n".join(cell.source for cell in cells(path))
    known = text[text.index("## What you now know") : text.index("## Exercises")]
    assert "?**" in known
    assert path is ALL[-1] or f"/notebooks/{int(path.stem[:2]) + 1:02}_" in known


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nothing_comes_before_its_place(path):
    text, number = prose(path), int(path.stem[:2])
    known = text.index("## What you now know")  # promises are made there
    early = {
        word: re.findall(rf".{{0,30}}(?:{word}).{{0,20}}", text[:known])
        for word, place in PLACES.items()
        if number < place
    }
    assert {word: found for word, found in early.items() if found} == {}


def test_the_glossary_leads_to_where_a_word_is_explained():
    """There it stands in bold type for the first time."""
    chapters = {path.stem: prose(path).lower() for path in ALL}
    entries = re.findall(r"^(\w[^\n(]*?)(?: \(.*\))?\n((?:  .*\n)+)", (ROOT / "book" / "glossary.md").read_text(), re.M)
    leads = {term: re.findall(r"/notebooks/(\w+)`", text)[:1] for term, text in entries}
    explained = {
        term: [name for name, text in chapters.items() if re.search(rf"\*\*{term}s?\*\*", text)] for term in leads
    }
    assert sum(bool(found) for found in explained.values()) > 20
    assert {t: (leads[t], found) for t, found in explained.items() if found and leads[t] != found[:1]} == {}
