"""python -m flatten_edu train | evaluate | recall | bench: see --help of each."""

import argparse
import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMMANDS = ("train", "evaluate", "recall", "bench")


def main(arguments: list[str] | None = None) -> int:
    """Run a command; its errors are one line, without a traceback."""
    with _terminated_as_interrupted():
        given = argparse.Namespace(command="flatten_edu")
        try:
            given = parser().parse_args(arguments)
            importlib.import_module(f"flatten_edu.commands.{given.command}").run(given)
        except (ValueError, OSError, ImportError, RuntimeError) as error:
            _say(f"{given.command}: {' '.join(_words(error, given).split())}")
            return 1
        except KeyboardInterrupt:
            hint = "; the same command goes on from the last checkpoint" if given.command == "train" else ""
            _say(f"\n{given.command}: stopped{hint}")
            return 130
        return 0


def parser() -> argparse.ArgumentParser:
    """What the command line can say. Imports PyTorch, which takes seconds, in which Ctrl-C may come."""
    whole = argparse.ArgumentParser(prog="python -m flatten_edu", description=__import__("flatten_edu").__doc__)
    commands = whole.add_subparsers(dest="command", required=True)
    for name in COMMANDS:
        module = importlib.import_module(f"flatten_edu.commands.{name}")
        summary = str(module.__doc__).partition("\n")[0]
        module.add(commands.add_parser(name, help=summary, description=module.__doc__))
    return whole


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM, which schedulers send, does what Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main one gets signals
        return
    former = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def _words(error: Exception, given: argparse.Namespace) -> str:
    from flatten_edu.machine import full

    place = getattr(error, "filename", None) or getattr(given, "out", None) or "a file"
    return str(full(error, place) or error) or type(error).__name__


def _say(line: str) -> None:
    """One line on stderr; of the processes that torchrun started on a machine, the first that has one to say."""
    if report := os.environ.get("TORCHELASTIC_ERROR_FILE"):  # .../attempt_0/RANK/error.json
        try:
            (Path(report).parents[1] / "said").touch(exist_ok=False)
        except FileExistsError:
            return
        except OSError:
            pass  # no such folder: better twice than not at all
    print(line, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
