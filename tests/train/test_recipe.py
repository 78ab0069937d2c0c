"""The learning rate of each step, what is decayed, and numbers that make no recipe."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from flatten_edu.models import DeiT
from flatten_edu.nn import ATTENTIONS
from flatten_edu.train import Recipe
from tests.train.toys import config


def slow_lr(recipe, step, per_epoch):
    """In other words: an equal rise a step, complete with the first step at the warm-up's end; then cos^2 of t/2."""
    end = recipe.warmup_epochs * per_epoch
    rising = [s for s in range(recipe.epochs * per_epoch) if s < end]
    if step in rising:
        return recipe.lr * (step + 1) / sum(1 for s in [*rising, len(rising)] if s <= end)
    t = (step - end) / (recipe.epochs * per_epoch - end)
    return recipe.lr * math.cos(math.pi * t / 2) ** 2


@st.composite
def schedules(draw):
    epochs = draw(st.integers(1, 6))
    return Recipe(epochs=epochs, lr=0.5, warmup_epochs=draw(st.floats(0, epochs))), draw(st.integers(1, 20))


@given(schedules())
def test_the_learning_rate_is_that_of_the_formula(schedule):
    recipe, per_epoch = schedule
    for step in range(recipe.epochs * per_epoch):
        assert recipe.lr_at(step, per_epoch) == pytest.approx(slow_lr(recipe, step, per_epoch), rel=1e-9, abs=1e-12)


@given(schedules())
def test_it_rises_in_the_warm_up_and_falls_ever_after(schedule):
    recipe, per_epoch = schedule
    end, steps = recipe.warmup_epochs * per_epoch, recipe.epochs * per_epoch
    rates = [recipe.lr_at(step, per_epoch) for step in range(steps)]
    assert all(0 < rate <= recipe.lr for rate in rates)
    for step, (now, then) in enumerate(pairwise(rates)):
        assert now < then or step + 1 > end, step
        assert now > then or step < end, step


def test_its_highest_is_at_the_warm_up_s_end_and_its_last_near_0():
    recipe = Recipe(epochs=10, lr=0.2, warmup_epochs=2.0)
    rates = [recipe.lr_at(step, 50) for step in range(500)]
    assert rates.index(max(rates)) == 100 and rates[100] == 0.2
    assert rates[0] == pytest.approx(0.2 / 101) and rates[49] == pytest.approx(0.2 * 50 / 101)
    assert rates[300] == pytest.approx(0.1)
    assert rates[-1] < 0.2 * 1e-4


def test_without_a_warm_up_the_first_rate_is_the_highest():
    assert Recipe(warmup_epochs=0.0).lr_at(0, 10) == 1e-3


def test_a_warm_up_may_fill_the_training_but_not_outlast_it():
    assert Recipe(epochs=1, warmup_epochs=1.0, lr=1.0).lr_at(9, 10) == pytest.approx(10 / 11)
    with pytest.raises(ValueError, match=r"warmup_epochs=20 is longer than the training: epochs=2"):
        Recipe(epochs=2, warmup_epochs=20.0)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("epochs", 0, "epochs > 0, got 0"),
        ("batch_size", -8, "batch_size > 0, got -8"),
        ("lr", 0.0, "lr > 0, got 0"),
        ("lr", math.nan, "lr > 0, got nan"),
        ("lr", math.inf, "lr > 0, got inf"),
        ("weight_decay", -0.1, "weight_decay >= 0, got -0.1"),
        ("warmup_epochs", math.nan, "warmup_epochs >= 0, got nan"),
        ("mixup", -1.0, "mixup >= 0, got -1"),
        ("cutmix", math.inf, "cutmix >= 0, got inf"),
        ("label_smoothing", 1.0, "label_smoothing from 0 to below 1, got 1"),
        ("erasing", -0.5, "erasing from 0 to below 1, got -0.5"),
        ("precision", "fp16", "precision is auto, fp32 or bf16, got 'fp16'"),
    ],
)
def test_numbers_that_make_no_recipe(readers_view, name, value, said):
    with pytest.raises(ValueError, match=said):
        Recipe(**{name: value})


@pytest.mark.parametrize("kind", sorted(ATTENTIONS))
def test_matrices_and_kernels_are_decayed_and_nothing_else(kind):
    model = DeiT(config(kind))
    optimizer = Recipe(weight_decay=0.3).optimizer(model)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    groups = {g["weight_decay"]: {names[id(p)] for p in g["params"]} for g in optimizer.param_groups}
    assert set(groups) == {0.3, 0.0}
    assert groups[0.3] | groups[0.0] == set(names.values()) and not groups[0.3] & groups[0.0]
    left = {name.rpartition(".")[2] for name in groups[0.3]}
    assert left == {"weight"} and not [name for name in groups[0.3] if "norm" in name]
    for name in groups[0.0]:
        assert "norm" in name or name.endswith(("bias", "pos_embed", "cls_token", "positional_encoding", ".scale"))
    if kind == "focused_dwc":
        assert {"blocks.0.attn.scale", "blocks.0.attn.positional_encoding", "pos_embed", "cls_token"} <= groups[0.0]
        assert {"blocks.0.attn.dwc.weight", "patch_embed.proj.weight", "head.weight"} <= groups[0.3]


def test_bf16_is_taken_on_a_gpu_that_has_it_unless_told_otherwise(monkeypatch):
    has = [True]
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: has[0])
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert [Recipe().autocasts(device) for device in (cpu, gpu)] == [False, True]
    has[0] = False  # a T4
    assert not Recipe().autocasts(gpu)
    assert Recipe(precision="bf16").autocasts(cpu) and not Recipe(precision="fp32").autocasts(gpu)
