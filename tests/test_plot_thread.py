"""The figure that opens chapters 1 to 8: it draws what the library computes, and can be read on a phone."""

import math
import re

import pytest
import torch
from matplotlib.patches import FancyArrowPatch
from matplotlib.text import Text

from flatten_edu.analysis import angle_degrees, widens_at_first
from flatten_edu.data import six_patches
from flatten_edu.functional import attention_matrix, dwc_matrix, focused_map, linear_attention
from flatten_edu.plot import (
    approximation_error,
    ellipse_figure,
    sorted_weights_figure,
    spectrum_figure,
    thread_figure,
    turning_figure,
)
from flatten_edu.plot.curves import turning_speed
from flatten_edu.plot.thread import STEPS

CAT = six_patches()
PHONE = 343  # CSS pixels of a column on a screen of 375


def drawn(picture) -> list[str]:
    return [text.get_text() for text in picture.axes[0].texts]


@pytest.mark.parametrize("step", STEPS)
def test_each_step_can_be_read_on_a_phone(step):
    for picture in thread_figure(step).pictures:
        assert 100 * picture.get_figwidth() <= PHONE  # shown as large as it was drawn
        picture.draw_without_rendering()
        sizes = [text.get_fontsize() for text in picture.findobj(Text) if text.get_text().strip()]
        assert min(sizes) >= 8  # points of 1/72 inch, at 100 pixels an inch: 11 px
        assert picture.alt and "None" not in picture.alt


@pytest.mark.parametrize("step", STEPS)
def test_each_picture_says_how_large_it_is_and_what_it_shows(step):
    html = thread_figure(step)._repr_html_()
    images = re.findall(r"<img [^>]*>", html)
    assert images and all(re.search(r'width="\d+" height="\d+" alt="\w', image) for image in images)


@pytest.mark.parametrize(("step", "kind"), [("softmax", "softmax"), ("flat", "relu"), ("focused", "focused")])
def test_the_map_prints_the_weights(step, kind):
    wanted = (100 * attention_matrix(CAT.q, CAT.k, kind)).flatten().tolist()
    assert drawn(thread_figure(step).pictures[0]) == [f"{weight:.0f}" for weight in wanted]


def test_the_state_ends_with_the_sum_over_all_tokens():
    state = drawn(thread_figure("state").pictures[0])[-4:]
    assert state == [f"{number:.2f}" for number in (CAT.k.relu().mT @ CAT.v).flatten().tolist()]


def test_arrows_end_at_the_outputs():
    m = dwc_matrix(CAT.kernel, CAT.grid)
    wanted = attention_matrix(CAT.q, CAT.k, "focused") @ CAT.v + m @ CAT.v
    arrows = [one for one in thread_figure("convolution").pictures[1].axes[0].patches if type(one) is FancyArrowPatch]
    tips = torch.tensor([one._posA_posB[1] for one in arrows])
    torch.testing.assert_close(tips.double(), wanted, rtol=1e-5, atol=1e-5)


def test_the_outputs_of_the_third_chapter_are_linear_attention_s():
    alt = thread_figure("state").pictures[1].alt
    out = linear_attention(CAT.q.relu(), CAT.k.relu(), CAT.v)
    assert all(f"{name} ({a:.2f}, {b:.2f})" in alt for name, (a, b) in zip(CAT.names, out.tolist(), strict=True))


def test_an_unknown_step():
    with pytest.raises(ValueError, match=r"knows the steps patches, queries and keys, softmax.*got 'sofmax'"):
        thread_figure("sofmax")


def test_sorted_weights_are_means_of_sorted_rows():
    weights = torch.tensor([[0.1, 0.9, 0.0], [0.7, 0.0, 0.3]])
    (picture,) = sorted_weights_figure({"two rows": {"a map": weights}}).pictures
    line = picture.axes[0].lines[0]
    assert line.get_ydata() == pytest.approx([0.8, 0.2, 0.0])
    assert "a map from 0.800 to 0" in picture.alt and "even row has 0.3333" in picture.alt


def test_an_ellipse_s_half_axes_are_the_singular_values():
    (picture,) = ellipse_figure({"a matrix": torch.tensor([[3.0, 0.0], [0.0, 0.5]])}).pictures
    ellipse = picture.axes[0].lines[1]
    assert max(ellipse.get_xdata()) == pytest.approx(3) and max(ellipse.get_ydata()) == pytest.approx(0.5)
    assert "half-axes of 3.00 and 0.50" in picture.alt


def test_the_best_approximation_is_no_worse_than_a_product_of_that_rank():
    torch.manual_seed(0)
    matrix = torch.randn(12, 12, dtype=torch.float64)
    u, values, vh = torch.linalg.svd(matrix)
    for rank in (1, 5, 11):
        cut = (u[:, :rank] * values[:rank]) @ vh[:rank]
        assert approximation_error(matrix)[rank].item() == pytest.approx(((matrix - cut).norm() / matrix.norm()).item())


def test_a_direction_turns_fastest_at_16_8_degrees_and_as_fast_as_the_map_turns_it():
    speeds = {a: turning_speed(math.tan(math.radians(a))) for a in (10.0, 16.8, 25.0)}
    assert max(speeds, key=speeds.get) == 16.8
    axis = torch.tensor([1.0, 0.0], dtype=torch.float64)
    for t in (0.1, 0.3, 0.9):
        x = torch.tensor([1.0, t], dtype=torch.float64)
        turned = [angle_degrees(focused_map(x, p), axis).item() for p in (1 - 1e-4, 1 + 1e-4)]
        assert turning_speed(t) == pytest.approx((turned[0] - turned[1]) / 2e-4, rel=1e-4)


def test_pairs_are_named_as_the_theorem_has_it():
    pairs = [(0.99, 0.50), (0.60, 0.40), (0.30, 0.10)]
    (picture,) = turning_figure(pairs).pictures
    for t, u in pairs:
        assert f"{u:.2f} and {t:.2f}: {'apart' if widens_at_first(t, u) else 'closer'}" in picture.alt


def test_spectra_are_drawn_as_shares_of_the_largest():
    (picture,) = spectrum_figure({"one": torch.diag(torch.tensor([4.0, 2.0, 1.0]))}).pictures
    assert picture.axes[0].lines[0].get_ydata() == pytest.approx([1, 0.5, 0.25])
