"""The server of the built site."""

import re
import socket
import subprocess
import sys
import urllib.request

import pytest


def serve(*arguments):
    return [sys.executable, "-m", "flatten_edu.publish.serve", *map(str, arguments)]


@pytest.fixture
def site(tmp_path):
    (tmp_path / "index.html").write_text("<p>the book</p>")
    (tmp_path / "a.js").write_text("1")
    return tmp_path


def test_says_where_the_book_is_and_serves_it(site):
    with subprocess.Popen(serve(site, "--port", 0), stdout=subprocess.PIPE, text=True) as server:
        try:
            address = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())[0]
            with urllib.request.urlopen(address) as page:
                assert b"the book" in page.read()
            with urllib.request.urlopen(f"{address}/a.js") as script:
                assert script.headers["Content-Type"] == "text/javascript"
        finally:
            server.terminate()


def test_a_busy_port_is_one_clear_line(site):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = subprocess.run(serve(site, "--port", port), capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1 and f"Port {port} cannot be used" in result.stderr


def test_a_site_that_is_not_built(tmp_path):
    result = subprocess.run(serve(tmp_path), capture_output=True, text=True, check=False)
    assert result.returncode == 1 and "run `make html` first" in result.stderr
