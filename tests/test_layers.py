"""Imports point only to a lower level of the house."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "flatten_edu"
LEVELS = [
    {"functional", "machine"},
    {"nn"},
    {"models"},
    {"analysis", "bench", "data", "results", "train"},
    {"experiments", "plot", "labs"},
    {"publish", "commands", "exercises"},
]
LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names}


def imported_parts(path: Path) -> set[str]:
    """The parts of flatten_edu that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        modules = []
        if isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module] if node.module != "flatten_edu" else [f"flatten_edu.{a.name}" for a in node.names]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        found |= {module.split(".")[1] for module in modules if module.startswith("flatten_edu.")}
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_downward(path):
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if part.startswith("__"):
        return
    upward = {other for other in imported_parts(path) if other != part and LEVEL[other] >= LEVEL[part]}
    assert not upward, f"{part} is level {LEVEL[part] + 1} and imports {upward}"
