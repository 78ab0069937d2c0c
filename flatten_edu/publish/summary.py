"""Sphinx extension: a page's description, which search engines and link previews show: its first sentences."""

import html
import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

LONGEST = 160  # characters that a search engine shows


def summary(doctree: nodes.document) -> str:
    """The first whole sentences of a page's prose, as many as there is room for; at least one."""
    found = ""
    for paragraph in doctree.findall(nodes.paragraph):
        if not isinstance(paragraph.parent, nodes.section):
            continue  # in a table, a list, a box
        for sentence in re.split(r"(?<=[.?!]) ", " ".join(_plain(paragraph).split())):
            if found and len(found) + 1 + len(sentence) > LONGEST:
                return found
            found = f"{found} {sentence}".strip()
    return found


def _plain(paragraph: nodes.paragraph) -> str:
    """Its text, with formulas as a reader would say them without TeX."""
    paragraph = paragraph.deepcopy()
    for formula in list(paragraph.findall(nodes.math)):
        formula.replace_self(nodes.Text(re.sub(r"\\times", "×", formula.astext()).replace("\\", "")))
    return paragraph.astext()


def describe(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """Put the description into the page's head; a page without prose of its own, such as the index, gets its title."""
    text = (doctree and summary(doctree)) or f"{context.get('title', pagename)}: {app.config.html_title}"
    if doctree:
        context["meta"] = {**(context.get("meta") or {}), "og:description": text}  # for the extension opengraph
    context["metatags"] = f'{context.get("metatags", "")}\n<meta name="description" content="{html.escape(text)}">\n'


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.connect("html-page-context", describe, priority=400)  # before those that use it
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
