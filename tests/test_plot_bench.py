"""Figures of a record show its points: as matplotlib draws them, and as Plotly's JSON has them."""

import json
import sys

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatten_edu.plot import bench_figure, bench_panel
from flatten_edu.plot.panels import PLOTLY, log_ticks
from tests.bench.test_record import made, point

VIEWS = ("time", "memory", "roofline", "models")


def trace(record, view, name, **more):
    return next(t for t in bench_panel(record, view, **more).plotly()["data"] if t["name"].startswith(name))


@pytest.mark.parametrize("view", VIEWS)
def test_plotly_takes_it_and_it_is_json(view):
    figure = bench_panel(made(), view).plotly()
    go.Figure(figure)
    json.dumps(figure)
    assert figure["layout"]["meta"]["still"].startswith("<?xml") and "logarithmic" in figure["layout"]["meta"]["alt"]


def test_the_curves_are_the_points():
    record = made()
    time = trace(record, "time", "focused, ours")
    assert time["x"] == [196, 784, 3136, 12544] and time["y"] == pytest.approx([0.196, 0.784, 3.136, 12.544])
    assert time["name"] == "focused, ours, N^1.00"
    assert time["error_y"]["array"] == pytest.approx([0.05 * y for y in time["y"]])
    assert time["text"][1] == "focused, ours, N = 784: 0.784 ms"
    assert trace(record, "memory", "focused")["y"] == pytest.approx([0.0196, 0.0784, 0.3136, 1.2544])
    models = trace(record, "models", "FLatten-DeiT-T")
    assert models["x"] == [224, 448] and models["y"] == pytest.approx([2 / 1.97e-3, 2 / 7.85e-3])


def test_the_roof_and_what_lies_under_it():
    record = made()
    roof = trace(record, "roofline", "ceilings")
    assert max(roof["y"]) == 1000 and roof["x"][1] == 1000  # Gflop/s; 1e12 flop/s over 1e9 bytes/s
    assert roof["y"][0] == pytest.approx(roof["x"][0])  # one GB/s below the bend
    curve = trace(record, "roofline", "focused")
    assert curve["x"] == pytest.approx([2000] * 4) and curve["y"] == pytest.approx([2000] * 4)
    assert curve["text"][0].endswith("0.5 x arithmetic, 1 x bytes")


def test_variants_can_be_chosen_and_what_is_not_there_is_said():
    names = [t["name"] for t in bench_panel(made(), variants=["softmax"]).plotly()["data"]]
    assert names == ["softmax (SDPA), N^2.00"]
    with pytest.raises(ValueError, match="there is no view 'size'; there are memory, models, roofline, time"):
        bench_panel(made(), "size")
    with pytest.raises(ValueError, match=r"the record has no core, forward, of anything"):
        bench_panel(made(), what="core")
    with pytest.raises(ValueError, match=r"the record has no module, forward, of hydra"):
        bench_panel(made(), variants=["hydra"])


def test_the_command_s_figure_has_a_panel_for_all_that_there_is():
    titles = [axes.get_title(loc="left") for axes in bench_figure(made()).axes]
    assert titles == [
        "module, forward: time",
        "module, forward: peak memory",
        "module, forward: speed under the roof",
        "whole models",
    ]
    bare = made([point("focused_dwc", n, 1e-6 * n, peak_bytes=None) for n in (49, 196)], ceilings=None)
    (axes,) = bench_figure(bare).axes
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert list(axes.lines[0].get_ydata()) == pytest.approx([0.049, 0.196])


def test_a_notebook_gets_what_it_can_show(monkeypatch):
    bundle = bench_panel(made())._repr_mimebundle_()
    assert set(bundle) == {PLOTLY, "text/html", "text/plain"}
    assert bundle["text/html"].startswith("<img") and bundle["text/plain"].startswith("Time of module, forward")
    monkeypatch.setitem(sys.modules, "google.colab", sys)
    html = bench_panel(made())._repr_mimebundle_()
    assert set(html) == {"text/html"} and "focused, ours" in html["text/html"]


@given(st.floats(1e-4, 1e4), st.floats(1.05, 1e6))
def test_a_logarithmic_axis_has_three_marks_or_more(low, ratio):
    ticks = log_ticks([low, low * ratio])
    assert 3 <= len(ticks) <= 12
    assert ticks == sorted(set(ticks))
    assert len({f"{tick:g}" for tick in ticks}) == len(ticks)
    assert sum(low / 1.03 <= tick <= low * ratio * 1.03 for tick in ticks) >= 2
