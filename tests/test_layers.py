"""Imports point only to a lower level of the house."""

import ast
import re
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


def test_the_labs_typescript_imports_in_no_circle():
    folder = PACKAGE / "labs"
    files = [path for path in folder.rglob("*.ts") if "static" not in path.parts]
    imports = {
        path.resolve(): {
            (path.parent / name / "index.ts" if (path.parent / name).is_dir() else path.parent / f"{name}.ts").resolve()
            for name in re.findall(r'from "(\.[^"]+)"', path.read_text())
        }
        for path in files
    }
    done: set[Path] = set()

    def visit(path: Path, above: tuple[Path, ...]) -> None:
        assert path not in above, " -> ".join(step.name for step in (*above, path))
        if path not in done:
            for other in imports.get(path, ()):
                visit(other, (*above, path))
        done.add(path)

    for path in imports:
        visit(path, ())
