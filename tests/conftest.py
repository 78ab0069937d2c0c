"""Shared by all tests: the shape checker switched off where our own errors count, and the report of figures."""

import json
import os
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:  # the tests share the cores by themselves
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import jaxtyping
import pytest
from hypothesis import settings

# No time limit on a noisy machine. On CI the same examples each time; at home new ones, which find more.
settings.register_profile("here", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("here")

MEASURED = Path(__file__).parent.parent / "_build" / "measured.jsonl"


@pytest.fixture
def readers_view():
    """No run-time shape checks: a reader who passes the wrong thing meets our errors, not jaxtyping's."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture
def measured():
    """Record a figure for the report at the end of the run: measured(name, text)."""

    def record(name: str, text: str) -> None:
        MEASURED.parent.mkdir(exist_ok=True)
        with MEASURED.open("a") as file:
            file.write(json.dumps([name, text]) + "\n")

    return record


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        MEASURED.unlink(missing_ok=True)


def pytest_terminal_summary(terminalreporter):
    if not MEASURED.exists():
        return
    terminalreporter.section("measured here")
    for name, text in sorted(json.loads(line) for line in MEASURED.read_text().splitlines()):
        terminalreporter.write_line(f"{name:44} {text}")
