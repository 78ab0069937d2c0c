"""Which images a step sees: all of them once an epoch, the same for any number of processes, workers and runs."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from flatten_edu.data import ImageFolder
from flatten_edu.train import Recipe, World, rand_augment
from flatten_edu.train.batches import Steps, generator
from tests.train.toys import coloured, image_folder


class Numbers:
    """A set whose image i is the number i, so that a batch shows which images and seeds it was asked for."""

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def batch(self, indices, seeds=None):
        return indices, seeds


def steps(count=48, world=None, **recipe):
    return Steps(Numbers(count), Recipe(**({"epochs": 3, "batch_size": 12} | recipe)), world or World())


def epoch(all_steps, number):
    """The images and the seeds of an epoch, in order."""
    batches = [all_steps[number * all_steps.per_epoch + i] for i in range(all_steps.per_epoch)]
    return [torch.cat(parts).tolist() for parts in zip(*batches, strict=True)]


@given(st.integers(0, 2**32), st.integers(12, 60))
def test_an_epoch_shows_each_image_once_but_those_that_fill_no_batch(seed, count):
    some = steps(count, seed=seed)
    orders = [epoch(some, number)[0] for number in range(3)]
    for order in orders:
        assert len(order) == len(set(order)) == count // 12 * 12 and set(order) <= set(range(count))
    assert len(some) == 3 * (count // 12)
    assert orders[0] != orders[1] != orders[2]


def test_orders_and_seeds_never_come_twice():
    some = steps(seed=1)
    seeds = [seed for number in range(3) for seed in epoch(some, number)[1]]
    assert len(set(seeds)) == 3 * 48
    assert epoch(some, 0)[0] != epoch(steps(seed=2), 0)[0]
    assert not set(seeds) & set(epoch(steps(seed=2), 0)[1])


@pytest.mark.parametrize("size", [2, 3, 4])
def test_processes_share_what_one_would_see(size):
    whole = steps(seed=3)
    shares = [steps(seed=3, world=World(rank, size)) for rank in range(size)]
    for step in range(len(whole)):
        parts = [share[step] for share in shares]
        assert {len(indices) for indices, _ in parts} == {12 // size}
        for one, several in zip(whole[step], zip(*parts, strict=True), strict=True):
            assert one.equal(torch.cat(several))


def test_a_limit_keeps_some_images_drawn_by_the_seed():
    some = steps(seed=4, limit=24)
    assert set(epoch(some, 0)[0]) == set(epoch(some, 2)[0]) == set(some.kept.tolist())
    assert len(some.kept) == 24 and set(some.kept.tolist()) != set(range(24))
    assert some.kept.tolist() != steps(seed=5, limit=24).kept.tolist()


def test_a_limit_beyond_the_set_is_the_set():
    some = steps(count=24, limit=10**9)
    assert len(some.kept) == 24 and len(some) == 3 * 2


def test_batches_that_cannot_be():
    with pytest.raises(ValueError, match="11 training images do not fill a batch of 12"):
        steps(count=11)
    with pytest.raises(ValueError, match="batch_size=12 is not shared evenly by 5 processes"):
        steps(world=World(0, 5))


def test_neighbouring_keys_give_other_streams():
    keys = [(seed, kind, step) for seed in range(3) for kind in range(3) for step in range(40)]
    drawn = torch.stack([torch.rand(8, generator=generator(*key)) for key in keys])
    assert len(drawn.unique(dim=0)) == len(keys)
    assert drawn[keys.index((1, 2, 3))].equal(torch.rand(8, generator=generator(1, 2, 3)))
    neighbours = torch.corrcoef(torch.stack([drawn[:-1].flatten(), drawn[1:].flatten()]))[0, 1]
    assert neighbours.abs() < 0.1  # 2880 pairs: 0.02 is a standard deviation


PRINT = """
import hashlib
from tests.train.test_batches import steps
some = steps(seed=9)
print(hashlib.sha256(repr([[t.tolist() for t in some[i]] for i in range(len(some))]).encode()).hexdigest())
"""


def test_nothing_depends_on_the_process():
    """Another interpreter, with another hash seed, and this one."""
    root = Path(__file__).parents[2]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PRINT], cwd=root, env={**os.environ, "PYTHONHASHSEED": seed}, stdout=subprocess.PIPE
        )
        for seed in ("1", "2")
    ]
    found = {process.communicate()[0].decode() for process in processes}
    assert len(found) == 1 and len(found.pop().strip()) == 64


def same(one, other):
    pairs = list(zip(one, other, strict=True))
    assert pairs and all(a.equal(b) for pair in pairs for a, b in zip(*pair, strict=True))


def test_workers_prepare_what_the_process_itself_would(tmp_path):
    images = ImageFolder(image_folder(tmp_path) / "train", 28, rand_augment())
    recipe = Recipe(epochs=2, batch_size=8)
    torch.manual_seed(1)
    alone = list(Steps(images, recipe, World()).loader(1, workers=0))
    torch.manual_seed(2)
    helped = list(Steps(images, recipe, World()).loader(1, workers=2))
    assert len(alone) == 2 * 3 - 1
    same(alone, helped)


def test_the_loader_goes_on_from_a_step():
    some = Steps(coloured(), Recipe(epochs=2, batch_size=8), World())
    whole = list(some.loader(0, workers=0))
    assert len(whole) == 6
    same(whole[4:], some.loader(4, workers=0))
    assert list(some.loader(6, workers=0)) == []


def test_a_set_with_its_view_can_go_to_another_process(tmp_path):
    """Where processes are not forked, workers get a pickle."""
    images = ImageFolder(image_folder(tmp_path) / "train", 28, rand_augment())
    some = Steps(images, Recipe(epochs=1, batch_size=8), World())
    same([some[0]], [pickle.loads(pickle.dumps(some))[0]])
