"""Which build of PyTorch a machine gets, and who is told what."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools import chromium, setup

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("choice", "system", "gpu", "cpu_build"),
    [
        ("auto", "Linux", False, True),
        ("auto", "Linux", True, False),
        ("auto", "Darwin", False, False),
        ("cpu", "Linux", True, True),
        ("cuda", "Linux", False, False),
    ],
)
def test_a_machine_without_a_gpu_gets_the_cpu_build(monkeypatch, choice, system, gpu, cpu_build):
    monkeypatch.setattr(setup.platform, "system", lambda: system)
    monkeypatch.setattr(setup, "has_nvidia_gpu", lambda: gpu)
    assert setup.wants_cpu_build(choice) is cpu_build


def test_a_machine_without_the_nvidia_driver_has_no_gpu(monkeypatch):
    monkeypatch.setattr(setup.shutil, "which", lambda name: None)
    assert not setup.has_nvidia_gpu()


@pytest.fixture
def commands(monkeypatch):
    """Record commands instead of running them; those that hold a word in `failing` fail."""
    run, failing = [], {"-c"}  # `python -c "import torch"` fails: PyTorch is not there

    def fake(command, **kwargs):
        run.append(" ".join(map(str, command)))
        return subprocess.CompletedProcess(command, int(any(word in command for word in failing)))

    monkeypatch.setattr(setup.subprocess, "run", fake)
    fake.failing = failing
    fake.run = run
    return fake


def test_the_cpu_build_comes_by_uv(commands):
    setup.install_torch(Path("python"), "cpu")
    assert "--torch-backend cpu torch==" in commands.run[-1]


def test_without_a_cpu_build_pip_takes_over(commands):
    commands.failing.add("--torch-backend")
    setup.install_torch(Path("python"), "cpu")
    assert commands.run[-1].endswith("-m pip --disable-pip-version-check install --quiet " + setup.torch_requirement())


def test_a_pytorch_that_is_there_stays(commands):
    commands.failing.clear()
    setup.install_torch(Path("python"), "cpu")
    assert len(commands.run) == 1


def test_an_old_python_is_told_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(setup.sys, "version_info", (3, 9))
    monkeypatch.setattr(sys, "argv", ["setup.py", str(tmp_path / "venv")])
    with pytest.raises(SystemExit, match=r"needs Python 3.11 or later"):
        setup.main()
    assert not (tmp_path / "venv").exists()


def test_the_named_chromium_goes_first(monkeypatch, tmp_path):
    browser = tmp_path / "chromium"
    monkeypatch.setenv("CHROMIUM", str(browser))
    assert chromium.find() is None
    browser.touch()
    assert chromium.find() == str(browser)


def test_without_chromium_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(chromium, "find", lambda: None)
    monkeypatch.setattr(chromium, "install", lambda: None)
    monkeypatch.delenv("CHROMIUM", raising=False)
    with pytest.raises(SystemExit, match="apt-get install chromium"):
        chromium.main()
