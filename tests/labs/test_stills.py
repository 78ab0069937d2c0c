"""The labs' photographs show them as they are."""

import base64
import json

import pytest
import torch

from flatten_edu.labs import LABS, FocusLab, MapsLab
from flatten_edu.labs.frame.still import THEMES, WIDTHS, digest, folder_of, still

LIMIT = 200_000  # bytes of one picture


@pytest.mark.parametrize("name", LABS)
def test_no_lab_has_changed_since_it_was_photographed(name):
    lab = LABS[name]
    about = json.loads((folder_of(lab) / "about.json").read_text())
    assert about["digest"] == digest(lab), f"run `make stills` and commit the pictures of {name}"
    assert set(about["stills"]) == set(lab.stills)
    for view in lab.stills.values():
        picture = still(lab, {name: getattr(lab(**view), name) for name in lab.own_traits()})
        assert picture.exact and len(picture.alt) > 40
        sizes = [picture.path(width, theme).stat().st_size for width in WIDTHS for theme in THEMES]
        assert max(sizes) < LIMIT


def test_another_view_has_the_first_one_s_picture_and_says_so():
    assert still(FocusLab, {"view": "photo"}).name == "photo"
    assert not still(FocusLab, {"p": 8.0}).exact and not still(MapsLab, {"models": []}).exact


def test_a_notebook_keeps_the_picture_beside_the_live_lab():
    bundle = FocusLab()._repr_mimebundle_()[0]
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert "application/vnd.jupyter.widget-view+json" in bundle
    image, rows = torch.zeros(4, 4, 3, dtype=torch.uint8).numpy(), torch.ones(4, 2)
    own = FocusLab.with_tokens(image, rows, rows, (2, 2), "ones")._repr_mimebundle_()[0]
    assert own["image/png"] != bundle["image/png"]  # the line below it says that the numbers are others
