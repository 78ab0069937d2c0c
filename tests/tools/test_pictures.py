"""The README's pictures and the card show the labs as they are."""

import numpy as np
import pytest
from PIL import Image

from tools.pictures import ASSETS, CUTS, cut


@pytest.mark.parametrize("name", CUTS)
def test_a_picture_is_cut_from_the_photograph_that_is_there(name):
    kept, now = (np.asarray(one.convert("RGB"), dtype=float) for one in (Image.open(ASSETS / name), cut(name)))
    assert kept.shape == now.shape, "run `make stills`"
    assert abs(kept - now).mean() < 4, "run `make stills`"
    assert (ASSETS / name).stat().st_size < 150_000
