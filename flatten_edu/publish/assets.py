"""Files that a page needs and that are written when the page is: beside it, named by their content, each once."""

import hashlib
import json
from pathlib import Path

from sphinx.writers.html5 import HTML5Translator

FOLDER = "_static/labs"


def address(translator: HTML5Translator, content: bytes, suffix: str) -> str:
    """Write the content, and return its address relative to the page that is being written."""
    return f"{site_root(translator)}{FOLDER}/{named(Path(translator.builder.outdir), content, suffix)}"


def named(site: Path, content: bytes, suffix: str) -> str:
    """Write the content into the site's folder for such files, and return its name there."""
    name = hashlib.sha256(content).hexdigest()[:16] + suffix
    folder = site / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / name).exists():
        (folder / name).write_bytes(content)
    return name


def site_root(translator: HTML5Translator) -> str:
    """The site's root as the page that is being written sees it."""
    builder = translator.builder
    root = builder.get_relative_uri(builder.current_docname, "index").removesuffix("index.html").removesuffix("index")
    return root or "./"


def json_in_html(value: object) -> str:
    """JSON that a script element can hold."""
    return json.dumps(value).replace("<", "\\u003c")
