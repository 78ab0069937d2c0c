"""The depthwise convolution against its loop, its matrix, and the wrapped matrix of the public visualisation."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from flatten_edu.functional import depthwise_conv, dwc_matrix, wrapped_dwc_matrix
from tests.functional.loops import depthwise_conv_loop
from tests.helpers import TOLERANCE, assert_twins, tokens


@st.composite
def convolutions(draw):
    """v, kernel, bias, grid, class_token: 1-D to 3-D, kernels larger than the grid among them."""
    grid = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    sides = tuple(draw(st.sampled_from([1, 3, 5])) for _ in grid)
    d, class_token = draw(st.integers(1, 3)), draw(st.booleans())
    n = torch.Size(grid).numel() + class_token
    return *tokens(draw(st.integers(0, 10**6)), (n, d), (d, *sides), (d,)), grid, class_token


@given(convolutions(), st.sampled_from([torch.float64, torch.float32]))
def test_equals_its_twin(case, dtype):
    *tensors, grid, class_token = case
    assert_twins(
        lambda *t: depthwise_conv(*t, grid, class_token),
        lambda *t: depthwise_conv_loop(*t, grid, class_token),
        tensors,
        dtype,
    )


@given(convolutions())
def test_the_matrix_is_the_convolution(case):
    v, kernel, _, grid, class_token = case
    matrix = dwc_matrix(kernel, grid, class_token)
    out = torch.einsum("dnm,md->nd", matrix, v)
    torch.testing.assert_close(out, depthwise_conv(v, kernel, None, grid, class_token), **TOLERANCE[torch.float64])
    assert dwc_matrix(kernel[0], grid, class_token).equal(matrix[0])


def test_batches_are_convolved_alike():
    v, kernel, bias = tokens(0, (2, 3, 13, 4), (4, 5, 5), (4,))
    out = depthwise_conv(v, kernel, bias, (3, 4), class_token=True)
    torch.testing.assert_close(out[1, 2], depthwise_conv(v[1, 2], kernel, bias, (3, 4), class_token=True))
    assert (out[..., 0, :] == 0).all()


def test_the_wrapped_matrix_is_wrong_where_the_image_ends():
    kernel = torch.ones(5, 5)
    wrapped, exact = wrapped_dwc_matrix(kernel, (14, 14)), dwc_matrix(kernel, (14, 14))
    wrong = wrapped != exact
    assert (wrong.sum(), wrong.any(1).sum()) == (378, 56)
    assert (exact[wrong] == 0).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"grid": (14, 14)},
            r"grid \(14, 14\) has 196 cells, but depthwise_conv got 197 tokens: pass class_token=True\?",
        ),
        (
            {"grid": (1, 197), "class_token": True},
            r"197 cells and a class token, but .* 197 tokens: pass class_token=False\?",
        ),
        ({"grid": (15, 14)}, "has 210 cells, but depthwise_conv got 197 tokens$"),
        ({"grid": (0, 3)}, r"sides of at least 1, got \(0, 3\)"),
        ({"grid": (197,)}, r"kernel of 1 sides for grid \(197,\), got \(3, 5, 5\)"),
        ({"kernel": torch.ones(3, 4, 5)}, r"kernel of odd sides, so that it has a middle, got \(4, 5\)"),
        ({"kernel": torch.ones(2, 5, 5)}, r"a kernel a channel: v has 3, the kernel is \(2, 5, 5\)"),
    ],
)
def test_says_what_was_wanted_and_what_came(readers_view, change, words):
    arguments = {"v": torch.ones(197, 3), "kernel": torch.ones(3, 5, 5), "bias": None, "grid": (14, 14)} | change
    with pytest.raises(ValueError, match=words):
        depthwise_conv(**arguments)
