r"""Sphinx extension: a formula is typeset when the site is built, as MathML, which browsers draw without a script.

So no formula arrives late and moves the text around it, and screen readers read it. book/assets/math.css says how it
looks, and math_font.css has its letters.
"""

import re
from functools import cache
from typing import Any

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.writers.html5 import HTML5Translator

_PRIME = re.compile(r"<msup>(<mi>[^<]*</mi>)<mo>′</mo></msup>")  # the font's prime is raised by itself


@cache
def mathml(tex: str, block: bool) -> str:
    r"""A formula's TeX as a `math` element, on a line of its own (block) or within one.

    The room that `\\[1ex]` asks for between rows is left to the style sheet: the converter does not know it.

    Raises:
        ExtensionError: the TeX has a command or a form that the converter does not know.
    """
    tex = re.sub(r"\\\\\[[\w.]+\]", r"\\\\", tex)
    try:
        found = LatexToMathML(fancy_error=False).convert_with_local_state(tex, displaystyle=block)
    except LatexError as error:
        raise ExtensionError(f"the formula {tex!r} cannot be typeset: {error}") from None
    return _PRIME.sub(r"<mrow>\1<mo>′</mo></mrow>", found)


def visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    """A formula within a line."""
    translator.body.append(f'<span class="math">{mathml(node.astext(), False)}</span>')
    raise nodes.SkipNode


def visit_block(translator: HTML5Translator, node: nodes.math_block) -> None:
    """A formula on a line of its own. The book numbers none."""
    translator.body.append(f'<div class="math">{mathml(node.astext(), True)}</div>\n')
    raise nodes.SkipNode


_BESIDE = re.compile(r'([(\[“‘]*)(<span class="math">.*?</span>)([.,:;!?)\]”’…]*)', re.DOTALL)


def keep_together(body: str) -> str:
    """A browser may end a line between a formula and the comma after it, or the brackets around it. Here it may not."""

    def held(found: re.Match[str]) -> str:
        before, formula, after = found.groups()
        return f'<span class="fe-held">{found[0]}</span>' if before or after else formula

    return _BESIDE.sub(held, body)


def add_style(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """A page with formulas gets their style, and their font with it."""
    context["body"] = keep_together(context.get("body", ""))
    if doctree is not None and any(isinstance(node, nodes.math | nodes.math_block) for node in doctree.findall()):
        app.add_css_file("math_font.css")
        app.add_css_file("math.css")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx; the setting `html_math_renderer = "mathml"` chooses it."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    app.connect("html-page-context", add_style)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
