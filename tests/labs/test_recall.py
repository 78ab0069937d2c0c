"""RecallLab's traits, what it stores, and the numbers that it tells of it."""

import numpy as np
import pytest
import torch
from traitlets import TraitError

from flatten_edu.data import centre_square, photo
from flatten_edu.labs import RecallLab
from flatten_edu.labs.frame.tensors import unpack
from flatten_edu.publish.mount import split_state


def test_stores_the_photograph_s_patches():
    lab = RecallLab(side=7)
    q, k, v = lab.memory()
    assert q.shape == k.shape == (49, 64) and v.shape == (49, 20 * 20 * 3)
    picture = torch.tensor(photo("chelsea", 140)) / 255
    torch.testing.assert_close(v[8].reshape(20, 20, 3), picture[20:40, 20:40].double())  # second row, second column
    torch.testing.assert_close(lab.as_picture(v), picture.double())
    assert (q - k).std().item() == pytest.approx(0.3, abs=0.01) and k.std().item() == pytest.approx(1, abs=0.02)


def test_takes_the_reader_s_own_photograph():
    image = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    lab = RecallLab(image=image)
    assert unpack(lab.picture)["picture"].equal(torch.tensor(centre_square(image, 140)))


def test_takes_the_reader_s_own_tensors():
    q, k, v = torch.randn(3, 12, 8)
    lab = RecallLab(q=q.requires_grad_(), k=k.numpy(), v=v.tolist(), grid=(3, 4), length=2, kernel="mean")
    found = lab.memory()
    assert [x.equal(y.detach().double()) for x, y in zip(found, (q, 2 * k, v), strict=True)] == [True] * 3
    assert lab.recall().out.shape == (12, 8) and lab.grid == (3, 4)
    assert set(split_state(lab)[1]) == {"picture", "tokens"}
    assert RecallLab(q=torch.ones(9, 2), k=torch.ones(9, 2), v=torch.ones(9, 5)).grid == (3, 3)


@pytest.mark.parametrize(
    ("shapes", "grid", "error", "words"),
    [
        ({"q": (9, 2), "k": (9, 2)}, None, TypeError, "q, k and v together, got q and k alone"),
        ({"q": (9, 3), "k": (9, 2), "v": (9, 5)}, None, ValueError, r"of one shape .*'q': \(9, 3\)"),
        ({"q": (9, 2), "k": (9, 2), "v": (8, 5)}, None, ValueError, r"of as many rows.*'v': \(8, 5\)"),
        (
            {"q": (8, 2), "k": (8, 2), "v": (8, 5)},
            None,
            ValueError,
            r"grid \(2, 2\) has 4 cells, but RecallLab got 8 tokens",
        ),
        ({"q": (8, 2), "k": (8, 2), "v": (8, 5)}, (3, 3), ValueError, r"pass grid=\(rows, columns\)"),
        ({"q": (300, 2), "k": (300, 2), "v": (300, 5)}, None, TraitError, "at most 256 x 1024"),
    ],
)
def test_refuses_tensors_that_do_not_fit(shapes, grid, error, words):
    with pytest.raises(error, match=words):
        RecallLab(**{name: torch.ones(shape) for name, shape in shapes.items()}, grid=grid)


def test_what_the_book_says_of_the_first_view():
    lab = RecallLab()
    found = {p: lab.recall("focused", p) for p in (1, 3, 32)}
    assert [round(one.weight, 3) for one in found.values()] == [0.015, 0.040, 0.181]
    assert [round(one.correlation, 2) for one in found.values()] == [0.49, 0.47, 0.35]
    assert [round(100 * found[p].contrast, 1) for p in (1, 3)] == [2.2, 7.9]
    softmax = lab.recall("softmax")
    assert (round(softmax.weight, 3), round(softmax.correlation, 2)) == (0.852, 0.99)


def test_without_a_convolution_the_order_of_asking_changes_nothing():
    lab = RecallLab(values="noise", side=7)
    in_place = lab.recall("focused")
    lab.asked = "in another order"
    assert lab.recall("focused").out.equal(in_place.out)


@pytest.mark.parametrize("kernel", ["own place", "mean", "random"])
def test_the_convolution_knows_places_alone(kernel):
    """Asked in another order, each answer gets what the convolution has at the place where it was asked."""
    lab = RecallLab(values="noise", side=7, kernel=kernel)
    plain = RecallLab(values="noise", side=7).recall("softmax").out
    local = lab.recall("softmax").out - plain
    lab.asked = "in another order"
    moved = lab.recall("softmax").out - plain
    order = torch.cdist(moved, local).argmin(1)  # the place whose share each answer has
    assert sorted(order.tolist()) == list(range(49)) and (order == torch.arange(49)).sum() < 10
    torch.testing.assert_close(moved, local[order])
    if kernel == "own place":
        torch.testing.assert_close(local, lab.memory()[2])


def test_locality_is_not_memory():
    lab = RecallLab(removed=True, kernel="own place")
    assert round(lab.recall("focused").correlation, 2) == 1.00
    lab.asked = "in another order"
    assert round(lab.recall("focused").correlation, 2) == 0.01


def test_length_moves_softmax_alone():
    lab = RecallLab(side=7, values="noise")
    weights = {}
    for length in (0.25, 1.0, 4.0):
        lab.length = length
        weights[length] = [lab.recall(kind).weight for kind in ("softmax", "focused")]
    assert weights[0.25][0] < weights[1.0][0] < weights[4.0][0]
    assert [w[1] for w in weights.values()] == pytest.approx([weights[1.0][1]] * 3)
