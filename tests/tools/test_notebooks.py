"""Notebooks in the repository: outputs that are checked, and small pictures for viewers that run nothing."""

import base64
import io

import nbformat
from PIL import Image

from flatten_edu.labs import LABS, FocusLab
from flatten_edu.plot import turning_figure
from tools.notebooks import CHECKED, WIDTH, faults, first_cell, previews


def output(data):
    return nbformat.v4.new_output("display_data", data)


def test_a_figure_and_a_lab_become_small_pictures_with_their_sentences():
    figure = turning_figure([(0.99, 0.50)])
    words = nbformat.v4.new_output("stream", text="words")
    shown = [output({"text/html": figure._repr_html_(), "text/plain": repr(figure)})]
    shown += [output(FocusLab()._repr_mimebundle_()[0]), words]
    *drawn, lab, last = previews(shown)
    assert last == words and len(drawn) == len(figure.pictures)
    assert drawn[0].data["text/plain"] == repr(figure) == "\n".join(one.alt for one in figure.pictures)
    assert lab.data["text/plain"].startswith("What does p do")
    for small in (*drawn, lab):
        picture = Image.open(io.BytesIO(base64.b64decode(small.data["image/png"])))
        assert picture.width <= WIDTH and len(small.data["image/png"]) < len(str(shown)) / 4


def test_the_words_beside_a_picture_are_the_same_in_each_run():
    """Or nbval could not compare them: no address of an object in memory."""
    for lab in LABS.values():
        for state in ({}, {"p": 7} if hasattr(lab, "p") else {}):
            words = lab(**state)._repr_mimebundle_()[0]["text/plain"]
            assert words == lab(**state)._repr_mimebundle_()[0]["text/plain"] and " at 0x" not in words


def test_outputs_that_nothing_checks_may_not_stay():
    first = nbformat.v4.new_code_cell(first_cell(), metadata={"tags": ["remove-cell"]})

    def found(outputs, source):
        cell = nbformat.v4.new_code_cell(source, outputs=outputs, execution_count=1)
        return faults(nbformat.v4.new_notebook(cells=[first, cell]))

    words = nbformat.v4.new_output("stream", text="0.5")
    picture = previews([output(FocusLab()._repr_mimebundle_()[0])])
    for outputs in ([words], picture):
        assert found(outputs, f"FocusLab()\n{CHECKED}") == []
        assert found(outputs, "FocusLab()") == ["cell 1 keeps an output that nothing checks"]
