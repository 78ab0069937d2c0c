"""A page's description: its first sentences, as many as fit, formulas without TeX."""

import pytest
from docutils import nodes

from flatten_edu.publish.summary import LONGEST, summary


def page(*paragraphs: nodes.Node) -> nodes.document:
    document = nodes.document(None, None)
    document += nodes.section("", nodes.title(text="A title."), *paragraphs)
    return document


def test_whole_sentences_as_many_as_fit():
    sentence = "Forty characters are in this sentence ok."
    found = summary(page(*(nodes.paragraph(text=f"{sentence} {sentence}") for _ in range(3))))
    assert found == " ".join([sentence] * 3) and len(found) <= LONGEST < len(f"{found} {sentence}")


def test_a_long_first_sentence_is_kept_whole():
    assert summary(page(nodes.paragraph(text="a " * 200 + "end."))) == "a " * 200 + "end."


@pytest.mark.parametrize(("tex", "plain"), [(r"N \times N", "N × N"), ("f_p", "f_p"), (r"\phi", "phi")])
def test_formulas(tex, plain):
    assert summary(page(nodes.paragraph("", "", nodes.Text("Of "), nodes.math(tex, tex)))) == f"Of {plain}"


def test_only_prose_counts():
    cell = nodes.entry("", nodes.paragraph(text="In a table."))
    assert summary(page(nodes.row("", cell), nodes.paragraph(text="Prose."))) == "Prose."
    assert summary(page()) == ""
