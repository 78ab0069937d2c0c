"""Sphinx extension: a lab in a notebook's output, or named by a `lab` directive, becomes a live part of the page.

A node carries the lab's state; when the page is written, its module, style and byte traits become files beside it,
named by their content, and so do the files that the lab fetches only when a reader asks for them. The page's mount
script (labs/frame/mount.ts) reads the state and starts the lab.
"""

import base64
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from flatten_edu.labs import LABS
from flatten_edu.labs.frame.lab import STATIC, split_state
from flatten_edu.labs.frame.still import THEMES, WIDTHS, Still, still
from flatten_edu.publish.assets import address, json_in_html, site_root
from flatten_edu.publish.plotly import PLOTLY, plot_node

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
# Browsers load no module from a folder: where a reader opened the page by a double click, the caption says what to do.
SAY_HOW = """if (location.protocol === "file:") addEventListener("DOMContentLoaded", () => {
  for (const host of document.querySelectorAll(".fe-mount")) {
    host.dataset.state = "failed";
    host.querySelector(".fe-still figcaption").textContent = "This figure is a lab, and browsers start none from a "
      + "folder. In the folder of the book run: python3 -m http.server, then open http://localhost:8000.";
  }
});"""
# What would else change, and move the text, after the first paint.
EARLY = """{
  const { dataset } = document.documentElement;
  if (dataset.theme === "auto") dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  document.fonts.load('1em "Book Math"');
}"""
CHECK_MARK = "# NBVAL_CHECK_OUTPUT"


class LabNode(nodes.General, nodes.Element):
    """A lab on a page: attributes `lab`, `state` (JSON values), `buffers` (bytes by trait)."""


class LabDirective(SphinxDirective):
    """```{lab} focus``` puts a lab in its default state on a page of prose."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        if name not in LABS:
            raise self.error(f"no lab is called {name!r}; there are {', '.join(sorted(LABS))}")
        state, buffers = split_state(LABS[name]())
        return [LabNode("", lab=name, state=state, buffers=buffers)]


class LabRenderer:
    """MyST-NB MIME renderer: a notebook output that shows a lab, or a Plotly figure, becomes its node.

    Other widgets are left to MyST-NB. One renderer for both, since MyST-NB knows it from the installed package's entry
    points alone: a second one would be missed where an older installation is worked on.
    """

    mime_priority_overrides = (("html", PLOTLY, 1),)

    @staticmethod
    def handle_mime(renderer: Any, data: Any, inline: bool) -> list[nodes.Node] | None:
        if not inline and data.mime_type == PLOTLY:
            return [plot_node(data.content)]
        if inline or data.mime_type != WIDGET_VIEW:
            return None
        saved = renderer.renderer.nb_client.nb_metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
        model = saved.get(data.content["model_id"])
        names = {f"{lab.__module__}.{lab.__name__}": name for name, lab in LABS.items()}
        name = names.get(model["state"].get("_anywidget_id")) if model else None
        if name is None:
            return None
        own = [*LABS[name].own_traits(), "_rules"]
        buffers = {b["path"][0]: base64.b64decode(b["data"]) for b in model.get("buffers", [])}
        state = {trait: model["state"][trait] for trait in own if trait in model["state"] and trait not in buffers}
        return [LabNode("", lab=name, state=state, buffers=buffers)]


def visit_lab(translator: HTML5Translator, node: LabNode) -> None:
    """Write the lab's host element, its still picture and its state; its files go beside the page."""
    lab = node["lab"]
    beside = partial(address, translator)
    description = {
        "esm": beside((STATIC / f"{lab}.js").read_bytes(), ".js"),
        "state": node["state"],
        "buffers": {trait: beside(content, ".bin") for trait, content in node["buffers"].items()},
        "files": {name: beside(path.read_bytes(), path.suffix) for name, path in LABS[lab].files.items()},
    }
    if f"book/labs/{lab}" in translator.builder.env.found_docs:
        description["pages"] = f"{site_root(translator)}book/labs/"
    style = beside((STATIC / f"{lab}.css").read_bytes(), ".css")
    shown = still(LABS[lab], node["state"])
    picture = picture_html(shown, lambda path: beside(path.read_bytes(), path.suffix), translator.attval)
    translator.body.append(
        f'<link rel="stylesheet" href="{style}">'
        f'<div class="fe-mount" data-lab="{lab}">{picture}'
        f'<script type="application/json">{json_in_html(description)}</script></div>'
    )
    raise nodes.SkipNode


