"""Build the book where anything that it is made of has changed, with warnings as errors.

Sphinx reads again only pages whose source changed, copies style sheets only when a page changed, and notebooks are run
again only when their own cells changed. None looks at what these show: the library with its data and weights, the
labs, the tools. So this does, by content: Make asks it each time, and it is done at once where nothing changed.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
FINISHED = BUILD / "html" / ".built"  # holds the digest of all that the site was made of

PARTS = ("flatten_edu", "book", "notebooks", "tools", "_config.yml", "_toc.yml", "pyproject.toml", "constraints.txt")
SOURCES_OF_BUNDLES = {".ts", ".mjs", ".css", ".wgsl"}  # in the package; the bundles themselves are committed


def inputs() -> Iterator[Path]:
    """Each file that the book is made of, relative to the repository."""
    for part in PARTS:
        for path in sorted([ROOT / part, *(ROOT / part).rglob("*")]):
            name = path.relative_to(ROOT)
            if path.is_file() and not any(p.startswith(".") or p == "__pycache__" for p in name.parts) and use(name):
                yield name


def use(path: Path) -> str:
    """What a file is for: "run" by notebooks, or "shown" on pages whose own text it is not; else "read" by Sphinx."""
    if path.parts[0] == "constraints.txt":
        return "run"
    if path.parts[0] == "flatten_edu":
        if "static" in path.parts or path.suffix == ".webp":
            return "shown"
        return "" if path.suffix in SOURCES_OF_BUNDLES or path.name == "README.md" else "run"
    return "shown" if path.parts[0] in ("tools", "pyproject.toml") or path.parts[:2] == ("book", "assets") else "read"


def digest(*uses: str) -> str:
    """One number for the content of all inputs of these uses."""
    total = hashlib.sha256()
    for path in inputs():
        if use(path) in uses:
            content = hashlib.sha256((ROOT / path).read_bytes())
            total.update(f"{path.as_posix()} {content.hexdigest()}\n".encode())
    return total.hexdigest()


def changed(what: str) -> bool:
    """Whether the inputs of a use are others than at the last build, which is then forgotten."""
    record, now = BUILD / f".{what}", digest(what)
    before = record.read_text() if record.exists() else None
    record.parent.mkdir(exist_ok=True)
    record.write_text(now)
    return now != before


def drop_what_is_stale() -> None:
    """Results of notebooks go when what they run changed; all pages go then, and where one would show an old part."""
    run, shown = changed("run"), changed("shown")
    if run:
        shutil.rmtree(BUILD / ".jupyter_cache", ignore_errors=True)
    if run or shown or not FINISHED.exists():
        shutil.rmtree(BUILD / ".doctrees", ignore_errors=True)
        shutil.rmtree(BUILD / "html", ignore_errors=True)
    FINISHED.unlink(missing_ok=True)


def main() -> None:
    """Run jupyter-book, unless the site is what it would make; say why where it fails."""
    now = digest("run", "shown", "read")
    if FINISHED.exists() and FINISHED.read_text() == now:
        print("The book in _build/html is up to date")
        return
    drop_what_is_stale()
    command = [Path(sys.executable).parent / "jupyter-book", "build", ".", "-W", "--keep-going"]
    result = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{result.stdout}\n{result.stderr}\nThe book was not built: its warnings and errors stand above.")
    FINISHED.write_text(now)
    print("Built the book in _build/html")


if __name__ == "__main__":
    main()
