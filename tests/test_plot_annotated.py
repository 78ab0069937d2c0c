"""A source with remarks: the lines are the file's own, and a remark that fits none is an error."""

import pytest
import torch

from flatten_edu.plot import AnnotatedSource, head_lengths_figure


def example(x):
    """Twice, and one more."""
    y = 2 * x
    z = y + 1
    return z


def test_each_line_stands_beside_its_remark():
    shown = AnnotatedSource(example, {"y = ": "doubled", "return": "done"})
    assert shown.parts == [("y = 2 * x\nz = y + 1", "doubled"), ("return z", "done")]
    assert "doubled" in shown._repr_html_() and "Twice" not in shown._repr_html_()


@pytest.mark.parametrize(
    ("remarks", "complaint"),
    [({"return": "done"}, "no remark on 'y = 2"), ({"y": "", "w": ""}, "no line in example that begins 'w'")],
)
def test_remarks_that_do_not_fit_are_refused(remarks, complaint):
    with pytest.raises(ValueError, match=complaint):
        AnnotatedSource(example, remarks)


def test_heads_that_keep_their_length_lie_on_the_diagonal():
    before = torch.rand(5, 2, 4) + 0.1
    kept, doubled = head_lengths_figure(before, {"kept": before, "doubled": 2 * before}).pictures
    assert "1.00 to 1.00 times" in kept.alt and "2.00 to 2.00 times" in doubled.alt
    line = doubled.axes[0].lines[0]
    assert line.get_ydata() == pytest.approx([2 * x for x in line.get_xdata()])
