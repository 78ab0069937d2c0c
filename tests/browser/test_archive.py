"""The archive of the site: the same bytes each time, and a book that lives behind any static server, offline."""

import os
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import CHAPTER, INTRO, SITE, Reader
from tools.archive import FOLDER, pack


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    path = tmp_path_factory.mktemp("archive") / "site.zip"
    pack(SITE, path)
    return path


def test_the_same_site_gives_the_same_bytes(archive, tmp_path):
    os.utime(SITE / "index.html")
    again = tmp_path / "again.zip"
    pack(SITE, again)
    assert again.read_bytes() == archive.read_bytes()


def test_it_holds_the_whole_site_in_one_folder(archive, measured):
    names = zipfile.ZipFile(archive).namelist()
    assert names == sorted(names) and all(name.startswith(f"{FOLDER}/") for name in names)
    assert {f"{FOLDER}/index.html", f"{FOLDER}/{INTRO}", f"{FOLDER}/{CHAPTER}"} <= set(names)
    assert "python3 -m http.server" in zipfile.ZipFile(archive).read(f"{FOLDER}/README.txt").decode()
    assert {name.split("/", 1)[1] for name in names} - {"README.txt"} == {
        path.relative_to(SITE).as_posix() for path in SITE.rglob("*") if path.is_file() and path.name[0] != "."
    }
    measured("site.zip", f"{archive.stat().st_size / 1e6:.1f} MB, {len(names)} files")


class Quiet(SimpleHTTPRequestHandler):
    """Python's plain server, with its own table of types."""

    def log_message(self, *_):
        pass


def test_a_lab_lives_behind_a_plain_server(archive, tmp_path, browser):
    zipfile.ZipFile(archive).extractall(tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    one = Reader(browser, f"http://127.0.0.1:{server.server_port}/{FOLDER}/")
    page = one.open(INTRO)
    page.get_by_role("slider", name="p, focusing factor").press("Home")
    assert one.outputs()["p"] == 1
    page = one.open("book/labs/rank.html")  # has a worker and data of its own
    page.wait_for_load_state("networkidle")
    page = one.open(CHAPTER)
    assert page.locator("math").count() > 20
    one.context.close()
    server.shutdown()
    assert one.faults == []


def test_a_double_click_shows_the_book_and_says_how_to_start_the_labs(archive, tmp_path, browser):
    zipfile.ZipFile(archive).extractall(tmp_path)
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto((tmp_path / FOLDER / "index.html").as_uri())
    page.wait_for_url("**/intro.html")
    said = page.locator(".fe-still figcaption").first
    expect(said).to_be_visible()
    assert "run: python3 -m http.server, then open http://localhost:8000" in said.inner_text()
    assert page.locator(".fe-still img:visible").first.evaluate("(picture) => picture.decode().then(() => true)")
    page.locator(".bd-sidebar").get_by_role("link", name="The focused function").click()
    page.wait_for_function("document.querySelectorAll('math').length > 20")
    context.close()
