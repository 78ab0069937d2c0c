"""Plotly's figures on a page: live where JavaScript runs, by a bundle that only their pages fetch; else a still.

A notebook's output of Plotly's MIME type becomes a `PlotNode`. `layout.meta` may hold the still picture (SVG) and the
sentence that stands for it, as `flatten_edu.plot.bench_panel` writes them. The page's script is labs/frame/plots.ts.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

from flatten_edu.labs.frame.lab import STATIC
from flatten_edu.publish.assets import address, json_in_html, site_root

PLOTLY = "application/vnd.plotly.v1+json"
FINE = "Point at a curve to read it. Drag to look closer, click twice to go back; click a name to hide its curve."
COARSE = "Tap a point to read it, and a name to hide its curve."
BUNDLE = "_static/plotly/plotly-basic.min.js"  # tools/plotly_bundle.py vendors it


class PlotNode(nodes.General, nodes.Element):
    """A Plotly figure on a page: attributes `figure` (its data and layout), `alt`, `still` (SVG, or empty)."""


def plot_node(content: dict[str, Any]) -> PlotNode:
    """The node of a figure in Plotly's JSON."""
    layout = dict(content["layout"])
    meta = layout.pop("meta", {})
    alt = meta.get("alt", "A figure by Plotly")
    return PlotNode("", figure={"data": content["data"], "layout": layout}, alt=alt, still=meta.get("still", ""))


def visit_plot(translator: HTML5Translator, node: PlotNode) -> None:
    """Write the still and the figure's JSON, which the page's script draws; the hint keeps its place until then."""
    alt = translator.attval(node["alt"])
    picture = "<p>This figure needs JavaScript.</p>"
    if node["still"]:
        picture = f'<img class="dark-light" src="{address(translator, node["still"].encode(), ".svg")}" alt="{alt}">'
    translator.body.append(
        f'<figure class="fe-plot" data-bundle="{site_root(translator)}{BUNDLE}" data-alt="{alt}">'
        f'<div class="fe-plot-still">{picture}</div>'
        f'<script type="application/json">{json_in_html(node["figure"])}</script>'
        f'<figcaption><span class="fe-fine">{FINE}</span><span class="fe-coarse">{COARSE}</span></figcaption></figure>'
    )
    raise nodes.SkipNode


def add_script(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """Pages with a figure get the script that draws it."""
    if doctree is not None and any(doctree.findall(PlotNode)):
        app.add_js_file("plots.js", type="module")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx; the renderer that makes the nodes is `flatten_edu.publish.mount.LabRenderer`."""
    app.add_node(PlotNode, html=(visit_plot, None))
    app.connect("builder-inited", lambda app: app.config.html_static_path.append(str(STATIC / "plots.js")))
    app.connect("html-page-context", add_script)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
