"""What the README tells a newcomer to type works: its Python, its commands, its pictures and links."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from flatten_edu.__main__ import main, parser
from flatten_edu.bench.settings import compiler
from tests.train.toys import image_folder

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
PYTHON = [text for language, text in BLOCKS if language == "python"]
LINES = [line.partition("  #")[0].strip() for language, text in BLOCKS if not language for line in text.splitlines()]
OURS = [line.partition("-m flatten_edu ")[2] for line in LINES if line.startswith(("python -m", "torchrun"))]


def python(part: str) -> str:
    (found,) = [text for text in PYTHON if part in text]
    return found


@pytest.mark.slow
@pytest.mark.skipif(not compiler(), reason="torch.compile needs a C++ compiler on a CPU")
def test_the_library_example_runs(readers_view, capsys):
    exec(python("torch.compile"), {})
    assert capsys.readouterr().out.endswith("torch.Size([8, 100])\n")


def test_a_trained_model_has_the_command_that_remakes_it(capsys):
    exec(python("card("), {})
    assert capsys.readouterr().out.startswith("python -m flatten_edu train")


def test_your_own_images_are_trained_evaluated_and_looked_at(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    image_folder(tmp_path / "IMAGES")
    train, evaluate = [shlex.split(line) for line in OURS if "imagefolder:IMAGES" in line and "torchrun" not in line][
        :2
    ]
    assert main([*train, "--epochs", "1", "--batch-size", "8", "--device", "cpu"]) == 0
    assert main([*evaluate, "--device", "cpu"]) == 0
    assert "mine: accuracy" in capsys.readouterr().out
    found = {}
    exec(python("MapsLab"), found)
    assert found["lab"].models[0]["name"] == "mine" and found["lab"].grid == (14, 14)


def test_the_book_s_record_stands_beside_yours(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (line,) = [line for line in OURS if line.startswith("bench compare")]
    shutil.copy(ROOT / "flatten_edu" / "results" / "bench" / "cpu.json", "mine.json")
    assert main(shlex.split(line)) == 0 and "FLatten-DeiT-T" in capsys.readouterr().out


def test_every_command_is_one():
    assert len(OURS) > 5
    for line in OURS:
        parser().parse_args(shlex.split(line))
    targets = [line.split()[1] for line in LINES if line.startswith("make ")]
    makefile = (ROOT / "Makefile").read_text()
    assert set(targets) >= {"book", "test"} and all(re.search(rf"^{t}:", makefile, re.MULTILINE) for t in targets)


def test_its_pictures_and_links_are_there():
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", README) if "://" not in target]
    assert len([target for target in targets if target.endswith((".png", ".webp"))]) == 3
    assert [target for target in targets if not (ROOT / target).is_file()] == []


def test_the_demonstration_comes_first_and_the_library_example_is_short():
    assert README.index("![") < README.index("make book")
    assert len(python("torch.compile").splitlines()) <= 10
