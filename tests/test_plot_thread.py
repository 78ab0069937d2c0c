"""The figure that opens chapters 1 to 8: it draws what the library computes, and can be read on a phone."""

import re

import pytest
import torch
from matplotlib.patches import FancyArrowPatch
from matplotlib.text import Text

from flatten_edu.data import six_patches
from flatten_edu.functional import attention_matrix, dwc_matrix, linear_attention
from flatten_edu.plot import thread_figure
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
