"""What each lab's settings take and refuse, in which words; and that a refusal changes nothing."""

import re

import pytest
import torch
from traitlets import TraitError

from flatten_edu.labs import LABS, FocusLab, PrecisionLab, SharpnessLab

MATRIX = "1 to 8 rows of 1 to 4 finite numbers between -1e6 and 1e6"
OWN = {
    "precision": PrecisionLab(q=torch.ones(5, 8), k=torch.ones(7, 8), v=torch.ones(7, 4)),
    "sharpness": SharpnessLab(q=torch.ones(8), k=torch.ones(3, 8)),
}
# A lab, a trait, a value that it refuses, and words of the error. Every kind of rule once, then what is a lab's own;
# tests/browser/test_labs.py tries the limits of every setting.
REFUSED = [
    ("focus", "p", 0, "p to be a number from 1 to 256, got 0"),
    ("focus", "p", float("nan"), "p to be a number from 1 to 256"),
    ("focus", "q", [1.0, float("inf")], "q to be 2 finite numbers from -1e6 to 1e6"),
    ("focus", "q", "ab", "q to be 2 finite numbers .*, got 'ab'"),
    ("focus", "k", [], "k to be 1 to 6 rows of 2 finite numbers"),
    ("focus", "k", [[0.0, 1.0], 3], "k to be 1 to 6 rows of 2 finite numbers"),
    ("focus", "patch", 196, "patch to be a whole number from 0 to 195, got 196"),
    ("maps", "picture", 12, "picture to be a whole number from -1 to 11, got 12"),
    ("maps", "block", 3, "block to be a whole number from 0 to 2, got 3"),
    ("maps", "head", -2, "head to be a whole number from -1 to 0, got -2"),
    ("maps", "patch", 196, "patch to be a whole number from 0 to 195, got 196"),
    ("maps", "channel", 64, "channel to be a whole number from -1 to 63, got 64"),
    ("precision", "dtype", "fp8", "'fp8'"),
    ("precision", "p", 2.5, "p to be a whole number from 1 to 16, got 2.5"),
    ("precision", "size", float("nan"), "size to be a number from 1/1024 to 64, got nan"),
    ("precision", "q", torch.ones(5, 9), r"q to be of as many channels as k, 8, got \(5, 9\)"),
    ("precision", "v", torch.ones(6, 4), r"v to be of as many tokens as k, 7, got \(6, 4\)"),
    ("precision", "k", torch.ones(8), r"k to be a tensor of two dimensions, tokens by channels, got \(8,\)"),
    ("precision", "k", torch.full((7, 8), 1e4), "k to be numbers from -1000 to 1000"),
    ("precision", "k", "ab", "k to be a tensor of two dimensions, got 'ab'"),
    ("precision", "q", torch.ones(1, 300), r"at most 4096 x 256, got \(1, 300\)"),
    ("proof", "x", [1, -0.1], "x to be 2 to 8 finite numbers from 0 to 1e6"),
    ("proof", "x", [1, 0.5, 0.2], r"x and y to be of one length \(set both\), got 'x of 3 beside 2'"),
    ("rank", "grid", (20, 20), "grid to be rows and columns of 2 to 256 cells, got"),
    ("rank", "tolerance", 0.9, "tolerance to be 0, or a number from 1e-15 to 1/2, got 0.9"),
    ("recall", "side", 8, "one of 14, 10, 7, got 8"),
    ("reorder", "q", [[1, float("nan"), 2]] * 6, f"q to be {MATRIX}"),
    ("reorder", "q", [[1, 2], [3]], f"q to be {MATRIX}"),
    ("reorder", "q", [1, 2, 3], f"q to be {MATRIX}"),
    ("reorder", "v", "abc", f"v to be {MATRIX}, got 'abc'"),
    ("reorder", "q", [[1, 2, 3]] * 5, r"the same rows, .* got 'q \(5, 3\), k \(6, 3\), v \(6, 3\)'"),
    ("reorder", "k", [[1, 2]] * 6, r"q and k of the same columns \(set all three\), got 'q \(6, 3\), k \(6, 2\)"),
    ("sharpness", "q", torch.ones(9), r"q to be of as many channels as k, 8, got \(1, 9\)"),
    ("sharpness", "q", torch.ones(2, 8), r"q to be at most 1 x 1024, got \(2, 8\)"),
    ("sharpness", "q", "ab", "q to be a tensor of two dimensions, got 'ab'"),
    ("sharpness", "k", torch.full((2, 8), float("nan")), "k to be numbers from -1000 to 1000"),
    ("timing", "other", "no such file.json", "a record of timings"),
    ("timing", "other", [1, 2], "the file must be an object"),
]


@pytest.mark.parametrize(
    ("name", "trait", "value", "words"), REFUSED, ids=[f"{name}-{trait}" for name, trait, *_ in REFUSED]
)
def test_refuses_what_will_not_do_and_keeps_what_it_had(name, trait, value, words):
    lab = OWN.get(name) or LABS[name]()
    before = getattr(lab, trait)
    with pytest.raises(TraitError, match=words) as refused:
        setattr(lab, trait, value)
    assert getattr(lab, trait) == before and len(str(refused.value)) < 200


@pytest.mark.parametrize("name", LABS)
def test_every_lab_is_bundled_and_says_what_it_takes(name):
    lab = LABS[name]()
    assert lab.lab == name and "render" in str(lab._esm) and str(lab._css)
    known = ", ".join(lab.own_traits())
    with pytest.raises(TypeError, match=re.escape(f"{type(lab).__name__} has no power; it takes {known}")):
        type(lab)(power=3)


@pytest.mark.parametrize("name", LABS)
def test_a_setting_that_moves_is_told_and_two_labs_share_nothing(name):
    lab, other, seen = LABS[name](), LABS[name](), []
    lab.observe(lambda change: seen.append((change.name, change.new)), "step")
    lab.step = 2
    assert seen == [("step", 2)] and other.step == 0


@pytest.mark.parametrize("name", LABS)
def test_each_guided_step_sets_what_the_lab_takes(name):
    lab, words = LABS[name](), LABS[name].words()
    assert words["name"] == name and words["next"] in LABS and words["next"] != name and len(words["open"]) > 40
    assert len(words["steps"]) == 3
    for step in words["steps"]:
        with lab.hold_trait_notifications():
            for trait, value in step["set"].items():
                setattr(lab, trait, value)


@pytest.mark.parametrize("shape", [(196, 64), (3,), (2, 2, 2)])
def test_a_tensor_of_a_wrong_shape_is_named_by_its_shape(shape):
    with pytest.raises(TraitError, match=re.escape(f"got a tensor of shape {shape}")) as refused:
        FocusLab(q=torch.zeros(shape), k=torch.zeros(shape))
    assert "FocusLab.with_tokens" in str(refused.value)
