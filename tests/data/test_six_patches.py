"""The six patches: their features come from the pixels, and show what chapters 1 to 8 say that they show."""

import numpy as np
import pytest
import torch
from skimage import data

from flatten_edu.analysis import entropy_bits, numerical_rank
from flatten_edu.data import contrast_and_redness, six_patches
from flatten_edu.functional import attention_matrix, depthwise_conv, dwc_matrix

CAT = six_patches()
SAME_ROW = [0, 2, 5]  # the two eyes and the cheek


def test_the_patches_are_pixels_of_the_photograph():
    top = int(np.where((data.chelsea()[:, 112] == CAT.photo[0, 0]).all(-1))[0][0])
    assert np.array_equal(data.chelsea()[top : top + 190, 112 : 112 + 285], CAT.photo)


def test_features_are_measured_by_numpy_as_well():
    for patch, row in zip(CAT.pixels, CAT.x, strict=True):
        brightness = patch @ [0.299, 0.587, 0.114]
        contrasts = [(one @ [0.299, 0.587, 0.114]).std() for one in CAT.pixels]
        wanted = (brightness.std() - min(contrasts)) / (max(contrasts) - min(contrasts))
        assert row[0].item() == pytest.approx(wanted)
    redness = [(one[..., 0].astype(float) - one[..., 1]).mean() for one in CAT.pixels]
    assert CAT.x[:, 1].tolist() == pytest.approx([(r - min(redness)) / (max(redness) - min(redness)) for r in redness])


def test_features_move_with_the_pixels():
    changed = CAT.pixels.copy()
    changed[3, ..., 0] //= 2  # less red in the whiskers
    assert contrast_and_redness(changed)[3, 1] < CAT.x[3, 1]


def test_softmax_is_sharper_and_f_p_sharpens():
    bits = {kind: entropy_bits(attention_matrix(CAT.q, CAT.k, kind)) for kind in ["softmax", "relu", "focused"]}
    assert bits["softmax"].mean() < bits["relu"].mean() and (bits["focused"] < bits["relu"]).all()
    assert bits["softmax"][0] < bits["focused"][0] < bits["relu"][0]  # of the left eye


@pytest.mark.parametrize("kind", ["relu", "focused"])
def test_linear_attention_has_rank_2_and_one_row_for_three_patches(kind):
    weights = attention_matrix(CAT.q, CAT.k, kind)
    assert numerical_rank(weights) == 2
    torch.testing.assert_close(weights[SAME_ROW], weights[:1].expand(3, 6))
    assert numerical_rank(attention_matrix(CAT.q, CAT.k)) == 6


def test_the_convolution_tells_the_three_apart_and_fills_the_rank():
    weights = attention_matrix(CAT.q, CAT.k, "focused")
    out = weights @ CAT.v + depthwise_conv(CAT.v, CAT.kernel.expand(2, 3, 3), None, CAT.grid)
    assert torch.pdist(out[SAME_ROW]).min() > 0.05
    assert numerical_rank(weights + dwc_matrix(CAT.kernel, CAT.grid)) == 6


def test_the_percentages_that_the_chapters_speak_of():
    """Chapters 1, 4, 6 and 7 name them in their sentences; the figures compute them."""
    left_eye = {kind: 100 * attention_matrix(CAT.q, CAT.k, kind)[0] for kind in ["softmax", "relu", "focused"]}
    eyes = {kind: round((row[0] + row[2]).item()) for kind, row in left_eye.items()}
    assert eyes == {"softmax": 96, "relu": 61, "focused": 73}
    assert [round(w) for w in left_eye["softmax"][[0, 2]].tolist()] == [45, 51]
    nose, brow = ({kind: round(row[i].item()) for kind, row in left_eye.items()} for i in (4, 1))
    assert nose == {"softmax": 2, "relu": 24, "focused": 18} and (brow["relu"], brow["focused"]) == (13, 6)
    cheek = 100 * attention_matrix(CAT.q, CAT.k)[5]
    assert (round(cheek.min().item()), round(cheek.max().item())) == (14, 19)
    scores = CAT.q[0] @ CAT.k.mT
    assert (scores[2] - scores[4]).item() == pytest.approx(4.4, abs=0.05)
    assert torch.exp((scores[2] - scores[4]) / 2**0.5).item() == pytest.approx(22, abs=0.5)
    assert CAT.k[:, 0].tolist() == pytest.approx([3.00, 1.19, 2.66, 0, 2.24, 0.16], abs=0.005)
