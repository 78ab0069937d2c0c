"""The fused focused attention against its steps: outputs, gradients, odd shapes, and when which one runs."""

import math

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flatten_edu.functional import FocusedShape, focused_attention, pieces
from flatten_edu.functional.focused_steps import focused_steps
from flatten_edu.functional.focused_traced import focused_traced
from flatten_edu.functional.fused_gradient import FusedAttention

GRIDS = st.one_of(
    st.tuples(st.integers(1, 9)),
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)),
)


def problem(seed, shape, d, images, kernel_size, dtype=torch.float64, size=1.0):
    """Random arguments of `focused_attention`; the convolution is left out for kernel_size 0."""
    generator = torch.Generator().manual_seed(seed)
    tokens, c = math.prod(shape.grid) + shape.class_token, shape.num_heads * d

    def draw(*sides):
        return torch.randn(*sides, dtype=torch.float64, generator=generator).to(dtype)

    kernel = (draw(d, *[kernel_size] * len(shape.grid)), draw(d)) if kernel_size else (None, None)
    arguments = [size * draw(images, tokens, 3 * c), size * draw(1, tokens, c), draw(c).abs() + 0.2, *kernel]
    return [a if a is None else a.requires_grad_() for a in arguments]


def gradients(function, arguments, shape):
    """The output, and the gradient of every argument under one fixed cotangent."""
    given = [a for a in arguments if a is not None]
    out = function(*arguments, shape)
    cotangent = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).reshape(out.shape)
    return out, *torch.autograd.grad(out, given, cotangent)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([(1, 1), (1, 8), (3, 4), (2, 5), (6, 2)]),
    GRIDS,
    st.booleans(),
    st.sampled_from([0.5, 1, 2, 2.5, 3, 4, 5, 8, 32]),
    st.sampled_from(["channels", "head"]),
    st.integers(1, 3),
    st.sampled_from([0, 1, 3, 5]),
    st.integers(0, 10**6),
)
@example((3, 4), (7, 3), True, 3, "channels", 3, 5, 0)
def test_outputs_and_gradients_are_those_of_the_steps(
    monkeypatch_pieces, heads, grid, class_token, p, norm_over, images, kernel_size, seed
):
    shape = FocusedShape(heads[0], grid, class_token, p, norm_over, 1e-6)
    arguments = problem(seed, shape, heads[1], images, kernel_size)
    wanted = gradients(focused_steps, arguments, shape)
    size, tokens = 1 + seed % 7, images * math.prod(grid)
    for function, most in ((FusedAttention.apply, tokens), (FusedAttention.apply, size), (focused_traced, size)):
        monkeypatch_pieces(most)
        several = len(pieces.pieces(shape, arguments[0])) > 1
        assert several or tokens < 2 * most or (images == 1 and grid[0] == 1)
        for one, other in zip(gradients(function, arguments, shape), wanted, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-9 * max(1.0, other.abs().max().item()))


@pytest.fixture(scope="module")
def monkeypatch_pieces():
    """Set how many tokens a piece has, so that small problems are cut as large ones are."""
    with pytest.MonkeyPatch.context() as patch:
        yield lambda size: patch.setattr(pieces, "SIZE", size)


@pytest.mark.parametrize(("size", "p"), [(1e4, 3), (1e-4, 3), (1e3, 32), (1.0, 8), (30.0, 4)])
def test_in_float32_it_is_as_exact_as_the_steps(size, p):
    shape = FocusedShape(3, (14, 14), True, p, "channels", 1e-6)
    exact = problem(1, shape, 8, 2, 5, size=size)
    wanted = gradients(focused_steps, exact, shape)
    rounded = [a.detach().float().requires_grad_() for a in exact]
    errors = [
        [((one.double() - other).norm() / other.norm()).item() for one, other in zip(found, wanted, strict=True)]
        for found in (gradients(f, rounded, shape) for f in (FusedAttention.apply, focused_traced, focused_steps))
    ]
    for fused, traced, steps in zip(*errors, strict=True):
        assert max(fused, traced) < max(4 * steps, 2e-6)


@pytest.mark.parametrize("evaluation", [FusedAttention.apply, focused_traced])
@pytest.mark.parametrize(
    ("p", "size", "scale", "says"),
    [
        (3, 1e8, 1.0, "squares of cubes of 1e8 leave float32 above"),
        (4, 1.0, 1e3, "squares of (1e-6 / 1e3)^4 leave it below, where no entry is positive"),
        (100, 0.0, 1.0, "each entry is about a tenth of its row's length"),
    ],
)
def test_rows_whose_powers_leave_float32(evaluation, p, size, scale, says):
    shape = FocusedShape(1, (3, 3), False, p, "channels", 1e-6)
    qkv, position, one, *convolution = (a.detach() for a in problem(9, shape, 100, 1, 3))
    qkv[..., :200] *= size
    # Three rows without a positive entry, or three that are nearly even, of queries and of keys.
    qkv[:, :3, :200] = -1.0 if size else torch.linspace(0.9, 1.0, 200, dtype=qkv.dtype)
    exact = [qkv, 0 * position, 0 * one + scale, *convolution]
    arguments, rounded = ([a.to(dtype).requires_grad_() for a in exact] for dtype in (torch.float64, torch.float32))
    wanted = gradients(focused_steps, arguments, shape)
    for one, other in zip(gradients(evaluation, rounded, shape), wanted, strict=True):
        assert (one.double() - other).norm() <= 1e-3 * other.norm(), says  # p = 100 cancels much of the scale's


