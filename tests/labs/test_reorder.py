"""ReorderLab's traits: what they take, what they refuse."""

import numpy as np
import pytest
import torch
from traitlets import TraitError

from flatten_edu.functional import attention_cost, linear_attention
from flatten_edu.labs import ReorderLab
from flatten_edu.labs.reorder.lab import EXAMPLE


def test_the_first_view_is_deits_and_the_example_is_small_whole_numbers():
    lab = ReorderLab()
    assert (lab.n, lab.d, lab.order, lab.view, lab.at) == (196, 64, "qk_first", "scale", 0)
    assert (lab.q, lab.k, lab.v) == tuple(EXAMPLE.values())
    lab.q[0][0] = 9
    assert EXAMPLE["q"][0][0] == 1 and ReorderLab().q[0][0] == 1


def test_the_examples_numbers_are_what_the_guided_steps_say():
    assert [attention_cost(6, 3, order).multiply_adds for order in ("qk_first", "kv_first")] == [216, 108]
    q, k, v = (torch.tensor(rows).double() for rows in EXAMPLE.values())
    assert (linear_attention(q, k, v) > 0).all() and ((q @ k.mT).sum(-1) > 0).all()


def test_takes_tensors_and_arrays_and_opens_on_them():
    q, k = torch.randn(8, 4, requires_grad=True), np.ones((8, 4))
    lab = ReorderLab(q=q, k=k, v=[[0.5]] * 8)
    assert lab.view == "steps" and lab.k[0] == [1.0] * 4
    assert torch.tensor(lab.q).equal(q.detach()) and lab.v == [[0.5]] * 8
    assert ReorderLab(q=q, k=k, v=[[0.5]] * 8, view="scale").view == "scale"


def test_other_sizes_are_set_together():
    lab = ReorderLab()
    with lab.hold_trait_notifications():
        lab.q, lab.k, lab.v = [[1.0, 2.0]], [[3.0, 4.0]], [[5.0]]
    assert (lab.q, lab.v) == ([[1.0, 2.0]], [[5.0]])


def test_observers_work():
    seen = []
    lab = ReorderLab()
    lab.observe(lambda change: seen.append((change.name, change.new)), ["order", "n"])
    lab.order, lab.n = "kv_first", 4096
    assert seen == [("order", "kv_first"), ("n", 4096)]


MATRIX = "1 to 8 rows of 1 to 4 finite numbers between -1e6 and 1e6"


@pytest.mark.parametrize(
    ("trait", "value", "words"),
    [
        ("n", 3, "n to be a whole number from 4 to 16384, got 3"),
        ("n", 16385, "n to be a whole number from 4 to 16384"),
        ("d", 0, "d to be a whole number from 1 to 256, got 0"),
        ("at", -1, "at to be a whole number from 0 to 104"),
        ("step", 4, "step"),
        ("order", "auto", "order"),
        ("dtype", "float64", "dtype"),
        ("q", [[1, float("nan"), 2]] * 6, f"q to be {MATRIX}"),
        ("q", [[1, 2], [3]], f"q to be {MATRIX}"),
        ("q", [1, 2, 3], f"q to be {MATRIX}"),
        ("q", [], f"q to be {MATRIX}"),
        ("v", [[1] * 5] * 6, f"v to be {MATRIX}"),
        ("v", "abc", f"v to be {MATRIX}, got 'abc'"),
        ("q", [[1, 2, 3]] * 5, r"the same rows, .* got 'q \(5, 3\), k \(6, 3\), v \(6, 3\)'"),
        ("k", [[1, 2]] * 6, r"q and k of the same columns \(set all three\), got 'q \(6, 3\), k \(6, 2\)"),
    ],
)
def test_refuses_what_will_not_do_and_keeps_what_it_had(trait, value, words):
    lab = ReorderLab()
    before = getattr(lab, trait)
    with pytest.raises(TraitError, match=words):
        setattr(lab, trait, value)
    assert getattr(lab, trait) == before


def test_an_unknown_argument_is_a_type_error():
    with pytest.raises(TypeError, match=r"ReorderLab has no N; it takes .*\bn\b"):
        ReorderLab(N=3)
