"""The still pictures of the labs `reorder`, `proof` and `timing` show what their functions say."""

import copy

import numpy as np
import pytest
import torch

from flatten_edu.analysis import focused_cosine, proposition
from flatten_edu.functional import attention_cost
from flatten_edu.labs import ProofLab, ReorderLab, TimingLab
from flatten_edu.plot import proof_figure, reorder_figure, timing_figure
from flatten_edu.publish.stills import still


@pytest.mark.parametrize(("n", "d"), [(196, 64), (16, 256), (16384, 1)])
def test_matrices_are_drawn_to_scale_and_costs_as_counted(n, d):
    matrices, costs = reorder_figure(n, d).axes
    sides = [(patch.get_height(), patch.get_width()) for patch in matrices.patches]
    np.testing.assert_allclose(sides, [(n, n), (n, d), (n, d), (n, d), (d, d), (n, d)])
    dots = [line.get_ydata() for line in costs.lines if line.get_marker() == "o"]
    wanted = [attention_cost(n, d, order).multiply_adds for order in ("qk_first", "kv_first")]
    assert [float(dot[0]) for dot in dots[:2]] == wanted


def test_the_curve_and_its_hatching():
    x, y = torch.tensor([1, 0.99]).double(), torch.tensor([1, 0.5]).double()
    _, curve = proof_figure(x, y, 3).axes
    ((start, end),) = proposition(x, y).fails
    area = curve.patches[0].get_extents().transformed(curve.transData.inverted())
    assert (area.x0, area.x1) == pytest.approx((start, end))
    dot = next(line for line in curve.lines if line.get_marker() == "o")
    assert float(dot.get_ydata()[0]) == pytest.approx(focused_cosine(x, y, 3))


@pytest.mark.parametrize(("x", "y"), [([0, 0], [1, 0]), ([1, 1], [1, 0.5]), ([1, 0], [0, 1])])
def test_pairs_without_a_verdict_have_a_picture_too(x, y):
    assert "Two vectors of 2 entries" in proof_figure(torch.tensor(x).double(), torch.tensor(y).double(), 3).alt


@pytest.mark.parametrize(
    ("name", "lab"),
    [("reorder", ReorderLab()), ("reorder", ReorderLab(q=[[1]], k=[[1]], v=[[1]])), ("proof", ProofLab(p=8))],
)
def test_a_lab_in_any_state_has_its_still(name, lab):
    picture, text = still(name, {trait: getattr(lab, trait) for trait in lab.own_traits()}, {})
    assert picture.startswith(b"<?xml") and len(text) > 50


@pytest.mark.parametrize("shown", ["own", "other", "shipped"])
def test_the_still_of_the_times_has_the_shown_record_s_medians_and_slopes(shown):
    lab = TimingLab(d=32)
    record = copy.deepcopy(lab.shipped[1])
    for point in record["points"]:  # exact power laws: softmax 2, the others 1
        exponent = 2 if point["variant"] == "softmax" else 1
        point["seconds"] = [1e-7 * point["n"] ** exponent * share for share in (0.9, 1, 1.2)]
    traits = {"own": {"own": record}, "other": {"other": record}, "shipped": {"shipped": [lab.shipped[0], record]}}
    shown = TimingLab(d=32, **traits[shown])
    picture, text = still("timing", {trait: getattr(shown, trait) for trait in shown.own_traits()}, {})
    assert picture.startswith(b"<?xml")
    assert "softmax grows as N to the power 2.00, linear grows as N to the power 1.00" in text
    (axes,) = timing_figure(record).axes
    n, seconds = axes.lines[0].get_data()
    assert seconds.tolist() == pytest.approx((1e-7 * n**2.0).tolist())
