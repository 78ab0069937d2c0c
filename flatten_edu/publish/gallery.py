"""The directive `gallery`: all labs as small pictures, each with its question, that lead to their pages."""

import io
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from flatten_edu.labs import LABS
from flatten_edu.labs.frame.still import THEMES, still
from flatten_edu.publish.assets import address, site_root

SIZE = (384, 288)  # pixels of a small picture
TOP = 0.17  # of a photograph's height lies above what is shown: the question, and what to try


class GalleryNode(nodes.General, nodes.Element):
    """All labs on a page."""


class GalleryDirective(SphinxDirective):
    """```{gallery}``` stands for all labs, in the order of the book."""

    def run(self) -> list[nodes.Node]:
        return [GalleryNode()]


def visit_gallery(translator: HTML5Translator, node: GalleryNode) -> None:
    """Write a list of links; the pictures are cut out of the labs' photographs."""
    translator.body.append(f'<ul class="fe-gallery">{"".join(_entry(translator, name) for name in LABS)}</ul>')
    raise nodes.SkipNode


def _entry(translator: HTML5Translator, name: str) -> str:
    shown = still(LABS[name], {})
    question = re.sub(r"\*(.*?)\*", r"<i>\1</i>", translator.encode(LABS[name].words()["question"]))
    pictures = []
    for theme in THEMES:
        source = address(translator, small(shown.path("wide", theme)), ".webp")
        size = 'width="{}" height="{}"'.format(*SIZE)
        pictures.append(f'<img class="fe-{theme} dark-light" src="{source}" {size} alt="" loading="lazy">')
    page = f"{site_root(translator)}book/labs/{name}.html"
    return f'<li><a href="{page}">{"".join(pictures)}<span>{question}</span></a></li>'


def small(photograph: Path) -> bytes:
    """The part of a photograph where the drawing is, a few kilobytes."""
    image = Image.open(photograph)
    top, height = round(TOP * image.height), image.width * SIZE[1] // SIZE[0]
    content = io.BytesIO()
    part = image.crop((0, top, image.width, top + height)).resize(SIZE, Image.Resampling.LANCZOS)
    part.save(content, "WEBP", quality=60, method=6)
    return content.getvalue()


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive with Sphinx."""
    app.add_node(GalleryNode, html=(visit_gallery, None))
    app.add_directive("gallery", GalleryDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
