"""The lab in JupyterLab, on a real server with a real kernel."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest
from playwright.sync_api import TimeoutError

CELLS = [
    "from flatten_edu.labs import FocusLab\nlab = FocusLab(p=2)\nlab",
    "lab.p = 8",
    "print('p is', lab.p, 'q is', lab.q)",
]
# The other labs, each with a trait that a cell sets, and what a key then makes of it.
OTHERS = {
    "reorder": ("d", 32, "d, head dimension"),
    "recall": ("p", 4, "p, focusing factor"),
    "sharpness": ("p", 4, "p, focusing factor"),
    "proof": ("p", 4, "p, focusing factor"),
    "maps": ("p", 4, "p, focusing factor"),
    "rank": ("p", 4, "p, focusing factor"),
    "precision": ("n", 49, "N, tokens"),
    "timing": ("p", 4, "p, focusing factor"),
}


@pytest.fixture
def jupyterlab(tmp_path, request):
    """The address of a JupyterLab with one notebook: the cells and the windowing mode that the test names."""
    cells, windowing = request.param
    settings = tmp_path / "settings" / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"windowingMode": windowing}))
    environment = {**os.environ, "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings")}
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, tmp_path / "lab.ipynb")
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.port=0",
        "--IdentityProvider.token=", "--LabApp.news_url=None", f"--ServerApp.root_dir={tmp_path}",
    ]  # fmt: skip
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as server,
    ):
        try:
            yield wait_for_address(server, tmp_path / "log")
        finally:
            server.terminate()


def wait_for_address(server, log, tries=120):
    for _ in range(tries):
        found = re.search(r"http://(?:localhost|127\.0\.0\.1):(\d+)/lab", log.read_text())
        if found:
            address = f"http://127.0.0.1:{found[1]}/"
            urllib.request.urlopen(f"{address}api").close()
            return address
        assert server.poll() is None, log.read_text()
        time.sleep(0.5)
    raise AssertionError(log.read_text())


def opened(browser, jupyterlab, height):
    """The notebook on a page that reaches nothing but the server."""
    context = browser.new_context(viewport={"width": 1280, "height": height})
    context.route(lambda url: not url.startswith(jupyterlab), lambda route: route.abort())
    page = context.new_page()
    page.goto(f"{jupyterlab}lab/tree/lab.ipynb")
    return page


def run_until_it_shows(page, lab, tries=8):
    """Run the first cell; JupyterLab forgets one that is run before its kernel is quite there."""
    for _ in range(tries):
        page.locator(".jp-Notebook .jp-CodeCell").first.click()
        page.keyboard.press("Shift+Enter")
        try:
            return lab.wait_for(timeout=10_000)
        except TimeoutError:
            continue
    return lab.wait_for(timeout=10_000)


@pytest.mark.parametrize("jupyterlab", [(CELLS, "contentVisibility")], indirect=True)
def test_the_lab_is_live_under_a_kernel(browser, jupyterlab):
    page = opened(browser, jupyterlab, 900)
    lab = page.locator(".fe-lab")
    run_until_it_shows(page, lab)
    shown = lab.locator("output[data-name=p]")
    assert shown.get_attribute("data-value") == "2"

    page.keyboard.press("Shift+Enter")  # lab.p = 8
    page.wait_for_function("document.querySelector('.fe-lab output[data-name=p]').dataset.value === '8'")

    slider = lab.get_by_role("slider", name="p, focusing factor")
    slider.focus()
    slider.press("ArrowLeft")  # the slider's, not JupyterLab's
    page.wait_for_function("document.querySelector('.fe-lab output[data-name=p]').dataset.value === '7.8'")
    handle = lab.locator("[data-vector=q]")
    handle.focus()
    handle.press("ArrowUp")

    page.locator(".jp-Notebook .jp-CodeCell").nth(2).click()
    page.keyboard.press("Shift+Enter")
    page.get_by_text("p is 7.8 q is [0.39, 0.95]").wait_for(timeout=30_000)
    lab.get_by_role("tab", name="Photograph").click()
    page.wait_for_function("document.querySelector('.fe-lab [data-name=photo_top1_focused]').dataset.value > 0")
    page.context.close()


def cells_of_others() -> list[str]:
    cells = ["from flatten_edu.labs import LABS, FocusLab\nFocusLab()"]
    for name, (trait, value, _) in OTHERS.items():
        cells += [f"{name} = LABS['{name}']()\n{name}", f"{name}.{trait} = {value}"]
        cells += [f"print('{name} has', {name}.{trait})"]
    return cells


@pytest.mark.parametrize("jupyterlab", [(cells_of_others(), "contentVisibility")], indirect=True)
def test_every_lab_is_live_under_a_kernel(browser, jupyterlab):
    page = opened(browser, jupyterlab, 1400)
    run_until_it_shows(page, page.locator(".fe-lab[data-lab=focus]"))
    for name, (trait, value, label) in OTHERS.items():
        page.keyboard.press("Shift+Enter")
        lab = page.locator(f".fe-lab[data-lab={name}]")
        lab.wait_for(timeout=60_000)
        page.keyboard.press("Shift+Enter")
        shown = lab.locator(f"output[data-name={trait}]").first
        shown.locator(f"xpath=self::*[@data-value='{value}']").wait_for(timeout=60_000)
        lab.scroll_into_view_if_needed()  # JupyterLab hides what is far from the viewport
        slider = lab.get_by_label(label).first
        slider.focus()
        slider.press("ArrowRight")  # the slider's, not JupyterLab's
        page.wait_for_function(
            "([name, trait, value]) => document.querySelector(`.fe-lab[data-lab=${name}] output[data-name=${trait}]`)"
            ".dataset.value > value",
            arg=[name, trait, value],
        )
        moved = shown.get_attribute("data-value")
        page.locator(".jp-Notebook .jp-CodeCell").filter(has_text=f"print('{name} has'").locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")
        page.get_by_text(f"{name} has {moved}").wait_for(timeout=30_000)
    page.context.close()


FAR_APART = [
    "from flatten_edu.labs import FocusLab\nlab = FocusLab()\nlab",
    *["from IPython.display import HTML\nHTML('<div style=\"height: 1500px\">tall</div>')"] * 4,
    "lab",
]
SHOWN = "[...document.querySelectorAll('.fe-lab output[data-name=p]')].map((shown) => shown.dataset.value)"


@pytest.mark.parametrize("jupyterlab", [(FAR_APART, "full")], indirect=True)
def test_two_views_follow_each_other_where_jupyterlab_hides_one(browser, jupyterlab):
    page = opened(browser, jupyterlab, 900)
    run_until_it_shows(page, page.locator(".fe-lab"))
    for _ in FAR_APART[1:]:
        page.keyboard.press("Shift+Enter")
    page.locator(".fe-lab").nth(1).wait_for(timeout=60_000)
    page.wait_for_function("!document.querySelector('.fe-lab').checkVisibility()")
    page.locator(".fe-lab").nth(1).get_by_role("slider", name="p, focusing factor").press("Home")
    page.locator(".jp-WindowedPanel-outer").evaluate("(panel) => panel.scrollTo(0, 0)")
    page.wait_for_function(f"{SHOWN}[0] === '1'")
    page.locator(".fe-lab").first.get_by_role("slider", name="p, focusing factor").press("End")
    page.locator(".jp-WindowedPanel-outer").evaluate("(panel) => panel.scrollTo(0, panel.scrollHeight)")
    page.wait_for_function(f"{SHOWN}.at(-1) === '256'")
    page.context.close()
