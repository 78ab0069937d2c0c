"""ReorderLab's traits: what they take, what they refuse."""

import numpy as np
import torch

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
