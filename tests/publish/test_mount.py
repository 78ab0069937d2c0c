"""The Sphinx extension, on a small book of its own."""

import contextlib
import io
import json
import re

import nbformat
from sphinx.cmd.build import build_main

from flatten_edu.labs import MapsLab

CONFIG = """
extensions = ["myst_nb", "flatten_edu.publish.mount", "flatten_edu.publish.predict"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
nb_execution_mode = "off"
nb_ipywidgets_js = {}
"""


def build(folder, pages: dict[str, str], more: str = ""):
    """Build a book, with more settings; returns its folder and what Sphinx complained about."""
    source, out = folder / "source", folder / "out"
    source.mkdir()
    (source / "conf.py").write_text(CONFIG + more)
    for name, text in pages.items():
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text(text)
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        build_main(["-q", "-b", "html", str(source), str(out)])  # here: a process of its own would load PyTorch first
    return out, said.getvalue()


def hosts(page: str) -> list[dict]:
    return [
        json.loads(text)
        for text in re.findall(r'<div class="fe-mount".*?<script type="application/json">(.*?)</script>', page)
    ]


def test_a_directive_puts_a_lab_on_a_page_in_a_folder(tmp_path):
    out, _ = build(
        tmp_path,
        {"index.md": "# Home\n\n```{toctree}\npart/page\n```\n", "part/page.md": "# Page\n\n```{lab} focus\n```\n"},
    )
    page = (out / "part" / "page.html").read_text()
    (description,) = hosts(page)
    assert description["state"]["p"] == 3 and "mount.js" in page
    for address in [description["esm"], *description["buffers"].values()]:
        assert (out / "part" / address).exists(), address
    assert set(description["buffers"]) == {"photo", "tokens"}
    assert 'alt="What does p do to directions? At p = 3' in page and "where JavaScript runs" in page
    for picture in re.findall(r'(?:src|srcset)="([^"]+\.webp)"', page):
        assert (out / "part" / picture).exists(), picture
    assert "mount.js" not in (out / "index.html").read_text()


def test_a_lab_s_files_lie_beside_the_page_and_are_no_part_of_its_state(tmp_path):
    out, _ = build(tmp_path, {"index.md": "# Home\n\n```{lab} maps\n```\n"})
    (description,) = hosts((out / "index.html").read_text())
    assert set(description["files"]) == set(MapsLab.files) and not set(description["files"]) & set(description["state"])
    for name, address in description["files"].items():
        assert (out / address).read_bytes() == MapsLab.files[name].read_bytes() and address.endswith(".safetensors")
    assert set(description["buffers"]) == {"tokens"}


def test_an_unknown_lab_is_an_error_with_the_known_ones(tmp_path):
    _, complaints = build(tmp_path, {"index.md": "# Home\n\n```{lab} focsu\n```\n"})
    assert "no lab is called 'focsu'; there are focus" in complaints


def test_the_check_mark_is_not_shown(tmp_path):
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# Home"), nbformat.v4.new_code_cell("1 + 1\n# NBVAL_CHECK_OUTPUT")],
        metadata={"language_info": {"name": "python"}, "kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    out, _ = build(tmp_path, {"index.ipynb": nbformat.writes(notebook)})
    page = (out / "index.html").read_text()
    assert "NBVAL" not in page and '<span class="mi">1</span>' in page
