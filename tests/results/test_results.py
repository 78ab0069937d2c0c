"""The paper's figures as data, against a transcription of their own; and no page quotes one that is not in the data."""

import re
from pathlib import Path

import nbformat
import pytest

from flatten_edu.labs.focus.lab import FIGURE_4
from flatten_edu.models import deit_tiny
from flatten_edu.results import results

ROOT = Path(__file__).parents[2]
PAPER = results("paper")

TYPED = {
    "figure_4": "relu, .37, .19, .26, .18 | focused, .75, .11, .09, .05",
    "figure_5": "softmax, 196 | focused, 54 | focused_dwc, 196",
    "figure_6": """
        DeiT-T, 5.7M, 1.2G, 72.2, 6.1M, 1.1G, 74.1 | PVT-T, 13.2M, 1.9G, 75.1, 12.2M, 2.0G, 77.8
        | PVT-S, 24.5M, 3.8G, 79.8, 21.7M, 4.0G, 81.7 | PVTv2-B1, 13.1M, 2.1G, 78.7, 12.9M, 2.2G, 79.5
        | PVTv2-B2, 25.4M, 4.0G, 82.0, 22.6M, 4.3G, 82.5 | Swin-T, 29M, 4.5G, 81.3, 29M, 4.5G, 82.1
        | Swin-S, 50M, 8.7G, 83.0, 51M, 8.7G, 83.5 | Swin-B, 88M, 15.4G, 83.5, 89M, 15.4G, 83.8
        | Swin-B 384, 88M, 47.0G, 84.5, 91M, 46.5G, 85.0 | CSwin-T, 23M, 4.3G, 82.7, 21M, 4.3G, 83.1
        | CSwin-S, 35M, 6.9G, 83.6, 35M, 6.9G, 83.8 | CSwin-B, 78M, 15.0G, 84.2, 75M, 15.0G, 84.5
        | CSwin-B 384, 78M, 47.0G, 85.4, 78M, 46.4G, 85.5""",
    "figure_7": "three devices, 2.1",
    "table_3a": """
        hydra, 1.1G, 5.7M, 68.3 | efficient, 1.1G, 5.7M, 70.2 | angular, 1.1G, 5.7M, 70.8
        | enhanced, 1.1G, 5.8M, 72.9 | focused_dwc, 1.1G, 6.1M, 74.1 | softmax, 1.2G, 5.7M, 72.2""",
    "table_3b": "hydra, 80.7 | efficient, 81.0 | angular, 79.4 | enhanced, 81.8 | focused_dwc, 82.1 | softmax, 81.3",
    "table_4": "relu, 70.5 | focused, 71.8 | focused_dwc, 74.1 | softmax, 72.2",
    "table_5": "2, 82.03 | 3, 82.11 | 4, 81.94 | 8, 81.99 | 32, 81.88",
    "table_6": "7 x 7, 81.6 | 14 x 14, 81.8 | 28 x 28, 81.9 | 56 x 56, 82.1 | 7 x 7 (softmax), 81.3",
    "table_7": "1, 81.7 | 1-2, 82.1 | 1-3, 82.0 | 1-4, 81.9",
}


def typed(table: str) -> list[list]:
    """Rows as the data file has them: first a name, then numbers, or texts such as 5.7M."""
    rows = [[cell.strip() for cell in row.split(",")] for row in table.split("|")]
    return [[name, *(cell if cell[-1].isalpha() else float(cell) for cell in cells)] for name, *cells in rows]


@pytest.mark.parametrize("name", TYPED)
def test_a_table_is_the_paper_s(name):
    found = [[str(first), *rest] for first, *rest in PAPER[name]["rows"]]
    assert found == typed(TYPED[name])
    assert all(len(row) == len(PAPER[name]["columns"]) for row in found)


def test_the_papers_table_4_and_ours_name_the_same_attentions():
    printed = {kind for kind, _ in PAPER["table_4"]["rows"]}
    assert printed <= {run["attention"] for run in results("ablation")["runs"]}


def test_unknown_results_list_the_known():
    with pytest.raises(ValueError, match=r"there is no results 'nothing'; there are ablation, bench/cpu, .*paper"):
        results("nothing")


def test_the_readme_says_who_made_each_file():
    folder = ROOT / "flatten_edu" / "results"
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*.json")}
    assert set(re.findall(r"^\| `([^`]+)` \|", (folder / "README.md").read_text(), flags=re.MULTILINE)) == files


def test_all_tables_are_typed_here():
    assert {name for name in PAPER if re.match("table|figure", name)} == set(TYPED)


def test_figure_4_has_the_vectors_that_the_labs_show():
    assert PAPER["figure_4"]["q"] == [0.39, 0.94] == FIGURE_4["q"]
    assert PAPER["figure_4"]["k"] == [[0.43, 0.86], [0.55, 0.30], [0.97, 0.32], [0.85, 0.14]] == FIGURE_4["k"]
    assert PAPER["figure_4"]["p"] == 3


def test_deit_t_has_the_parameters_that_the_paper_prints():
    parameters = sum(parameter.numel() for parameter in deit_tiny().parameters())
    assert f"{parameters / 1e6:.1f}M" == PAPER["figure_6"]["rows"][0][1]


FENCE = re.compile(r"(`{3,}|:{3,})(.*)")
NUMBER = re.compile(r"(?<![\d.])\d+\.\d+[MG]?(?![\d])")


def prose(text: str) -> str:
    """What is read as prose: no code blocks, and nothing between backticks."""
    kept, opened = [], []
    for line in text.splitlines():
        fence = FENCE.match(line)
        if fence and opened and (fence[1], fence[2].strip()) == (opened[-1][0], ""):
            opened.pop()
        elif fence:
            opened.append((fence[1], not fence[2].startswith("{") or "code" in fence[2]))
        elif not any(code for _, code in opened):
            kept.append(line)
    return re.sub(r"`[^`]*`", "", "\n".join(kept))


def of_tables() -> set[str]:
    """The paper's accuracies, parameters and FLOPs, as they would be written."""
    cells = [cell for name in TYPED for row in PAPER[name]["rows"] for cell in row[1:]]
    return {str(cell) for cell in cells if isinstance(cell, str) or (cell > 1 and cell % 1)}


@pytest.mark.parametrize("page", sorted((ROOT / "book").rglob("*.md")), ids=lambda path: path.stem)
def test_a_page_takes_the_paper_s_numbers_from_the_file(page):
    assert of_tables().intersection(NUMBER.findall(prose(page.read_text()))) == set()


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_an_accuracy_in_a_chapter_is_printed_there_or_the_paper_s(path):
    cells = nbformat.read(path, as_version=4).cells
    printed = " ".join(output.get("text", "") for cell in cells for output in cell.get("outputs", []))
    quoted = {n for cell in cells if cell.cell_type == "markdown" for n in NUMBER.findall(prose(cell.source))}
    accuracies = {number for number in quoted if not number[-1].isalpha() and 50 < float(number) < 100}
    assert {number for number in accuracies - of_tables() if number not in printed} == set()


@pytest.mark.parametrize("table", ["3a", "3b", "4", "5", "6", "7"])
def test_the_ablations_chapter_prints_the_tables_of_the_file(table):
    cells = nbformat.read(ROOT / "notebooks" / "11_ablations.ipynb", as_version=4).cells
    printed = " ".join(output.get("text", "") for cell in cells for output in cell.get("outputs", []))
    assert all(str(row[-1]) in printed for row in PAPER[f"table_{table}"]["rows"])
    code = "".join(cell.source for cell in cells if cell.cell_type == "code")
    assert not of_tables().intersection(NUMBER.findall(code))
