"""The build notices each thing that the book is made of: source, data, weights, samples, bundles, styles, tools."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tools import build

ROOT = Path(__file__).parents[2]


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A copy of all that the book is made of, and of some that it is not; built, as far as the records say."""
    for part in (*build.PARTS, "package.json"):
        ignored = shutil.ignore_patterns("__pycache__")
        copy = shutil.copytree if (ROOT / part).is_dir() else lambda a, b, ignore: shutil.copy(a, b)
        copy(ROOT / part, tmp_path / part, ignore=ignored)
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build, "BUILD", tmp_path / "_build")
    monkeypatch.setattr(build, "FINISHED", tmp_path / "_build" / "html" / ".built")
    commands = []

    def jupyter_book(command, **_):
        commands.append(command)
        for name in (".jupyter_cache/run", "html/index.html", ".doctrees/index"):
            (tmp_path / "_build" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "_build" / name).touch()
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(build.subprocess, "run", jupyter_book)
    build.main()
    commands.clear()
    return tmp_path, commands


def first(pattern: str) -> str:
    return sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern) if path.is_file())[0]


RUN = {
    "library": "flatten_edu/functional/feature_maps.py",
    "measured results": "flatten_edu/results/bench/cpu.json",
    "the paper's tables": "flatten_edu/results/paper.json",
    "weights": first("flatten_edu/weights/*.safetensors"),
    "cards": first("flatten_edu/weights/*.json"),
    "sample images": first("flatten_edu/data/samples/*"),
    "a lab's tensors": first("flatten_edu/labs/*/data.safetensors"),
    "a lab's numbers": first("flatten_edu/labs/*/data.json"),
    "what draws": "flatten_edu/plot/style.py",
    "versions": "constraints.txt",
}
SHOWN = {
    "bundles": first("flatten_edu/**/static/*.js"),
    "bundled styles": first("flatten_edu/**/static/*.css"),
    "the book's style": "book/assets/book.css",
    "vendored scripts": "book/assets/plotly/plotly-basic.min.js",
    "tools": "tools/build.py",
    "extensions": "pyproject.toml",
}
READ = {
    "pages": "book/intro.md",
    "chapters": first("notebooks/*.ipynb"),
    "references": first("book/*.bib"),
    "settings": "_config.yml",
    "contents": "_toc.yml",
}


def alter(path: Path) -> None:
    """One more byte, and the time of before: it is the content that counts."""
    times = path.stat()
    path.write_bytes(path.read_bytes() + b" ")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize("path", [*RUN.values(), *SHOWN.values(), *READ.values()], ids=[*RUN, *SHOWN, *READ])
def test_a_change_of_what_the_book_is_made_of_is_built(repository, path):
    root, commands = repository
    alter(root / path)
    kept = {
        "html": path in READ.values(),
        ".doctrees": path in READ.values(),
        ".jupyter_cache": path not in RUN.values(),
    }
    build.drop_what_is_stale()
    assert {name: (root / "_build" / name).exists() for name in kept} == kept
    build.main()
    assert len(commands) == 1
    build.main()
    assert len(commands) == 1


@pytest.mark.parametrize("path", ["package.json", first("flatten_edu/**/*.ts"), "flatten_edu/results/README.md"])
def test_a_change_of_anything_else_is_not(repository, path, capsys):
    root, commands = repository
    alter(root / path)
    build.main()
    assert commands == [] and capsys.readouterr().out.endswith("The book in _build/html is up to date\n")


def test_a_file_more_or_one_less_is_built(repository):
    root, commands = repository
    (root / "flatten_edu" / "results" / "new.json").write_text("{}")
    build.main()
    (root / "flatten_edu" / "results" / "new.json").unlink()
    build.main()
    assert len(commands) == 2


def test_after_a_failure_it_is_built_again_and_notebooks_that_ran_are_kept(repository, monkeypatch):
    root, commands = repository
    alter(root / "book" / "intro.md")
    with monkeypatch.context() as patch:
        failure = subprocess.CompletedProcess([], 1, "a warning", "")
        patch.setattr(build.subprocess, "run", lambda *_, **__: failure)
        with pytest.raises(SystemExit, match="a warning"):
            build.main()
    build.main()
    assert len(commands) == 1 and (root / "_build" / ".jupyter_cache").exists()


def test_every_file_of_the_package_has_a_use_but_what_bundles_are_made_of():
    unused = {path for path in subprocess.check_output(["git", "ls-files", "flatten_edu"], cwd=ROOT, text=True).split()}
    unused -= {path.as_posix() for path in build.inputs()}
    assert {Path(path).suffix for path in unused} <= build.SOURCES_OF_BUNDLES | {".md"}


@pytest.mark.slow
def test_a_page_shows_the_data_as_they_are(tmp_path):
    """A book of one notebook, built by the command itself, before and after a change of the data."""
    for part in ("flatten_edu", "tools"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__", "src"))
    code = 'from flatten_edu.results import results\nprint("on", results("bench/cpu")["device"]["name"])'
    cells = [nbformat.v4.new_markdown_cell("# One\n\nA page."), nbformat.v4.new_code_cell(code)]
    kernel = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), tmp_path / "one.ipynb")
    (tmp_path / "_config.yml").write_text(
        "title: One\nonly_build_toc_files: true\nexecute: {execute_notebooks: cache}\n"
    )
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: one\n")
    data = tmp_path / "flatten_edu" / "results" / "bench" / "cpu.json"

    def built() -> str:
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        subprocess.run([sys.executable, "tools/build.py"], cwd=tmp_path, env=environment, check=True)
        return (tmp_path / "_build" / "html" / "one.html").read_text()

    values = json.loads(data.read_text())
    assert f"on {values['device']['name']}" in built()
    values["device"]["name"] = "another processor"
    data.write_text(json.dumps(values))
    assert "on another processor" in built()
