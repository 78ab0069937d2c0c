"""Pack the built site: python tools/archive.py _build/html site.zip. The same site gives the same bytes."""

import argparse
import zipfile
from pathlib import Path

FOLDER = "flatten_edu"  # what the archive unpacks into
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that the format has
README = """\
Open book/intro.html in a browser to read. The labs need a server: run `python3 -m http.server` in this folder, and open
http://127.0.0.1:8000 instead.
"""
LEFT_OUT = {".built", ".buildinfo"}  # about this machine's build


def pack(site: Path, archive: Path) -> None:
    """Write the files in the order of their names, all with one date and the same rights."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        files = (path for path in site.rglob("*") if path.is_file() and path.name not in LEFT_OUT)
        contents = {path.relative_to(site).as_posix(): path.read_bytes() for path in files}
        contents["README.txt"] = README.encode()
        for name in sorted(contents):
            entry = zipfile.ZipInfo(f"{FOLDER}/{name}", EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(entry, contents[name], compresslevel=9)


def main() -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path)
    parser.add_argument("archive", type=Path)
    given = parser.parse_args()
    pack(given.site, given.archive)
    print(f"{given.archive}: {given.archive.stat().st_size / 1e6:.1f} MB; unpack it and serve it from anywhere")


if __name__ == "__main__":
    main()
