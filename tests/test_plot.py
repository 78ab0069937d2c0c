"""Figures show what they are given, by themselves and with a text alternative."""

import re

import matplotlib
import numpy as np
import torch

from flatten_edu.data import photo
from flatten_edu.plot import attention_figure, work_figure


def test_a_figure_shows_itself_with_its_alternative():
    figure = work_figure({"small": {"a": 1.0}}, "units")
    html = figure._repr_html_()
    assert re.match(r'<img [^>]*alt="Bars of units[^"]+" src="data:image/png;base64,\w', html)


def test_a_map_is_bright_where_its_weight_is():
    image = np.full((32, 32, 3), 200, dtype=np.uint8)
    weights = torch.tensor([0.0, 0.1, 0.2, 0.4])
    figure = attention_figure(image, {"one": weights, "none": torch.zeros(4)}, (2, 2), 0)
    lit = figure.axes[1].images[0].get_array()
    patches = [lit[0, 0, 0], lit[0, 31, 0], lit[31, 0, 0], lit[31, 31, 0]]
    assert patches == sorted(patches) and patches[0] == 16 and patches[3] == 200
    assert figure.axes[1].get_xlabel() == "brightest 40.0%"
    assert not figure.axes[3].axison and "one, none" in figure.alt


def test_the_reader_s_own_style_stays():
    before = dict(matplotlib.rcParams)
    attention_figure(photo("coffee", 32), {"a": torch.ones(4)}, (2, 2), 0)
    assert dict(matplotlib.rcParams) == before


def test_work_is_cut_into_its_parts():
    figure = work_figure({"small": {"a": 1.0, "b": 3.0}, "large": {"a": 6.0, "b": 4.0}}, "units")
    bars = [(bar.get_x(), bar.get_width()) for bar in figure.axes[0].patches]
    assert bars == [(0, 1), (1, 3), (0, 6), (6, 4)]
    assert figure.alt == "Bars of units, cut into a, b; the largest part is at small b 75%, at large a 60%."
