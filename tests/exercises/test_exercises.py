"""Each exercise of the book: its stub is told that it is not right yet, its solution is right."""

import itertools
import re
from pathlib import Path

import nbformat
import pytest
import torch

from flatten_edu.exercises import CHECKS, check

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
ASKED = re.compile(r'^check\("([\w-]+)", (\w+)\)$', re.MULTILINE)


def exercises() -> dict[str, tuple[Path, str, str]]:
    """By name: the notebook, the cell with the stub, and the code of the solution that follows it."""
    found = {}
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        for cell, after in itertools.pairwise(cells):
            for name, _ in ASKED.findall(cell.source) if cell.cell_type == "code" else []:
                solution = re.search(r"\{solution\}.*?```python\n(.*?)```", after.source, re.DOTALL)
                assert solution, f"{path.name}: no solution follows the exercise {name}"
                found[name] = (path, cell.source, solution[1])
    return found


EXERCISES = exercises()
WRONG = {
    "None": None,
    "a number": -3,
    "a word": "x",
    "a function of anything": lambda *given: None,
    "a function of nothing": lambda: 1,
    "a tensor": torch.zeros(2),
}


def before(path: Path, cell: str) -> str:
    """The code of a notebook before a cell, without magics."""
    sources = [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    return "\n".join(source for source in sources[: sources.index(cell)] if "%pip" not in source)


def test_each_check_has_an_exercise_and_each_exercise_a_check():
    assert set(EXERCISES) <= set(CHECKS)


@pytest.mark.usefixtures("readers_view")  # a notebook exports a model, which must not look into the shape checker
@pytest.mark.parametrize("name", EXERCISES)
def test_the_stub_fails_and_the_solution_passes(name, capsys):
    path, cell, solution = EXERCISES[name]
    given: dict[str, object] = {}
    exec(before(path, cell), given)
    capsys.readouterr()
    exec(cell, given)
    assert capsys.readouterr().out.startswith("Not yet: ")
    exec(solution + "\n" + ASKED.search(cell)[0], given)
    assert capsys.readouterr().out == "Right.\n"


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("answer", WRONG)
def test_a_wrong_answer_is_told_so_and_nothing_is_raised(name, answer, capsys):
    check(name, WRONG[answer])
    assert capsys.readouterr().out.startswith("Not yet: ")


def test_an_unknown_exercise():
    with pytest.raises(ValueError, match="softmax-attend"):
        check("no-such", None)
