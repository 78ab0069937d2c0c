"""The formula against float64 loops: outputs, gradients, rows of every kind, and every dtype."""

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from flatten_edu.functional import EPS, FocusedSettings, focused_attention
from tests.functional.loops import focused_map_loop, linear_attention_loop
from tests.helpers import assert_twins, tokens


def loops(q, k, v, scale, settings, key_mask=None):
    """Token by token, and head by head after the norms: equations 5, 6 and 12 as they are printed."""
    h = settings.num_heads

    def heads(t):
        return t.unflatten(-1, (h, -1)).unbind(-2)

    def phi(t):
        r = (t.relu() + settings.eps) / scale.reshape(-1)
        if settings.norm_over == "head":
            return [focused_map_loop(head, settings.p) for head in heads(r)]
        return heads(focused_map_loop(r, settings.p))

    images = []
    for i in range(len(q)):
        mask = None if key_mask is None else key_mask[i]
        each = zip(phi(q[i]), phi(k[i]), heads(v[i]), strict=True)
        images.append(torch.cat([linear_attention_loop(*one, mask, eps=settings.eps) for one in each], -1))
    return torch.stack(images)


def both(settings, key_mask=None):
    """The fast function and the loops, of the same four tensors."""
    return (
        lambda *t: focused_attention(*t, settings, key_mask),
        lambda *t: loops(*t, settings, key_mask),
    )


def problem(seed, images, n, m, c, size=1.0):
    """q, k, v and a positive scale, in float64."""
    q, k, v, scale = tokens(seed, (images, n, c), (images, m, c), (images, m, c), (1, 1, c))
    return [size * q, size * k, v, scale.abs() + 0.2]


@given(
    st.sampled_from([(1, 1), (1, 5), (3, 2), (2, 3)]),
    st.tuples(st.integers(1, 2), st.integers(1, 5), st.integers(1, 5)),
    st.sampled_from([0.5, 1, 2, 2.5, 3, 4, 8, 32]),
    st.sampled_from(["channels", "head"]),
    st.integers(0, 10**6),
)
@example((3, 2), (2, 4, 5), 3, "channels", 0)
def test_outputs_and_gradients_are_those_of_the_loops(heads, sizes, p, norm_over, seed):
    eps = EPS if p < 32 else 1e-3  # the loops take powers as printed: squares of (1e-6)^32 leave float64
    settings = FocusedSettings(heads[0], p, norm_over, eps)
    inputs = problem(seed, *sizes, heads[0] * heads[1])
    mask = torch.rand(sizes[0], sizes[2], generator=torch.Generator().manual_seed(seed)) < 0.7
    for key_mask in (None, mask):
        assert_twins(*both(settings, key_mask), inputs, torch.float64)


@pytest.mark.parametrize(
    ("p", "size", "scale", "says"),
    [
        (3, 1e4, 1.0, "powers of large entries"),
        (3, 1e-4, 1.0, "powers of small entries"),
        (3, 1e8, 1.0, "squares of cubes of 1e8 leave float32 above"),
        (4, 1.0, 1e3, "squares of (1e-6 / 1e3)^4 leave it below, where no entry is positive"),
        (32, 1e3, 1.0, "32nd powers"),
    ],
)
def test_in_float32_rows_of_any_length_are_mapped_exactly(p, size, scale, says):
    q, k, v, one = problem(9, 1, 9, 9, 100, size)
    q[:, :3], k[:, :3] = -size, -size  # rows without a positive entry
    inputs = [q, k, v, 0 * one + scale]
    exact, rounded = ([t.to(dtype).requires_grad_() for t in inputs] for dtype in (torch.float64, torch.float32))
    settings = FocusedSettings(4, p)
    wanted, found = focused_attention(*exact, settings), focused_attention(*rounded, settings)
    cotangent = torch.linspace(-1, 1, wanted.numel(), dtype=torch.float64).reshape(wanted.shape)
    pairs = [(found, wanted)]
    gradients = torch.autograd.grad(found, rounded, cotangent.float()), torch.autograd.grad(wanted, exact, cotangent)
    for one, other in [*pairs, *zip(*gradients, strict=True)]:
        assert one.isfinite().all(), says
        assert (one.double() - other).norm() <= 1e-4 * other.norm(), says


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_in_and_out(dtype):
    inputs, settings = problem(5, 2, 17, 17, 16), FocusedSettings(2)
    found = focused_attention(*(t.to(dtype) for t in inputs), settings)
    wanted = focused_attention(*inputs, settings)
    assert found.dtype == dtype
    assert ((found.double() - wanted).norm() / wanted.norm()).item() < (0.005 if dtype == torch.float16 else 0.03)


def test_its_gradient_has_a_gradient():
    settings = FocusedSettings(2, norm_over="head")
    inputs = [t.requires_grad_() for t in problem(2, 1, 3, 3, 6)]
    assert torch.autograd.gradgradcheck(lambda *t: focused_attention(*t, settings), inputs)


def test_inputs_stay_as_they_are():
    inputs = problem(4, 2, 5, 5, 12)
    before = [t.clone() for t in inputs]
    focused_attention(*inputs, FocusedSettings(3))
    assert all(t.equal(b) for t, b in zip(inputs, before, strict=True))
