"""The plain transcription is the published module, and ours: outputs and gradients."""

import inspect

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from flatten_edu.bench import PlainFocusedAttention
from flatten_edu.functional.reference import published_focused_attention
from flatten_edu.nn import FocusedLinearAttention
from tests.nn.test_attention import randomised


def gradients(module, x, cotangent):
    """By name: the input's and the parameters'."""
    of = {"x": x, **dict(module.named_parameters())}
    return dict(zip(of, torch.autograd.grad(module(x), list(of.values()), cotangent), strict=True))


@settings(max_examples=30)
@given(
    st.sampled_from([(1, 8), (3, 4), (6, 2)]),
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    st.sampled_from([1, 2, 3, 4, 8, 2.5]),
    st.sampled_from([3, 5]),
    st.integers(0, 10**6),
)
def test_three_writings_of_one_module(shape, grid, p, kernel_size, seed):
    heads, d = shape
    plain = randomised(PlainFocusedAttention(heads * d, heads, grid, p, kernel_size).double(), seed)
    ours = FocusedLinearAttention(heads * d, heads, grid, False, p=p, kernel_size=kernel_size).double()
    ours.load_state_dict(plain.state_dict())
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2, grid[0] * grid[1], heads * d, dtype=torch.float64, generator=generator).requires_grad_()
    out = plain(x)
    published = published_focused_attention(x, plain.state_dict(), heads, grid, p)
    torch.testing.assert_close(out, published, rtol=1e-9, atol=1e-9 * published.abs().max().item())
    torch.testing.assert_close(ours(x), out, rtol=1e-5, atol=1e-9 * out.abs().max().item())
    cotangent = torch.randn(out.shape, dtype=torch.float64, generator=generator)
    wanted, found = (gradients(module, x, cotangent) for module in (plain, ours))
    for name, gradient in wanted.items():
        scale = gradient.abs().max().clamp(min=1e-6)
        torch.testing.assert_close(found[name] / scale, gradient / scale, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("p", [3, 8])
def test_float32(p):
    plain = randomised(PlainFocusedAttention(192, 3, (14, 14), p), spread=0.2)
    ours = FocusedLinearAttention(192, 3, (14, 14), False, p=p)
    ours.load_state_dict(plain.state_dict())
    x = torch.randn(2, 196, 192)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), plain(x), rtol=1e-4, atol=1e-4 * plain(x).abs().max().item())


def test_it_calls_nothing_of_ours():
    """What ours is timed against must not become faster, or slower, with ours."""
    source = inspect.getsource(inspect.getmodule(PlainFocusedAttention))
    assert "flatten_edu" not in source
