"""The Triton kernels against their twin in float64. `test_triton_focused` starts this file in a process of its own.

Triton reads TRITON_INTERPRET when it is first imported; so these tests cannot share a process with the others. With
the variable set they run on the CPU, without it on the CUDA device.
"""

import os

import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from flatten_edu.functional import linear_attention, sharpen
from flatten_edu.functional.focused.triton import _FocusedAttention, _rows, focused_attention_triton

pytestmark = pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")  # log2(0) = -inf is meant

DEVICE = "cpu" if os.environ.get("TRITON_INTERPRET") == "1" else "cuda"
EPS = 1e-6
NAMES = ["q", "k", "v", "scale", "positional_encoding"]
# Largest difference, in units of the largest entry. bf16 rounds phi, K^T V and what is written, by 2^-9 each; fp16 only
# what is written, and on a device what is multiplied: as TF32, cut off after 10 bits.
TOLERANCE = {torch.float32: 1e-5, torch.float16: 1e-3 if DEVICE == "cpu" else 4e-3, torch.bfloat16: 2e-2}
HALF = [torch.float16, torch.bfloat16]


def twin(q, k, v, scale, encoding, num_heads, p):
    """The same formula from the library's functions for one step each."""
    phi_q, phi_k = (sharpen((t.relu() + EPS) / scale, p) for t in (q, k + encoding))
    heads = [t.unflatten(-1, (num_heads, -1)).transpose(1, 2) for t in (phi_q, phi_k, v)]
    return linear_attention(*heads, eps=EPS).transpose(1, 2).flatten(2)


def problem(shape, seed=0, dtype=torch.float32, sizes=(1.0, 1.0, 1.0)):
    """Q, k, v as slices of one tensor, scale and positional encoding, and a gradient of the output."""
    batch, n, num_heads, d = shape
    channels = num_heads * d
    generator = torch.Generator().manual_seed(seed)
    qkv = torch.randn(batch, n, 3, channels, generator=generator) * torch.tensor(sizes)[:, None]
    q, k, v = qkv.flatten(2).to(DEVICE, dtype).chunk(3, dim=-1)
    scale = torch.rand(channels, generator=generator) + 0.5
    encoding = torch.randn(1, n, channels, generator=generator) * 0.3 * sizes[1]
    g = torch.randn(batch, n, channels, generator=generator)
    return [q, k, v, scale.to(DEVICE), encoding.to(DEVICE)], g.to(DEVICE, dtype)


def run(function, inputs, g):
    """Outputs and the gradients of all inputs."""
    inputs = [t.detach().requires_grad_() for t in inputs]
    out = function(*inputs)
    return [out.detach(), *torch.autograd.grad(out, inputs, g)]


def kernels(num_heads, p):
    return lambda *inputs: focused_attention_triton(*inputs, num_heads, p, EPS)


def differences(inputs, g, num_heads, p, least):
    """Of the outputs and of each gradient, the largest difference from the twin in units of the largest entry.

    Gradients are multiplied by the largest entry of what they belong to, so that inputs of any size weigh alike. Where
    all of a gradient cancels (a single key leaves a query nothing to choose) the unit is `least`: what a mean key adds.
    """
    exact = run(lambda *t: twin(*t, num_heads, p), [t.double() for t in inputs], g.double())
    found = run(kernels(num_heads, p), inputs, g)
    assert [t.dtype for t in found] == [inputs[2].dtype, *(t.dtype for t in inputs)]
    sizes = [1.0, *(t.abs().max().item() for t in inputs)]
    return {
        name: ((a.double() - b).abs().max() * size / max(b.abs().max().item() * size, least)).item()
        for name, a, b, size in zip(["out", *NAMES], found, exact, sizes, strict=True)
    }


def assert_twins(inputs, g, num_heads, p, tolerance, least=None):
    if least is None:
        least = (inputs[2].abs().max() * g.abs().max()).item() / g.shape[1]
    found = differences(inputs, g, num_heads, p, least)
    assert max(found.values()) <= tolerance, found


SHAPES = [
    ((3, 1, 2, 3), 3),
    ((1, 1, 1, 1), 2),
    ((1, 5, 1, 1), 3),
    ((2, 5, 6, 3), 1),
    ((2, 49, 6, 32), 3),
    ((1, 197, 3, 64), 3),
    ((2, 65, 2, 80), 4),
    ((1, 65, 1, 128), 2.5),
    ((1, 49, 5, 32), 8),
    ((3, 65, 4, 3), 0.5),
    ((1, 300, 1, 16), 1.5),
    ((1, 17, 8, 120), 0.125),
]


@pytest.mark.parametrize(("shape", "p"), SHAPES)
def test_equal_their_twin(shape, p):
    inputs, g = problem(shape)
    assert_twins(inputs, g, shape[2], p, TOLERANCE[torch.float32])


