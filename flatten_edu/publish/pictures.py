"""Sphinx extension: a picture that a notebook holds within its text becomes a file beside the page.

The text is then there before the pictures are; a chapter's page falls from 1,000 to 100 kB.
"""

import base64
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from flatten_edu.publish.assets import FOLDER, named

_WITHIN = re.compile(r"data:image/(png|svg\+xml);base64,([A-Za-z0-9+/=]+)")


def lift(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """Write the page's pictures, and let it name them."""

    def address(found: re.Match[str]) -> str:
        suffix = f".{found[1].removesuffix('+xml')}"
        return f"{context['content_root']}{FOLDER}/{named(Path(app.outdir), base64.b64decode(found[2]), suffix)}"

    if "body" in context:
        context["body"] = _WITHIN.sub(address, context["body"])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.connect("html-page-context", lift)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
