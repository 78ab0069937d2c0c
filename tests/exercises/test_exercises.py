"""Each exercise of the book: its stub is told that it is not right yet, its solution is right."""

import ast
import itertools
import re
import symtable
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


def needed(path: Path, cell: str, solution: str) -> str:
    """The statements before an exercise that make what it and its solution use; nbval runs the whole notebook."""
    sources = [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    earlier = [s for source in sources[: sources.index(cell)] if "%pip" not in source for s in ast.parse(source).body]
    exercise = ast.parse(f"{cell}\n{solution}")
    wanted, kept = used(symtable.symtable(ast.unparse(exercise), "", "exec")), []
    wanted = wanted.difference(*(made_by(statement)[0] for statement in exercise.body))
    for statement in reversed(earlier):
        source = ast.unparse(statement)
        made, items = made_by(statement)
        if wanted & (made | items):
            if isinstance(statement, ast.Assign):
                wanted -= made  # what it was before does not count
            wanted |= used(symtable.symtable(source, "", "exec")) | items
            kept.append(source)
    return "\n".join(reversed(kept))


def used(table: symtable.SymbolTable) -> set[str]:
    """The names that code takes from outside its own functions and comprehensions."""
    module = table.get_type() == "module"
    mine = {s.get_name() for s in table.get_symbols() if s.is_referenced() and (module or s.is_global())}
    return mine.union(*map(used, table.get_children()))


def made_by(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """The names that a statement binds, and those whose items it sets."""
    table = symtable.symtable(ast.unparse(statement), "", "exec")
    bound = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    places = [n for n in ast.walk(statement) if isinstance(n, ast.Subscript | ast.Attribute)]
    return bound, {n.value.id for n in places if isinstance(n.ctx, ast.Store) and isinstance(n.value, ast.Name)}


def test_each_check_has_an_exercise_and_each_exercise_a_check():
    assert set(EXERCISES) <= set(CHECKS)


@pytest.mark.usefixtures("readers_view")  # a notebook exports a model, which must not look into the shape checker
@pytest.mark.parametrize("name", EXERCISES)
def test_the_stub_fails_and_the_solution_passes(name, capsys):
    path, cell, solution = EXERCISES[name]
    given: dict[str, object] = {}
    exec(needed(path, cell, solution), given)
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
