"""Serve the built site on this machine: `python -m flatten_edu.publish.serve _build/html`."""

import argparse
import functools
import http.server
import sys
from pathlib import Path
from typing import Any


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files with the types that browsers insist on, whatever this machine's registry of types says."""

    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".css": "text/css",
        ".js": "text/javascript",
        ".svg": "image/svg+xml",
        ".woff": "font/woff",
        ".ipynb": "application/x-ipynb+json",
    }  # fmt: skip

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the last line on the screen is to be the address."""


class Server(http.server.ThreadingHTTPServer):
    """A server that does not take over a port which another one is using."""

    allow_reuse_port = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up in the middle of a file is no error of ours; others are shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def make_server(folder: Path, port: int) -> Server:
    """A server of `folder` on 127.0.0.1; port 0 takes a free one. Raises OSError where the port is busy."""
    return Server(("127.0.0.1", port), functools.partial(Handler, directory=str(folder)))


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    if not (arguments.folder / "index.html").exists():
        sys.exit(f"There is no site in {arguments.folder}: run `make html` first.")
    try:
        server = make_server(arguments.folder, arguments.port)
    except (OSError, OverflowError) as error:
        sys.exit(f"Port {arguments.port} cannot be used ({error}): try `make book PORT={arguments.port % 65000 + 1}`.")
    print(f"The book is at http://127.0.0.1:{server.server_port} (Ctrl-C stops it)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
