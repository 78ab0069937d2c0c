"""Formulas become MathML when the site is built, and each of their letters is in the font that it ships."""

import base64
import html
import io
import re
from pathlib import Path

import nbformat
import pytest
from fontTools.ttLib import TTFont
from sphinx.errors import ExtensionError

from flatten_edu.publish.formulas import keep_together, mathml
from tests.publish.test_mount import build

ROOT = Path(__file__).parents[2]
FONT = ROOT / "book" / "assets" / "math_font.css"
# Chromium, Firefox and Safari draw a variable's letter as this one, of the mathematical alphabet.
ITALIC = {chr(97 + i): chr(0x1D44E + i) for i in range(26)} | {chr(65 + i): chr(0x1D434 + i) for i in range(26)}
ITALIC |= {chr(0x3B1 + i): chr(0x1D6FC + i) for i in range(25)} | {"h": "ℎ", "ϕ": "𝜙", "ϵ": "𝜖"}


def test_a_formula_becomes_mathml_in_line_and_on_its_own(tmp_path):
    more = 'extensions += ["flatten_edu.publish.formulas"]\nhtml_math_renderer = "mathml"\n'
    pages = {
        "index.md": "# Home\n\nA $x_1$.\n\n$$\n\\frac{a}{b}\n$$\n\n```{toctree}\nother\n```\n",
        "other.md": "# Other\n",
    }
    out, said = build(tmp_path, pages, more=more)
    page = (out / "index.html").read_text()
    assert said == ""
    assert '<span class="math"><math><msub><mi>x</mi><mn>1</mn></msub></math></span>' in page
    assert '<div class="math"><math display="block"><mfrac><mi>a</mi><mi>b</mi></mfrac></math></div>' in page
    assert "math_font.css" in page and "math_font.css" not in (out / "other.html").read_text()
    assert not re.search(r"<script[^>]*mathjax", page, re.IGNORECASE)


def test_rows_may_ask_for_room():
    aligned = r"\begin{aligned} a &= b \\[1ex] &= c \end{aligned}"
    assert mathml(aligned, True) == mathml(aligned.replace("[1ex]", ""), True)
    assert mathml(aligned, True).count("<mtr>") == 2


def test_no_line_ends_between_a_formula_and_its_comma():
    q = '<span class="math"><math><mi>q</mi></math></span>'
    assert keep_together(f"of {q}, and ({q})") == (
        f'of <span class="fe-held">{q},</span> and <span class="fe-held">({q})</span>'
    )
    assert keep_together(f"of {q} and") == f"of {q} and"


def test_what_cannot_be_typeset_is_said_with_the_formula():
    with pytest.raises(ExtensionError, match=r"the formula '\\\\nosuch x' cannot be typeset"):
        mathml(r"\nosuch x", False)


def formulas() -> set[str]:
    """The TeX of all formulas in chapters and pages."""
    texts = [path.read_text("utf-8") for path in (ROOT / "book").rglob("*.md")]
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        texts += [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]
    prose = (
        re.sub(r"```\w*\n.*?```|`[^`]*`", "", re.sub(r"```+\{.*|```+$", "", text, flags=re.M), flags=re.S)
        for text in texts
    )
    return {tex for text in prose for tex in re.findall(r"\$\$?([^$]+)\$\$?", text)}


def test_the_font_has_each_letter_of_each_formula():
    content = base64.b64decode(re.search(r"base64,([^\"]+)", FONT.read_text())[1])
    has, found = set(TTFont(io.BytesIO(content)).getBestCmap()), formulas()
    drawn = [mathml(tex, False) for tex in found]
    letters = {c for one in drawn for c in html.unescape(re.sub(r"<[^>]+>", "", one))}
    letters |= {ITALIC[x] for one in drawn for x in re.findall(r"<mi>([^<])</mi>", one) if x in ITALIC}
    assert len(found) > 500 and {"𝑥", "𝜙", "∑"} <= letters
    assert {c for c in letters if ord(c) not in has and not c.isspace() and c != "\u2061"} == set()
