"""The directive `gallery`: all labs as small pictures, each with its question, that lead to their pages."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from flatten_edu.labs import LABS
from flatten_edu.labs.frame.still import THEMES, still
from flatten_edu.publish.assets import address, site_root


class GalleryNode(nodes.General, nodes.Element):
    """All labs on a page."""


class GalleryDirective(SphinxDirective):
    """```{gallery}``` stands for all labs, in the order of the book."""

    def run(self) -> list[nodes.Node]:
        return [GalleryNode()]


def visit_gallery(translator: HTML5Translator, node: GalleryNode) -> None:
    """Write a list of links; the pictures are the labs' photographs, cut by the style sheet."""
    translator.body.append(f'<ul class="fe-gallery">{"".join(_entry(translator, name) for name in LABS)}</ul>')
    raise nodes.SkipNode


def _entry(translator: HTML5Translator, name: str) -> str:
    shown = still(LABS[name], {})
    question = re.sub(r"\*(.*?)\*", r"<i>\1</i>", translator.encode(LABS[name].words()["question"]))
    pictures = []
    for theme in THEMES:
        path = shown.path("wide", theme)
        source = address(translator, path.read_bytes(), path.suffix)
        pictures.append(f'<img class="fe-{theme} dark-light" src="{source}" alt="" loading="lazy">')
    page = f"{site_root(translator)}book/labs/{name}.html"
    return f'<li><a href="{page}">{"".join(pictures)}<span>{question}</span></a></li>'


def leave_out(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Other builders have the list of contents."""
    if app.builder.format != "html":
        for node in list(doctree.findall(GalleryNode)):
            node.parent.remove(node)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive with Sphinx."""
    app.add_node(GalleryNode, html=(visit_gallery, None))
    app.add_directive("gallery", GalleryDirective)
    app.connect("doctree-resolved", leave_out)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
