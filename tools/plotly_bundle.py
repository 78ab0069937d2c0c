"""Vendor Plotly's basic bundle, which the book's pages with a Plotly figure fetch: python tools/plotly_bundle.py.

Needs npm, once; what it writes is committed, so that building the book needs neither npm nor a network.
"""

import io
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "book" / "assets" / "plotly"
VERSION = "4.1.1"  # the one that the tested plotly of Python writes JSON for
# Defaults that name other hosts, for maps and for sending a figure away. The book's figures do neither, and no script
# of the site is to name a host that it could fetch from.
HOSTS = ['"https://cdn.plot.ly/un/"', '"https://cloud.plotly.com/newchart"']


def without_hosts(source: str) -> str:
    """The bundle with those defaults empty.

    Raises:
        ValueError: one of them does not stand in it just once: another version, to be looked at.
    """
    for host in HOSTS:
        if source.count(host) != 1:
            raise ValueError(f"{host} stands in the bundle {source.count(host)} times, not once: look at what it does")
        source = source.replace(host, '""')
    return source


def main() -> None:
    """Fetch the package and write the bundle and its licence."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--json", f"plotly.js-basic-dist-min@{VERSION}"]
        said = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
        packed = (Path(folder) / json.loads(said)[0]["filename"]).read_bytes()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(packed)) as files:
        source = files.extractfile("package/plotly-basic.min.js").read().decode()
        (FOLDER / "LICENSE").write_bytes(files.extractfile("package/LICENSE").read())
    (FOLDER / "plotly-basic.min.js").write_text(without_hosts(source))
    print(f"wrote {FOLDER.relative_to(ROOT)}, Plotly {VERSION}")


if __name__ == "__main__":
    main()
