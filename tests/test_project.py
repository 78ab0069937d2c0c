"""The project's own files agree with one another."""

import re
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml

from tools.notebooks import faults, repository_url

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CONDA_NAMES = {"torch": "pytorch", "build": "python-build"}
PYPI_ONLY = {"math-core", "axe-playwright-python", "triton"}  # conda-forge has no triton but for Linux


def pyproject() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def requirements() -> set[str]:
    extras = pyproject()["optional-dependencies"]
    return set(pyproject()["dependencies"]).union(*extras.values())


def name_of(requirement: str) -> str:
    return re.match(r"[\w-]+", requirement)[0]


def test_conda_environment_lists_what_pyproject_lists():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    from_pip = next(entry["pip"] for entry in listed if isinstance(entry, dict))
    from_conda = {entry for entry in listed if isinstance(entry, str)} - {"pip"}
    wanted = {f"python{pyproject()['requires-python']}"}
    for requirement in requirements():
        name = name_of(requirement)
        if name not in PYPI_ONLY:
            wanted.add(CONDA_NAMES.get(name, name) + requirement.removeprefix(name))
    assert from_conda == wanted
    assert {entry for entry in from_pip if not entry.startswith("-")} == {
        requirement for requirement in requirements() if name_of(requirement) in PYPI_ONLY
    }


def test_each_requirement_has_a_tested_version():
    pinned = {
        name_of(line) for line in (ROOT / "constraints.txt").read_text().splitlines() if line[:1] not in ("", "#")
    }
    assert {name_of(requirement) for requirement in requirements()} <= pinned


def test_the_library_pins_nothing_that_colab_ships():
    assert not [requirement for requirement in pyproject()["dependencies"] if re.search(r"==|<|~=", requirement)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_in_the_form_to_commit(path):
    assert faults(nbformat.read(path, as_version=4)) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_in_the_book_and_imports_its_functions(path):
    assert f"notebooks/{path.stem}" in (ROOT / "_toc.yml").read_text()
    assert "from flatten_edu" in path.read_text()


def test_the_repositorys_address_stands_in_one_place():
    """Notebooks are held to it by `faults`; nowhere else is it written."""
    address = repository_url()
    holders = [
        path.relative_to(ROOT).as_posix()
        for folder in ["book", "flatten_edu", "tools", "tests", ".github", "."]
        for path in (ROOT / folder).glob("**/*" if folder != "." else "*")
        if path.is_file()
        and path.suffix in {".py", ".md", ".yml", ".toml", ".json", ".ts"}
        and address in path.read_text()
    ]
    assert holders == ["_config.yml"]


def test_the_workflow_calls_targets_that_there_are():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "book.yml").read_text())
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    targets = {step["run"].split()[1] for step in steps if step.get("run", "").startswith("make ")}
    assert targets >= {"test", "lint", "js-check", "wheel", "elsewhere", "versions"}
    makefile = (ROOT / "Makefile").read_text()
    assert all(re.search(rf"^{target}:", makefile, flags=re.MULTILINE) for target in targets)


def test_the_lowest_versions_are_tested():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "book.yml").read_text())
    lowest = workflow["jobs"]["versions"]["strategy"]["matrix"]["include"][0]
    bounds = dict(requirement.split(">=") for requirement in pyproject()["dependencies"] if ">=" in requirement)
    assert lowest["python"] == pyproject()["requires-python"].removeprefix(">=")
    assert lowest["torch"] == f"torch=={bounds['torch']}.*" and f"anywidget=={bounds['anywidget']}" in lowest["others"]
    installs = [step["run"] for step in workflow["jobs"]["versions"]["steps"] if "pip install" in step.get("run", "")]
    assert all("matrix.torch" in install for install in installs)


def test_contributors_are_led_to_what_there_is():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"(?:`|^)make ([\w-]+)", text, flags=re.MULTILINE)
    assert targets and all(re.search(rf"^{target}:", makefile, flags=re.MULTILINE) for target in targets)
    paths = [p for p in re.findall(r"`((?:flatten_edu|tests|tools|book)/[\w./]+)`", text) if "NAME" not in p]
    assert paths and all((ROOT / path).exists() for path in paths)


def test_readme_shows_the_tree_as_it_is():
    readme = (ROOT / "README.md").read_text()
    for line in re.findall(r"^(?:├──|└──|│   ├──|│   └──) (\S+)", readme, flags=re.MULTILINE):
        assert list(ROOT.glob(line)) or list(ROOT.glob(f"flatten_edu/{line}")), f"the README names {line}"
    for part in (ROOT / "flatten_edu").iterdir():
        if part.is_dir() and part.name != "__pycache__":
            assert f" {part.name}/" in readme, f"the README's tree lacks {part.name}/"
