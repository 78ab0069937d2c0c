"""Steps that are not cut in two, and a folder that belongs to one process."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # on Windows, where a folder is not held
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"


@contextmanager
def undivided() -> Iterator[list[int]]:
    """Ctrl-C and SIGTERM wait for the end of the block, so that what belongs together is done together.

    Yields the signals that have come. SIGTERM waits where it does what Ctrl-C does, as in `python -m flatten_edu`.
    """
    asked: list[int] = []
    here = threading.current_thread() is threading.main_thread()  # others get no signals
    numbers = [s for s in (signal.SIGINT, signal.SIGTERM) if here and signal.getsignal(s) is signal.default_int_handler]
    for number in numbers:
        signal.signal(number, lambda number, _: asked.append(number))
    try:
        yield asked
    finally:
        for number in numbers:
            signal.signal(number, signal.default_int_handler)
    if asked:
        raise KeyboardInterrupt


def leave_signals_to_the_parent(*_: object) -> None:
    """For a process that prepares batches: Ctrl-C in a terminal reaches it too, but it is its parent that ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def claim(folder: Path) -> None:
    """Hold a folder for this process until it ends, however it ends.

    Raises:
        ValueError: another process holds it.
    """
    if fcntl is None:
        return
    file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)  # left open: to close it would let go
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        holder = os.read(file, 20).decode() or "another"
        os.close(file)
        raise ValueError(f"{folder} is in use: process {holder} trains there; choose another folder") from None
    os.truncate(file, 0)
    os.write(file, str(os.getpid()).encode())
