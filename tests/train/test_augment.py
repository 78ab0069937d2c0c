"""What a recipe does to a batch: targets are the shares of pixels, and the paper's recipe runs."""

import json
import math
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from flatten_edu.__main__ import main
from flatten_edu.models import config_of
from flatten_edu.train import Recipe, rand_augment
from flatten_edu.train.augment import augment
from tests.train.toys import image_folder

BATCHES = st.integers(1, 7)
SIDES = st.integers(1, 40)


def batch(count, height, width):
    """Image i has the value i everywhere, and the class i."""
    return torch.arange(count).float()[:, None, None, None].expand(count, 3, height, width).clone(), torch.arange(count)


@given(st.integers(0, 2**32), BATCHES, SIDES, SIDES, st.floats(0.1, 4))
def test_mixup_s_targets_are_the_weights_of_the_images(seed, count, height, width, alpha):
    x, labels = batch(count, height, width)
    torch.manual_seed(seed)
    mixed, targets = augment(x, labels, count, Recipe(mixup=alpha))
    torch.testing.assert_close(targets.sum(1), torch.ones(count))
    assert (targets >= 0).all()
    values = targets @ torch.arange(count).float()  # image i is i everywhere
    torch.testing.assert_close(mixed, values[:, None, None, None].expand_as(mixed), rtol=1e-5, atol=1e-5)


@given(st.integers(0, 2**32), BATCHES, SIDES, SIDES, st.floats(0.1, 4))
def test_cutmix_s_targets_are_the_shares_of_the_pixels(seed, count, height, width, alpha):
    x, labels = batch(count, height, width)
    torch.manual_seed(seed)
    mixed, targets = augment(x, labels, count, Recipe(cutmix=alpha))
    shares = torch.stack([(mixed[:, 0] == i).float().mean((1, 2)) for i in range(count)], dim=1)
    torch.testing.assert_close(targets, shares)
    assert x.equal(batch(count, height, width)[0])  # what came in is as it was


def test_cutmix_cuts_a_rectangle():
    x, labels = batch(2, 24, 30)
    torch.manual_seed(1)
    mixed, _ = augment(x, labels, 2, Recipe(cutmix=1.0))
    rows, columns = (mixed[0, 0] == 1).any(1), (mixed[0, 0] == 1).any(0)
    assert (mixed[0, 0] == 1).equal(rows[:, None] & columns)
    for side in (rows, columns):
        inside = side.nonzero().flatten()
        assert 0 < len(inside) < len(side) and inside[-1] - inside[0] + 1 == len(inside)


def test_with_both_a_step_takes_one_of_them():
    x, labels = batch(4, 16, 16)
    kinds = []
    for seed in range(60):
        torch.manual_seed(seed)
        mixed, _ = augment(x, labels, 4, Recipe(mixup=1.0, cutmix=1.0))
        kinds.append(all(len(image.unique()) == 1 for image in mixed))
    assert 15 < sum(kinds) < 45


def test_with_all_switched_off_nothing_changes_and_nothing_is_drawn():
    x, labels = torch.randn(4, 3, 8, 8), torch.tensor([2, 0, 1, 2])
    before = torch.get_rng_state()
    same, targets = augment(x, labels, 3, Recipe())
    assert same.equal(x) and targets.equal(torch.eye(3)[labels])
    assert torch.get_rng_state().equal(before)


def test_a_step_s_draws_follow_from_torch_s_seed():
    x, labels = torch.randn(6, 3, 32, 32), torch.arange(6)
    recipe = Recipe(mixup=0.8, cutmix=1.0, erasing=0.5)
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(augment(x, labels, 6, recipe))
    assert all(a.equal(b) for a, b in zip(drawn[0], drawn[1], strict=True))
    assert not drawn[0][0].equal(drawn[2][0])


def test_erasing_takes_a_rectangle_out_of_some_images():
    torch.manual_seed(0)
    x = torch.rand(400, 3, 32, 32) + 1
    erased, targets = augment(x, torch.zeros(400, dtype=torch.long), 2, Recipe(erasing=0.25))
    holes = (erased == 0).all(1)
    assert erased[~holes[:, None].expand_as(erased)].equal(x[~holes[:, None].expand_as(x)])
    assert 60 < holes.flatten(1).any(1).sum() < 140
    for hole in holes[holes.flatten(1).any(1)]:
        assert hole.equal(hole.any(1)[:, None] & hole.any(0))
    assert targets[:, 0].eq(1).all()


def test_rand_augment_gives_images_that_follow_from_the_seed():
    view = rand_augment()
    image = torch.randint(256, (3, 32, 40), dtype=torch.uint8)
    before, views = image.clone(), []
    for seed in [*range(40), *range(40)]:
        torch.manual_seed(seed)
        views.append(view(image))
    assert image.equal(before)
    assert all(one.dtype == torch.uint8 and one.shape == image.shape for one in views)
    assert all(one.equal(other) for one, other in zip(views[:40], views[40:], strict=True))
    assert sum(not one.equal(image) for one in views[:40]) > 25


def test_without_kornia_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "kornia", None)
    for use in (rand_augment, lambda: augment(*batch(2, 8, 8), 2, Recipe(erasing=0.5))):
        with pytest.raises(ImportError, match=r"need kornia: pip install 'flatten-edu\[train\]'"):
            use()


def test_the_paper_s_recipe_runs(tmp_path, capfd):
    """At 32 pixels and in one block, on eight images: all of its parts, two steps."""
    small = "--image-size 32 --patch-size 16 --dim 32 --heads 2 --depth 1 --epochs 1 --batch-size 4 --warmup-epochs 0"
    data, out = image_folder(tmp_path / "data", train=8, val=4), tmp_path / "out"
    given = [
        "train",
        "--preset",
        "paper",
        "--attention",
        "focused_dwc",
        "--data",
        f"imagefolder:{data}",
        "--out",
        str(out),
    ]
    assert main([*given, "--device", "cpu", *small.split()]) == 0, capfd.readouterr().err
    known = json.loads((out / "flatten_deit_imagefolder_focused_dwc.json").read_text())
    recipe = known["recipe"]
    assert (recipe["mixup"], recipe["cutmix"], recipe["erasing"], recipe["rand_augment"]) == (0.8, 1.0, 0.25, True)
    assert recipe["lr"] == 1e-3 and recipe["weight_decay"] == 0.05 and recipe["label_smoothing"] == 0.1
    assert config_of(known).pool == "class" and config_of(known).drop_path_rate == 0.1
    assert known["steps"] == 2 and math.isfinite(known["loss_of_last_epoch"])
