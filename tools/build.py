"""Build the book with warnings as errors, and from the start where an old part would be wrong.

Sphinx reads again only pages whose source changed, copies style sheets only when a page changed, and notebooks are run
again only when their own cells changed. None looks at the library and the labs that a page shows, so this does.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
FINISHED = BUILD / "html" / ".built"


def digest(*patterns: str) -> str:
    """One number for the content of all files that match."""
    total = hashlib.sha256()
    for path in sorted(path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()):
        total.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return total.hexdigest()


def changed(name: str, now: str) -> bool:
    """Whether a digest is another one than at the last build, which is then forgotten."""
    record = BUILD / f".{name}"
    before = record.read_text() if record.exists() else None
    record.parent.mkdir(exist_ok=True)
    record.write_text(now)
    return now != before


def drop_what_is_stale() -> None:
    """Results of notebooks go when the library changed; pages go then, after a change of assets or a failed build."""
    library_changed = changed("library", digest("flatten_edu/**/*.py"))
    assets_changed = changed("assets", digest("flatten_edu/labs/static/*", "book/assets/**/*"))
    if library_changed:
        shutil.rmtree(BUILD / ".jupyter_cache", ignore_errors=True)
    if library_changed or assets_changed or not FINISHED.exists():
        shutil.rmtree(BUILD / ".doctrees", ignore_errors=True)
        shutil.rmtree(BUILD / "html", ignore_errors=True)
    FINISHED.unlink(missing_ok=True)


def main() -> None:
    """Run jupyter-book; say why where it fails."""
    drop_what_is_stale()
    command = [Path(sys.executable).parent / "jupyter-book", "build", ".", "-W", "--keep-going"]
    result = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{result.stdout}\n{result.stderr}\nThe book was not built: its warnings and errors stand above.")
    print("Built the book in _build/html")


if __name__ == "__main__":
    main()