def test_a_row_without_a_positive_entry():
    shape = FocusedShape(2, (2, 3), False, 3, "channels", 1e-6)
    arguments = problem(3, shape, 4, 1, 3)
    with torch.no_grad():
        arguments[0][0, 1] = -1.0
        arguments[1].zero_()
    for one, other in zip(
        gradients(FusedAttention.apply, arguments, shape), gradients(focused_steps, arguments, shape), strict=True
    ):
        assert one.isfinite().all()
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_in_and_out(dtype):
    shape = FocusedShape(2, (4, 4), True, 3, "channels", 1e-6)
    exact = problem(5, shape, 8, 2, 3)
    half = [exact[0].detach().to(dtype), *(a.detach().float() for a in exact[1:])]
    half = [a.requires_grad_() for a in half]
    found, wanted = gradients(FusedAttention.apply, half, shape), gradients(focused_steps, exact, shape)
    assert found[0].dtype == found[1].dtype == dtype
    for one, other in zip(found, wanted, strict=True):
        assert ((one.double() - other).norm() / other.norm()).item() < (0.005 if dtype == torch.float16 else 0.03)


def test_its_gradient_has_a_gradient():
    shape = FocusedShape(2, (2, 2), False, 3, "head", 1e-6)
    assert torch.autograd.gradgradcheck(lambda *a: FusedAttention.apply(*a, shape), problem(2, shape, 3, 1, 3))


def test_inputs_stay_as_they_are():
    shape = FocusedShape(3, (5, 5), True, 3, "channels", 1e-6)
    arguments = problem(4, shape, 4, 2, 3)
    before = [a.detach().clone() for a in arguments]
    gradients(focused_attention, arguments, shape)
    assert all(a.equal(b) for a, b in zip(arguments, before, strict=True))


def test_a_transform_of_torch_func_gets_the_steps():
    shape = FocusedShape(2, (2, 3), False, 3, "channels", 1e-6)
    qkv, *others = (a.detach() for a in problem(6, shape, 4, 3, 3))
    each = torch.func.vmap(torch.func.grad(lambda one: focused_attention(one[None], *others, shape).sum()))(qkv)
    together = qkv.clone().requires_grad_()
    focused_attention(together, *others, shape).sum().backward()
    torch.testing.assert_close(each, together.grad)


def test_backends_by_name():
    shape = FocusedShape(2, (2, 3), False, 3, "channels", 1e-6)
    arguments = problem(7, shape, 4, 1, 3)
    default, steps = focused_attention(*arguments, shape), focused_attention(*arguments, shape, backend="steps")
    assert "FusedAttention" in type(default.grad_fn).__name__
    assert "FusedAttention" not in type(steps.grad_fn).__name__
    with pytest.raises(ValueError, match=r"'fused'.*|fuzed"):
        focused_attention(*arguments, shape, backend="fuzed")


@pytest.mark.parametrize(("norm_over", "reason"), [("channels", "needs a CUDA device"), ("head", "maps over all")])
def test_triton_asked_for_where_it_cannot_work_says_why(monkeypatch, norm_over, reason):
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    shape = FocusedShape(2, (2, 3), False, 3, norm_over, 1e-6)
    arguments = problem(8, shape, 4, 1, 3, torch.float32)
    with pytest.raises(ValueError, match=reason):
        focused_attention(*arguments, shape, backend="triton")


@pytest.mark.parametrize(
    ("images", "grid", "size"), [(1, (5, 7), 14), (7, (2, 2), 9), (2, (1,), 1), (3, (4, 4), 10**6)]
)
@pytest.mark.parametrize("class_token", [True, False])
def test_pieces_cover_each_token_once(monkeypatch, images, grid, size, class_token):
    monkeypatch.setattr(pieces, "SIZE", size)
    tokens = math.prod(grid) + class_token
    seen = torch.zeros(images, tokens)
    shape = FocusedShape(1, grid, class_token, 3, "channels", 1e-6)
    for piece in pieces.pieces(shape, seen):
        piece.of(seen).add_(1)
        assert piece.of(seen).shape[1] == (piece.rows.stop - piece.rows.start) * math.prod(grid[1:]) + (
            class_token and piece.rows.start == 0
        )
    assert (seen == 1).all()
