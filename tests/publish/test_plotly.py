"""Plotly's figures in a small book: the JSON, the still, the script on their pages alone."""

import json
import re

import nbformat
import pytest

from flatten_edu.plot import bench_panel
from flatten_edu.publish.plotly import BUNDLE, PLOTLY, plot_node
from tests.bench.test_record import made
from tests.publish.test_mount import build


def notebook(*bundles: dict) -> str:
    """A notebook whose cells have shown these."""
    outputs = [nbformat.v4.new_output("display_data", data=bundle) for bundle in bundles]
    cells = [nbformat.v4.new_markdown_cell("# Page"), nbformat.v4.new_code_cell("show()", outputs=outputs)]
    kernel = {"name": "python3", "display_name": "Python 3"}
    page = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    page.metadata["language_info"] = {"name": "python"}
    return nbformat.writes(page)


def pages(*bundles: dict) -> dict[str, str]:
    return {"index.md": "# Home\n\n```{toctree}\npart/page\n```\n", "part/page.ipynb": notebook(*bundles)}


@pytest.fixture(scope="module")
def bundle():
    return bench_panel(made())._repr_mimebundle_()


def figures(page: str) -> list[dict]:
    found = re.findall(r'<figure class="fe-plot".*?<script type="application/json">(.*?)</script>', page, re.DOTALL)
    return [json.loads(text) for text in found]


def test_a_figure_is_live_on_its_page_and_has_a_still(tmp_path, bundle):
    out, complaints = build(tmp_path, pages(bundle))
    assert complaints == ""
    page = (out / "part" / "page.html").read_text()
    (figure,) = figures(page)
    assert figure["data"] == json.loads(json.dumps(bundle[PLOTLY]["data"])) and "meta" not in figure["layout"]
    still = re.search(r'<img class="dark-light" src="([^"]+)" alt="([^"]+)"', page)
    assert (out / "part" / still[1]).read_text() == bundle[PLOTLY]["layout"]["meta"]["still"]
    assert still[2].startswith("Time of module, forward")
    assert f'data-bundle="../{BUNDLE}"' in page
    assert page.count("plots.js") == 1 and "plots.js" not in (out / "index.html").read_text()
    assert (out / "_static" / "plots.js").exists()
    assert "base64" not in page  # not the still of other notebooks too


def test_a_figure_without_a_sentence_or_a_still_and_no_script_can_be_closed_from_inside(tmp_path):
    out, complaints = build(tmp_path, pages({PLOTLY: {"data": [{"name": "</script>"}], "layout": {}}}))
    page = (out / "part" / "page.html").read_text()
    assert complaints == "" and figures(page)[0]["data"][0]["name"] == "</script>"
    assert 'data-alt="A figure by Plotly"' in page and "This figure needs JavaScript." in page


def test_the_saved_output_is_not_changed(bundle):
    before = json.dumps(bundle[PLOTLY])
    plot_node(bundle[PLOTLY])
    assert json.dumps(bundle[PLOTLY]) == before
