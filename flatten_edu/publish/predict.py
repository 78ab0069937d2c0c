"""Sphinx extension: a question that the reader answers before the page does.

    :::{predict} choice
    Which is larger?

    - this
    - that
    :::

What follows, to the next heading or the next prediction, is the answer, text and labs alike. It is folded until the
reader has answered or asks for it; book/assets/predict.js then puts what the reader said beside it. Without JavaScript
there is a plain question and a fold, on paper the answer follows. `{predict} number times` asks for a number with a
unit, `{predict} curve angle` for the angle between two vectors over p, drawn or set by sliders.
"""

import html
from typing import Any

import numpy as np
import torch
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from flatten_edu.analysis import focused_cosine
from flatten_edu.publish.assets import json_in_html

POINTS = (1, 3, 5, 8, 16, 32, 256)  # values of p at which a reader sets the curve; at the first the angle is given
HIGHEST = 45  # degrees, of the vertical axis, which begins at 0


def angle_of_the_pair(p: int | float) -> float:
    """The angle in degrees of chapter 6's pair after f_p."""
    x, y = torch.tensor([1.0, 0.90]), torch.tensor([1.0, 0.60])
    return float(np.degrees(np.arccos(focused_cosine(x, y, p))))


class Predict(SphinxDirective):
    """Lays out the question; `close_answers` finds where the answer ends."""

    required_arguments = 1
    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:
        kind, *rest = self.arguments
        parsed = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, parsed)
        if kind not in {"choice", "number", "curve"}:
            raise self.error(f"predict asks for a choice, a number or a curve, not for {kind!r}")
        name = f"predict-{self.env.new_serialno('predict') + 1}"
        question, fields = self._fields(kind, name, rest[0] if rest else "", parsed.children)
        start = (
            f'<form class="fe-predict" data-kind="{kind}" data-answer="{name}" autocomplete="off">'
            f'<fieldset aria-describedby="{name}-question"><legend>Predict first</legend><div id="{name}-question">'
        )
        end = '<button type="submit">This is my prediction</button></fieldset></form>'
        fold = (
            f'<details class="fe-answer" id="{name}"><summary><span class="fe-closed">Show me</span>'
            '<span class="fe-opened">The answer</span></summary><p class="fe-said" tabindex="-1" hidden></p>'
        )
        return [_raw(start), *question, _raw("</div>"), *fields, _raw(end), _raw(fold, opens_answer=True)]

    def _fields(
        self, kind: str, name: str, rest: str, content: list[nodes.Node]
    ) -> tuple[list[nodes.Node], list[nodes.Node]]:
        if kind == "number":
            unit = html.escape(rest)
            field = f'<label>Your number: <input type="number" step="any" required> <span>{unit}</span></label>'
            return content, [_raw(f'<div class="fe-fields">{field}</div>')]
        if kind == "curve":
            if rest != "angle":
                raise self.error(f"the curve is called angle, not {rest!r}")
            return content, [_raw(_pad())]
        *question, options = content or [None]
        if not isinstance(options, nodes.bullet_list) or len(options) < 2:
            raise self.error("predict choice needs a question, and then a list of two answers or more")
        fields = [_option(name, i, item) for i, item in enumerate(options)]
        return question, [_raw('<div class="fe-fields">'), *fields, _raw("</div>")]


def _option(name: str, i: int, item: nodes.list_item) -> nodes.paragraph:
    """A radio button with the item's text, formulas and all."""
    field = f'<label><input type="radio" name="{name}" value="{i}" required><span>'
    words = [part for paragraph in item for part in paragraph.children]
    return nodes.paragraph("", "", _raw(field), *words, _raw("</span></label>"))


def _pad() -> str:
    """Axes to draw on, a slider for each point but the first, and the curve itself, which the script shows later."""
    first, *others = POINTS
    start = angle_of_the_pair(first)
    sliders = "".join(
        f'<label>p = {p} <input type="range" min="0" max="{HIGHEST}" step="1" value="{start:.0f}"'
        f' aria-label="p = {p}, angle in °"><output>{start:.0f}°</output></label>'
        for p in others
    )
    curve = [[round(float(p), 4), round(angle_of_the_pair(float(p)), 3)] for p in np.geomspace(first, POINTS[-1], 97)]
    given = {"what": "angle", "unit": "°", "highest": HIGHEST, "points": POINTS, "start": start, "curve": curve}
    return (
        f'<div class="fe-fields"><svg class="fe-pad" viewBox="0 0 340 230" role="img"'
        f' aria-label="angle against p, as set by the sliders below; at p = {first} it is {start:.1f}°"></svg>'
        f'<p class="fe-hint">Draw from left to right, or use the sliders. At p = {first} the angle is {start:.1f}°.</p>'
        f'<div class="fe-sliders">{sliders}</div>'
        f'<script type="application/json">{json_in_html(given)}</script></div>'
    )


def _raw(text: str, **attributes: Any) -> nodes.raw:
    return nodes.raw("", text, format="html", **attributes)


def close_answers(app: Sphinx, doctree: nodes.document) -> None:
    """An answer reaches to the end of its section's own text, or to the next prediction in it."""
    for fold in list(doctree.findall(lambda node: isinstance(node, nodes.raw) and node.get("opens_answer"))):
        siblings = fold.parent.children
        after = siblings.index(fold) + 1
        while after < len(siblings) and not _ends_answer(siblings[after]):
            after += 1
        fold.parent.insert(after, _raw("</details>"))


def _ends_answer(node: nodes.Node) -> bool:
    return isinstance(node, nodes.section) or (isinstance(node, nodes.raw) and node.astext().startswith("<form"))


def add_files(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """The script goes on pages with a prediction, before the labs' own: a link to a folded lab then opens the fold."""
    if doctree is not None and any(node.get("opens_answer") for node in doctree.findall(nodes.raw)):
        app.add_js_file("predict.js", loading_method="defer")
        app.add_css_file("predict.css")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.add_directive("predict", Predict)
    app.connect("doctree-read", close_answers)
    app.connect("html-page-context", add_files)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