def test_equal_their_twin_at_p_32():
    """Each rounding of r counts 32 times here."""
    inputs, g = problem((2, 49, 3, 32))
    assert_twins(inputs, g, 3, 32, 8 * TOLERANCE[torch.float32])


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize(("shape", "p"), [((1, 197, 3, 64), 3), ((2, 49, 2, 32), 2.5), ((1, 65, 2, 80), 4)])
def test_equal_their_twin_in_half_precision(shape, p, dtype):
    inputs, g = problem(shape, dtype=dtype)
    assert_twins(inputs, g, shape[2], p, TOLERANCE[dtype])


@settings(
    max_examples=15,
    deadline=None,
    derandomize="CI" in os.environ,
    phases=[Phase.explicit, Phase.generate],  # shrinking takes minutes under the interpreter
)
@given(
    st.tuples(st.integers(1, 3), st.integers(1, 40), st.integers(1, 6), st.integers(1, 20)),
    st.sampled_from([0.5, 1, 1.5, 2, 2.5, 3, 4, 8]),
    st.sampled_from(list(TOLERANCE)),
    st.integers(0, 10**6),
)
def test_equal_their_twin_for_any_shape(shape, p, dtype, seed):
    inputs, g = problem(shape, seed, dtype)
    assert_twins(inputs, g, shape[2], p, 3 * TOLERANCE[dtype])


@pytest.mark.parametrize(
    ("sizes", "p"),
    [
        ((1e4, 1e4, 1.0), 32),
        ((1e-4, 1e-4, 1.0), 32),
        ((1e4, 1e-4, 1e4), 3),
        ((1e-4, 1e4, 1e-4), 2.5),
        ((1e12, 1e12, 1.0), 3),
    ],
)
def test_the_size_of_rows_costs_no_digits(sizes, p):
    inputs, g = problem((2, 20, 2, 8), sizes=sizes)
    assert_twins(inputs, g, 2, p, (8 if p == 32 else 2) * TOLERANCE[torch.float32])


def test_rows_of_1e4_pass_in_fp16():
    """Their products leave fp16's range."""
    inputs, g = problem((1, 20, 2, 8), dtype=torch.float16, sizes=(1e4, 1e4, 1e3))
    assert_twins(inputs, g, 2, 3, TOLERANCE[torch.float16])


@pytest.mark.parametrize("which", [[0], [1], [0, 1]])
def test_rows_without_a_positive_entry(which):
    """Every second query or key is one; the encoding is kept off."""
    inputs, g = problem((2, 10, 2, 8))
    inputs[4].zero_()
    for i in which:
        inputs[i][:, ::2] = -inputs[i][:, ::2].abs()
    found = run(kernels(2, 3), inputs, g)
    assert all(t.isfinite().all() for t in found)
    assert all((found[1 + i][:, ::2] == 0).all() for i in which)
    assert_twins(inputs, g, 2, 3, TOLERANCE[torch.float32])


def test_only_queries_and_keys_without_a_positive_entry():
    inputs, g = problem((1, 5, 2, 8))
    inputs[0], inputs[1], inputs[4] = -inputs[0].abs(), -inputs[1].abs(), inputs[4] * 0
    assert_twins(inputs, g, 2, 3, TOLERANCE[torch.float32], least=1e-7)


def test_slices_are_read_where_they_lie_and_nothing_beside_them():
    """Between the slices stands NaN; and a copy of them gives the same bits."""
    inputs, g = problem((2, 9, 2, 5))
    wide = torch.full((2, 13, 70), torch.nan, device=DEVICE)
    slices = [wide[:, 2:11, start : start + 10] for start in (3, 23, 43)]
    for part, t in zip(slices, inputs, strict=False):
        part.copy_(t)
        assert _rows(part) is part
    for one, other in zip(run(kernels(2, 3), slices + inputs[3:], g), run(kernels(2, 3), inputs, g), strict=True):
        assert torch.equal(one, other)


def test_any_strides_will_do():
    inputs, g = problem((2, 9, 2, 5))
    turned = [t.mT.contiguous().mT if t.ndim == 3 else t for t in inputs]
    wanted = run(kernels(2, 3), inputs, g)
    found = run(kernels(2, 3), turned, g.mT.contiguous().mT)
    assert all(torch.equal(one, other) for one, other in zip(wanted, found, strict=True))
    spread = run(kernels(2, 3), inputs, g[:1, :1, :1].expand_as(g))
    wanted = run(kernels(2, 3), inputs, g[:1, :1, :1].expand_as(g).contiguous())
    assert all(torch.equal(one, other) for one, other in zip(wanted, spread, strict=True))


@pytest.mark.parametrize("dtype", list(TOLERANCE))
def test_the_same_input_gives_the_same_bits_and_is_left_alone(dtype):
    inputs, g = problem((1, 197, 2, 16), dtype=dtype)
    before = [t.clone() for t in inputs]
    first, second = (run(kernels(2, 3), inputs, g) for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))
    assert all(torch.equal(one, other) for one, other in zip(before, inputs, strict=True))


@pytest.mark.parametrize("which", range(3))
def test_a_nan_is_not_hidden(which):
    """ReLU by a plain maximum would swallow it."""
    inputs, g = problem((1, 5, 2, 4))
    inputs[which] = inputs[which].clone()
    inputs[which][0, 2, 3] = torch.nan
    out, *gradients = run(kernels(2, 3), inputs, g)
    assert out[0, 2].isnan().any()
    assert gradients[0].isnan().any()


