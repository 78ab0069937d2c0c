"""The wheel: what PyPI would take, with all that the library reads, usable where there is no repository."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

import flatten_edu
from tools.build import SOURCES_OF_BUNDLES

ROOT = Path(__file__).parent.parent
MEGABYTES = 10  # PyPI takes 100; an installation in Colab should take a moment. Half of it is the stills of the labs.


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy, so that nothing of the build stays in the repository."""
    copy = tmp_path_factory.mktemp("wheel") / "repository"
    shutil.copytree(ROOT / "flatten_edu", copy / "flatten_edu", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", "dist", "."]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return next((copy / "dist").glob("*.whl"))


@pytest.mark.slow
def test_pypi_would_take_it(wheel, measured):
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *wheel.parent.iterdir()], capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stdout.count("PASSED") == 2, done.stdout
    size = wheel.stat().st_size / 1e6
    measured("wheel", f"{size:.1f} MB")
    assert size < MEGABYTES


def belongs(path: Path) -> bool:
    """Whether an installation needs a file of the package: all but what the labs' bundles are made of."""
    if "static" in path.parts:
        return True
    return path.suffix not in SOURCES_OF_BUNDLES and path.name != "tsconfig.json" and "__pycache__" not in path.parts


@pytest.mark.slow
def test_all_files_are_in_it(wheel):
    files = {path.relative_to(ROOT) for path in (ROOT / "flatten_edu").rglob("*") if path.is_file()}
    packed = {Path(name) for name in zipfile.ZipFile(wheel).namelist() if name.startswith("flatten_edu/")}
    assert packed == {path for path in files if belongs(path)}
    assert Path("flatten_edu/py.typed") in packed


@pytest.mark.slow
def test_it_finds_its_data_wherever_it_is_installed(wheel, tmp_path):
    """As `pip install --target` leaves it: a folder on the path."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "target")
    code = (
        "import json, flatten_edu\n"
        "from flatten_edu.labs import LABS\n"
        "from flatten_edu.models import pretrained, pretrained_names\n"
        "from flatten_edu.results import results\n"
        "labs = [type(lab()).__name__ for lab in LABS.values()]\n"
        "for name in pretrained_names(): pretrained(name)\n"
        "print(json.dumps([flatten_edu.__file__, results('bench/cpu')['schema'], len(labs), len(pretrained_names())]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "target")}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    file, schema, labs, models = json.loads(done.stdout)
    assert file.startswith(str(tmp_path)) and schema == 1 and labs >= 8 and models >= 5


def test_the_version_stands_in_one_place_and_is_told():
    assert "version" in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dynamic"]
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == flatten_edu.__version__
    assert f"\n## {flatten_edu.__version__}\n" in (ROOT / "CHANGELOG.md").read_text()


def test_the_citation_names_the_paper():
    (paper,) = yaml.safe_load((ROOT / "CITATION.cff").read_text())["references"]
    bibliography = (ROOT / "book" / "references.bib").read_text()
    assert paper["title"].partition(":")[0] in bibliography
    assert " and ".join(f"{a['family-names']}, {a['given-names']}" for a in paper["authors"]) in bibliography
