"""Properties of phi_p, on vectors that hypothesis draws, and its slow twin."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from flatten_edu.functional import feature_map, focused_map, unit_rows
from tests.functional.loops import focused_map_loop
from tests.helpers import assert_twins

entries = st.one_of(st.just(0.0), st.floats(0.01, 10), st.floats(-10, -0.01))
rows = st.lists(entries, min_size=1, max_size=8)
factors = st.sampled_from([0.5, 1, 1.05, 2, 2.5, 3, 4, 8, 32])
HALF_AND_SINGLE = [torch.float16, torch.bfloat16, torch.float32]


def double(row):
    return torch.tensor(row, dtype=torch.float64)


@given(rows, factors)
def test_equals_its_slow_twin(row, p):
    assert_twins(lambda x: focused_map(x, p), lambda x: focused_map_loop(x, p), [double([row])], torch.float64)


@given(rows, factors)
def test_keeps_the_length_of_the_rectified_row(row, p):
    x = double(row)
    torch.testing.assert_close(focused_map(x, p).norm(), x.relu().norm(), rtol=1e-12, atol=0)


@given(rows, factors, st.floats(1e-3, 1e3))
def test_is_homogeneous_of_degree_one(row, p, c):
    x = double(row)
    torch.testing.assert_close(focused_map(c * x, p), c * focused_map(x, p), rtol=1e-9, atol=1e-15)


@given(rows, factors, st.randoms(use_true_random=False))
def test_is_permutation_equivariant(row, p, random):
    order = random.sample(range(len(row)), len(row))
    x = double(row)
    torch.testing.assert_close(focused_map(x[order], p), focused_map(x, p)[order], rtol=1e-12, atol=1e-15)


@given(rows, factors)
def test_keeps_the_order_of_entries(row, p):
    ascending = double(row).relu().sort().values
    assert (focused_map(ascending, p).diff() >= -1e-12).all()


@given(rows)
def test_at_p_1_is_relu(row):
    torch.testing.assert_close(focused_map(double(row), 1), double(row).relu(), rtol=1e-12, atol=0)


@given(st.lists(st.floats(0.0, 0.9), min_size=0, max_size=7), st.floats(0.1, 100))
def test_tends_to_the_axis_of_the_largest_entry(others, largest):
    x = largest * double([1.0, *others])
    axis = torch.zeros_like(x)
    axis[0] = x.norm()
    torch.testing.assert_close(focused_map(x, 256), axis, rtol=1e-6, atol=1e-9 * largest)


@pytest.mark.parametrize("dtype", HALF_AND_SINGLE)
@given(
    st.lists(st.sampled_from([0.0, 1e-7, 0.3, 1.0, 1e4, -1e4]), min_size=1, max_size=8),
    st.sampled_from([1, 3, 32, 256]),
)
def test_is_never_nan(dtype, row, p):
    x = torch.tensor(row, dtype=dtype, requires_grad=True)
    y = focused_map(x, p)
    assert y.dtype == dtype and not y.isnan().any()
    if math.dist(row, [0] * len(row)) < 6e4:
        assert y.isfinite().all()
        y.sum().backward()
        assert x.grad.isfinite().all()


@pytest.mark.parametrize("dtype", HALF_AND_SINGLE)
@pytest.mark.parametrize("p", [1, 2.5, 3, 8, 32, 256])
def test_is_close_to_float64_in_each_dtype(dtype, p, measured):
    x = torch.randn(196, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).to(dtype)
    exact = focused_map(x.double(), p)
    error = ((focused_map(x, p).double() - exact).norm() / exact.norm()).item()
    measured(f"focused_map error, {str(dtype)[6:]}, p = {p}", f"{error:.1e} relative to float64, 196 x 64 normal")
    assert error < 4 * (1 + math.log2(p)) * torch.finfo(dtype).eps


@pytest.mark.parametrize("p", [0.5, 1, 2.5, 3, 8])
def test_gradient_is_that_of_the_formula(p):
    x = torch.randn(4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: focused_map(x, p), x)


def test_leaves_its_input_alone():
    x = torch.tensor([-1.0, 2.0])
    focused_map(x, 3)
    assert x.tolist() == [-1.0, 2.0]


@pytest.mark.parametrize(
    ("x", "p", "error", "words"),
    [
        ([1.0], 0, ValueError, "finite focusing factor p > 0, got p = 0"),
        ([1.0], -3, ValueError, "p > 0, got p = -3"),
        ([1.0], math.inf, ValueError, "finite focusing factor"),
        ([1.0], math.nan, ValueError, "finite focusing factor"),
        ([1.0], "3", TypeError, "needs a number for the focusing factor p, got str"),
        ([1], 3, TypeError, r"torch.int64: call x.float\(\) first"),
        ([[1.0, math.nan]], 3, ValueError, r"finite numbers, got x\[0, 1\] = nan"),
        ([math.inf], 3, ValueError, r"x\[0\] = inf"),
    ],
)
def test_says_what_was_wanted_and_what_came(readers_view, x, p, error, words):
    with pytest.raises(error, match=words):
        focused_map(torch.tensor(x), p)


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
def test_unit_rows_have_length_one_at_any_size(size):
    x = (size * torch.tensor([[3.0, -4.0], [0.0, 0.0]])).requires_grad_()
    y = unit_rows(x)
    torch.testing.assert_close(y, torch.tensor([[0.6, -0.8], [0.0, 0.0]]))
    y.sum().backward()
    assert x.grad.isfinite().all() and (x.grad[1] == 0).all()


def test_elu1_is_positive_and_exact_where_x_is_negative():
    x = torch.tensor([[-30.0, -14.0, 0.0, 2.0]])
    phi, _ = feature_map("elu1")(x, x)
    torch.testing.assert_close(phi, torch.tensor([[math.exp(-30), math.exp(-14), 1.0, 3.0]]), rtol=1e-6, atol=0)


def test_feature_maps_check_p(readers_view):
    with pytest.raises(ValueError, match="p > 0, got p = -1"):
        feature_map("focused")(torch.ones(1, 2), torch.ones(1, 2), p=-1)
