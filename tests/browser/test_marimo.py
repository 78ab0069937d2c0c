"""A lab in marimo, on a real server with a real kernel; marimo's page gets nothing from other hosts."""

import socket
import subprocess
import sys
import time
import urllib.request

import pytest

APP = """
import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
    from flatten_edu.data import photo, to_jpeg
    from flatten_edu.labs import FocusLab

    lab = mo.ui.anywidget(FocusLab(view="photo"))
    other = mo.ui.run_button(label="another photograph")
    mo.vstack([other, lab])
    return lab, mo, other, photo, to_jpeg


@app.cell
def _(lab, other, photo, to_jpeg):
    if other.value:
        lab.widget.photo = to_jpeg(photo("coffee"))
    return


@app.cell
def _(lab, mo):
    mo.md(f"In Python, p is {lab.value['p']:.4f}.")
    return


if __name__ == "__main__":
    app.run()
"""


@pytest.fixture
def marimo(tmp_path):
    """The address of a marimo that runs the app."""
    (tmp_path / "app.py").write_text(APP)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "marimo", "-q", "run", "app.py", "--headless", "--no-token",
        f"--port={port}",
    ]  # fmt: skip
    address = f"http://127.0.0.1:{port}/"
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log) as server,
    ):
        try:
            for _ in range(240):
                assert server.poll() is None, (tmp_path / "log").read_text()
                try:
                    urllib.request.urlopen(address).close()
                    break
                except OSError:
                    time.sleep(0.25)
            yield address
        finally:
            server.terminate()


MEAN = """
(lab) => {
  const canvas = lab.querySelector("canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.reduce((sum, value) => sum + value, 0) / data.length;
}
"""


def test_python_sets_the_photograph_and_reads_p(browser, marimo):
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.route(lambda url: not url.startswith((marimo, "blob:", "data:")), lambda route: route.abort())
    page = context.new_page()
    page.goto(marimo)
    lab = page.locator(".fe-lab")
    lab.wait_for(timeout=120_000)
    lab.get_by_role("slider", name="p, focusing factor").press("Home")
    page.get_by_text("In Python, p is 1.0000.").wait_for(timeout=60_000)
    cat = lab.evaluate(MEAN)
    page.get_by_role("button", name="another photograph").click()
    for _ in range(100):
        if lab.evaluate(MEAN) != cat:
            break
        page.wait_for_timeout(200)
    assert lab.evaluate(MEAN) != cat
    context.close()
