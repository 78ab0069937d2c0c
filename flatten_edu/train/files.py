"""Files that are whole at any time, and steps that are not cut in two."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def replace_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file beside its place and move it there: it appears whole, or what was there stays."""
    draft = path.with_name(f"{path.name}.part")
    try:
        write(draft)
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


@contextmanager
def undivided() -> Iterator[None]:
    """Ctrl-C waits for the end of the block, so that what belongs together is done together."""
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # Ctrl-C does not come here, or somebody else sees to it
        return
    asked = []
    signal.signal(signal.SIGINT, lambda *_: asked.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if asked:
        raise KeyboardInterrupt
