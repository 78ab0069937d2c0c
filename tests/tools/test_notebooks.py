"""Notebooks in the repository: outputs that are checked, and small pictures for viewers that run nothing."""

import base64
import io

import nbformat
from PIL import Image

from flatten_edu.labs import FocusLab
from flatten_edu.plot import turning_figure
from tools.notebooks import CHECKED, WIDTH, faults, first_cell, previews


def output(data):
    return nbformat.v4.new_output("display_data", data)


def test_a_figure_and_a_lab_become_small_pictures_with_their_sentences():
    figure = turning_figure([(0.99, 0.50)])
    shown = [output({"text/html": figure._repr_html_(), "text/plain": "a figure"})]
    shown += [output(FocusLab()._repr_mimebundle_()[0]), nbformat.v4.new_output("stream", text="words")]
    drawn, lab = previews(shown)
    assert drawn.data["text/plain"] == figure.pictures[0].alt and lab.data["text/plain"].startswith("What does p do")
    for small in (drawn, lab):
        assert set(small.data) == {"image/png", "text/plain"}
        picture = Image.open(io.BytesIO(base64.b64decode(small.data["image/png"])))
        assert picture.width <= WIDTH and len(small.data["image/png"]) < len(str(shown)) / 4


def test_pictures_may_stay_and_other_outputs_that_nothing_checks_may_not():
    shown = output(FocusLab()._repr_mimebundle_()[0])
    first = nbformat.v4.new_code_cell(first_cell(), metadata={"tags": ["remove-cell"]})

    def found(outputs, source="FocusLab()"):
        cell = nbformat.v4.new_code_cell(source, outputs=outputs, execution_count=1)
        return faults(nbformat.v4.new_notebook(cells=[first, cell]))

    words = nbformat.v4.new_output("stream", text="0.5")
    assert found(previews([shown])) == [] == found([words], CHECKED)
    assert found([shown]) == found([words]) == ["cell 1 keeps an output that nothing checks"]