def test_parameters_keep_their_dtype_beside_half_precision_tokens():
    """As under autocast: `differences` looks at the dtypes of the gradients."""
    inputs, g = problem((1, 5, 2, 4), dtype=torch.bfloat16)
    assert [t.dtype for t in inputs[2:]] == [torch.bfloat16, torch.float32, torch.float32]
    assert_twins(inputs, g, 2, 3, TOLERANCE[torch.bfloat16])
    inputs[3:] = [t.bfloat16() for t in inputs[3:]]
    assert_twins(inputs, g, 2, 3, TOLERANCE[torch.bfloat16])


def test_only_the_gradients_that_are_wanted():
    inputs, g = problem((1, 5, 2, 4))
    wanted = run(kernels(2, 3), inputs, g)
    inputs[0] = inputs[0].detach().requires_grad_()
    out = kernels(2, 3)(*inputs)
    assert torch.equal(torch.autograd.grad(out, inputs[0], g)[0], wanted[1])
    with torch.no_grad():
        assert not kernels(2, 3)(*inputs).requires_grad


@pytest.mark.parametrize("dtype", list(TOLERANCE))
def test_a_gradient_has_a_gradient(dtype):
    """By the twin; the scale wants none here."""
    inputs, g = problem((2, 5, 2, 4), dtype=dtype)

    def second(function, inputs, g):
        inputs = [t.detach().requires_grad_(i != 3) for i, t in enumerate(inputs)]
        wanted = [t for t in inputs if t.requires_grad]
        first = torch.autograd.grad(function(*inputs), wanted, g, create_graph=True)
        return torch.autograd.grad(sum(t.square().sum() for t in first), wanted)

    exact = second(lambda *t: twin(*t, 2, 3), [t.double() for t in inputs], g.double())
    for one, other in zip(second(kernels(2, 3), inputs, g), exact, strict=True):
        assert (one - other).abs().max() <= 5 * TOLERANCE[dtype] * other.abs().max()


def test_a_default_dtype_changes_nothing():
    inputs, g = problem((1, 5, 2, 4))
    wanted = run(kernels(2, 3), inputs, g)
    torch.set_default_dtype(torch.float64)
    try:
        found = run(kernels(2, 3), inputs, g)
    finally:
        torch.set_default_dtype(torch.float32)
    assert all(torch.equal(one, other) for one, other in zip(wanted, found, strict=True))


REFUSED = {
    "two dtypes": lambda q, k, v, s, e: (q, k.half(), v, s, e, 2, 3, EPS),
    "float64": lambda *t: (*(x.double() for x in t), 2, 3, EPS),
    "heads that do not divide C": lambda *t: (*t, 3, 3, EPS),
    "no heads": lambda *t: (*t, 0, 3, EPS),
    "p = 0.1": lambda *t: (*t, 2, 0.1, EPS),
    "p = nan": lambda *t: (*t, 2, float("nan"), EPS),
    "p without end": lambda *t: (*t, 2, float("inf"), EPS),
    "eps = 0": lambda *t: (*t, 2, 3, 0.0),
    "other keys than queries": lambda q, k, v, s, e: (q, k[:, :4], v[:, :4], s, e, 2, 3, EPS),
    "an encoding of another length": lambda q, k, v, s, e: (q, k, v, s, e[:, :4], 2, 3, EPS),
    "a scale of another length": lambda q, k, v, s, e: (q, k, v, s[:4], e, 2, 3, EPS),
    "no tokens": lambda q, k, v, s, e: (q[:, :0], k[:, :0], v[:, :0], s, e[:, :0], 2, 3, EPS),
    "a head of 129": lambda *t: (*problem((1, 5, 2, 129))[0], 2, 3, EPS),
    "another device": lambda q, k, v, s, e: (q, k, v, s.to("meta"), e, 2, 3, EPS),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_kernels_cannot_work_on_is_refused(name):
    inputs, _ = problem((1, 5, 2, 4))
    focused_attention_triton(*inputs, 2, 3, EPS)
    arguments = REFUSED[name](*inputs)
    with pytest.raises(ValueError, match="focused_attention_triton needs"):
        focused_attention_triton(*arguments)


def test_tracers_and_transforms_are_refused(monkeypatch):
    inputs, _ = problem((1, 5, 2, 4))
    with pytest.raises(ValueError, match=r"cannot be traced by torch\.compile or transformed by torch\.func"):
        torch.func.grad(lambda q: focused_attention_triton(q, *inputs[1:], 2, 3, EPS).sum())(inputs[0])
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    with pytest.raises(ValueError, match=r"cannot be traced by torch\.compile"):
        focused_attention_triton(*inputs, 2, 3, EPS)


def test_the_kernels_did_run():
    """Nothing above fell back: the function's own node is in the graph."""
    inputs, _ = problem((1, 5, 2, 4))
    inputs[0] = inputs[0].detach().requires_grad_()
    assert kernels(2, 3)(*inputs).grad_fn.name().startswith(_FocusedAttention.__name__)
