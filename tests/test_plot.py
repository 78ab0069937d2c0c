"""Figures show what they are given, by themselves and with a text alternative."""

import re

import matplotlib
import numpy as np
import torch

from flatten_edu.data import photo
from flatten_edu.plot import attention_figure, pictures_figure, recall_figure, work_figure


def test_a_figure_shows_itself_with_its_alternative():
    figure = work_figure({"small": {"a": 1.0}}, "units")
    html = figure._repr_html_()
    assert re.match(r'<img [^>]*alt="Bars of units[^"]+" src="data:image/png;base64,\w', html)


def test_maps_share_a_scale_that_counts_in_even_rows_and_show_no_photograph():
    image = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    figure = attention_figure(image, {"one": torch.tensor([0.0, 0.1, 0.2, 0.7]), "flat": torch.ones(4)}, (2, 2), 0)
    photograph, one, flat, even = (axes.images[0] for axes in figure.axes[:4])
    assert np.array_equal(photograph.get_array(), image)
    assert np.allclose(one.get_array(), [[0, 0.4], [0.8, 2.8]])
    assert np.array_equal(flat.get_array(), even.get_array()) and (even.get_array() == 1).all()
    assert one.norm is flat.norm is even.norm and figure.axes[1].get_xlabel() == "most 2.8"
    assert figure.axes[3].get_title() == "an even row" and "one, flat" in figure.alt


def test_the_reader_s_own_style_stays():
    before = dict(matplotlib.rcParams)
    attention_figure(photo("coffee", 32), {"a": torch.ones(4)}, (2, 2), 0)
    assert dict(matplotlib.rcParams) == before


def test_work_is_cut_into_its_parts():
    figure = work_figure({"small": {"a": 1.0, "b": 3.0}, "large": {"a": 6.0, "b": 4.0}}, "units")
    bars = [(bar.get_x(), bar.get_width()) for bar in figure.axes[0].patches]
    assert bars == [(0, 1), (1, 3), (0, 6), (6, 4)]
    assert figure.alt == "Bars of units, cut into a, b; the largest part is at small b 75%, at large a 60%."


def test_every_run_of_recall_is_a_line_and_the_bound_is_drawn():
    runs = {"softmax": [{4: 1.0, 32: 0.9}, {4: 1.0, 32: 0.8}], "p = 1": [{4: 0.7, 32: 0.3}]}
    figure = recall_figure({"d = 16": runs}, "weight on the partner", {"d = 16": 16})
    lines = figure.axes[0].lines
    assert [list(line.get_ydata()) for line in lines] == [[1.0, 0.9], [1.0, 0.8], [0.7, 0.3], [1.0, 0.5]]
    assert lines[0].get_color() == lines[1].get_color() != lines[2].get_color()
    assert "softmax, p = 1" in figure.alt and "weight on the partner" in figure.alt
    alone = recall_figure({"d = 16": {"p = 1": runs["p = 1"]}}, "weight on the partner", colours_of=list(runs))
    assert alone.axes[0].lines[0].get_color() == lines[2].get_color()


def test_pictures_are_shown_as_they_are():
    pale = torch.full((2, 3, 3), 0.5)
    (figure,) = pictures_figure({"pale": pale, "beyond": 4 * pale}).pictures
    shown = [np.asarray(axes.images[0].get_array()) for axes in figure.axes]
    assert np.array_equal(shown[0], pale) and np.array_equal(shown[1], np.ones((2, 3, 3)))
    assert figure.axes[1].get_title() == "beyond" and "pale, beyond" in figure.alt