def picture_html(picture: Still, address_of: Callable[[Path], str], escaped: Callable[[str], str]) -> str:
    """A lab's photograph in the page's two themes and at two widths, with the room that the lab will take."""

    def element(theme: str) -> str:
        sizes = {width: 'width="{}" height="{}"'.format(*picture.sizes[width]) for width in WIDTHS}
        wide, narrow = (address_of(picture.path(width, theme)) for width in WIDTHS)
        return (
            f'<picture class="fe-{theme}"><source media="(max-width: 600px)" srcset="{narrow}" {sizes["narrow"]}>'
            f'<img class="dark-light" src="{wide}" {sizes["wide"]} alt="{escaped(picture.alt)}" loading="lazy">'
            "</picture>"
        )

    which = "" if picture.exact else " Here it holds other numbers than in the picture."
    return (
        f'<figure class="fe-still">{"".join(map(element, THEMES))}'
        f"<figcaption>This figure is a lab: where JavaScript runs, you can move it.{which}</figcaption></figure>"
    )


def add_scripts(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """Put the mount script on pages with a lab, and take off what no page of this book uses."""
    # Thebe runs cells on a server of others, and its script names a CDN. MyST-NB's widget state repeats the labs'
    # modules and data for a widget manager that is not there. The labs need neither.
    unused = ["thebe", WIDGET_STATE]
    context["script_files"][:] = [f for f in context["script_files"] if not any(word in _whole(f) for word in unused)]
    app.add_js_file(None, body=EARLY)
    if doctree is not None and any(doctree.findall(LabNode)):
        app.add_js_file("mount.js", type="module")
        app.add_js_file(None, body=SAY_HOW)


def tell_style(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """A page without an outline beside it says so in its head: its text may have that room from the first paint on."""
    removed = "html_theme.sidebar_secondary.remove" in (context.get("meta") or {})
    if removed or not context.get("secondary_sidebar_items"):
        context["metatags"] = f'{context.get("metatags", "")}\n<meta name="fe-no-outline" content="">'


def _whole(script: Any) -> str:
    return f"{getattr(script, 'filename', script)} {getattr(script, 'attributes', '')}".lower()


def hide_check_marks(app: Sphinx, doctree: nodes.document) -> None:
    """The comment that makes nbval compare a cell's output is for the tests; a reader need not see it."""
    for block in doctree.findall(nodes.literal_block):
        text = block.astext()
        if CHECK_MARK in text:
            block.rawsource = text.replace(CHECK_MARK, "").rstrip()
            block.children = [nodes.Text(block.rawsource)]


def visit_citation(translator: HTML5Translator, node: nodes.citation) -> None:
    """A citation as docutils writes it, without a role that WAI-ARIA has withdrawn."""
    HTML5Translator.visit_citation(translator, node)
    translator.body[-1] = translator.body[-1].replace("doc-biblioentry", "listitem")


def lighten_theme(app: Sphinx, error: Exception | None) -> None:
    """Take out of the theme's scripts what the page does not need.

    That is its reports in the reader's console, and 540 KB (gzipped) of icons that its style sheet has as a font.
    """
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for name in ["_static/scripts/pydata-sphinx-theme.js", "_static/togglebutton.js", "search.html"]:
        _rewrite(out / name, lambda text: text.replace("console.log(", "void ("))
    _rewrite(out / "_static/scripts/fontawesome.js", lambda text: "/* The icons come from the style sheet's font. */\n")
    for page in out.rglob("*.html"):
        if page.name != "search.html":  # it uses its scripts while it is read
            _rewrite(page, defer_scripts)


def defer_scripts(page: str) -> str:
    """No script holds up the first paint, but the options that lines of the page itself speak to; the order stays."""
    return re.sub(
        r'<script ((?:(?!defer|type=|async)[^>])*?src="(?![^"]*documentation_options)[^"]*")>',
        r"<script defer \1>",
        page,
    )


def _rewrite(path: Path, change: Callable[[str], str]) -> None:
    if path.exists():
        path.write_text(change(path.read_text("utf-8")), "utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx, and those for Plotly's figures and the gallery of labs."""
    app.setup_extension("flatten_edu.publish.plotly")
    app.setup_extension("flatten_edu.publish.gallery")
    app.add_node(LabNode, html=(visit_lab, None))
    app.add_node(nodes.citation, override=True, html=(visit_citation, HTML5Translator.depart_citation))
    app.add_directive("lab", LabDirective)
    app.connect("builder-inited", lambda app: app.config.html_static_path.append(str(STATIC / "mount.js")))
    app.connect("doctree-read", hide_check_marks)
    app.connect("html-page-context", add_scripts, priority=900)
    app.connect("html-page-context", tell_style, priority=900)  # after the theme has chosen
    app.connect("build-finished", lighten_theme)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
