"""Attention modules: the authors' order of operations, masks, half precision, compile and export, bad input."""

from copy import deepcopy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from flatten_edu.functional import published_attention
from flatten_edu.nn import (
    ATTENTIONS,
    DropPath,
    FocusedLinearAttention,
    HydraAttention,
    LinearAngularAttention,
    LinearAttention,
    SoftmaxAttention,
    make_attention,
)

KINDS = sorted(ATTENTIONS)


def randomised(module, seed=0, spread=0.5):
    """Every parameter drawn anew, so that nothing hides behind a zero at the start."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * spread)
    return module


def published(module):
    """The authors' order of operations with the same parameters, in float64."""
    args = (module.dim, module.num_heads, module.grid, module.class_token)
    exact = FocusedLinearAttention(*args, p=module.p, dwc=module.dwc is not None, backend="published").double()
    exact.load_state_dict(module.state_dict())
    return exact


def gradients(module, x, cotangent):
    """By name: the input's and the parameters'."""
    x = x.double().requires_grad_()
    of = {"x": x, **dict(module.named_parameters())}
    return dict(zip(of, torch.autograd.grad(module(x), list(of.values()), cotangent), strict=True))


@settings(max_examples=40)
@given(
    st.sampled_from([(1, 8), (3, 4), (6, 2)]),
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    st.booleans(),
    st.sampled_from([0.5, 1, 2, 2.5, 3, 4, 8, 32]),
    st.integers(0, 10**6),
)
def test_is_the_published_module_from_a_random_state_dict(shape, grid, class_token, p, seed):
    num_heads, d = shape
    module = FocusedLinearAttention(num_heads * d, num_heads, grid, class_token, p=p)
    randomised(module, seed)
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2, module.tokens, module.dim, generator=generator)
    exact = published(module)
    wanted = exact(x.double())
    torch.testing.assert_close(module(x).double(), wanted, rtol=1e-5, atol=1e-5 * wanted.abs().max().item())
    cotangent = torch.randn(x.shape, dtype=torch.float64, generator=generator)
    for name, gradient in gradients(exact, x, cotangent).items():
        found = gradients(deepcopy(module).double(), x, cotangent)[name]
        scale = gradient.abs().max().clamp(min=1e-6)
        torch.testing.assert_close(found / scale, gradient / scale, rtol=1e-5, atol=1e-6)


def test_norms_per_head_are_another_function_and_the_paper_s_equation():
    per_head = randomised(FocusedLinearAttention(12, 3, (2, 2), norm_over="head"))
    x = torch.randn(1, 5, 12)
    heads = per_head.heads(x)
    scale = torch.nn.functional.softplus(per_head.scale)
    expected = ((heads.q + 0).relu() + 1e-6) / per_head.split(scale)
    torch.testing.assert_close(heads.phi_q.norm(dim=-1), expected.norm(dim=-1))
    over_channels = FocusedLinearAttention(12, 3, (2, 2))
    over_channels.load_state_dict(per_head.state_dict())
    assert not torch.allclose(over_channels(x), per_head(x))


@pytest.mark.parametrize("kind", KINDS)
def test_a_masked_token_does_not_count_as_a_key(kind):
    module = randomised(make_attention(kind, 8, 2, (1, 3)))
    x = torch.randn(1, 4, 8)
    mask = torch.tensor([[True, True, True, False]])
    changed = x.clone()
    changed[0, 3] = 100.0
    torch.testing.assert_close(module(x, mask)[:, :3], module(changed, mask)[:, :3])
    assert kind == "none" or not torch.allclose(module(x)[:, :3], module(changed)[:, :3])


@pytest.mark.parametrize("kind", KINDS)
def test_weights_times_values_are_what_attention_sums(kind):
    module = randomised(make_attention(kind, 8, 2, (2, 3)))
    heads = module.heads(torch.randn(2, 7, 8))
    out = module.weights(heads) @ heads.v
    if isinstance(module, LinearAngularAttention):
        assert (
            torch.nn.functional.cosine_similarity(out, module.attend(heads) - module.dconv(heads.v), dim=-1).min()
            > 0.999
        )
        return
    if getattr(module, "dwc", None) is not None:
        image = heads.v[:, :, 1:].mT.reshape(4, 4, 2, 3)
        local = module.dwc(image).reshape(2, 2, 4, 6).mT
        out = out + torch.nn.functional.pad(local, (0, 0, 1, 0))
    torch.testing.assert_close(out, module.attend(heads), rtol=1e-4, atol=1e-4)


def test_hydra_is_one_head_a_channel_and_each_map_has_rank_1():
    module = randomised(HydraAttention(6, 3, (2, 2)))
    weights = module.weights(module.heads(torch.randn(1, 5, 6)))
    assert weights.shape == (1, 6, 5, 5)
    assert (torch.linalg.matrix_rank(weights) == 1).all()


@pytest.mark.parametrize("grid", [(5,), (2, 3), (2, 1, 3)])
@pytest.mark.parametrize("class_token", [True, False])
def test_focused_attention_on_grids_of_one_to_three_sides(grid, class_token):
    module = FocusedLinearAttention(8, 2, grid, class_token, kernel_size=3)
    x = torch.randn(2, module.tokens, 8)
    assert module(x).shape == x.shape


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize(("n", "p", "size"), [(196, 3, 1.0), (16384, 3, 1e3), (16384, 32, 1e3), (784, 8, 1e-3)])
def test_half_precision_has_no_nan_forward_or_backward(dtype, n, p, size, measured):
    torch.manual_seed(0)
    module = FocusedLinearAttention(16, 2, (n,), class_token=False, p=p)
    exact = FocusedLinearAttention(16, 2, (n,), class_token=False, p=p).double()
    exact.load_state_dict(module.state_dict())
    module = module.to(dtype)
    x = (size * torch.randn(1, n, 16)).to(dtype).requires_grad_()
    out = module(x)
    out.float().square().mean().backward()
    gradients = [x.grad, *(parameter.grad for parameter in module.parameters())]
    assert out.isfinite().all() and all(g.isfinite().all() for g in gradients)
    wanted = exact(x.detach().double())
    error = ((out.double() - wanted).norm() / wanted.norm()).item()
    measured(
        f"focused module, {str(dtype)[6:]}, N = {n}, p = {p}, |x| ~ {size:g}", f"error {error:.1e} of float64's output"
    )
    assert error < {torch.float16: 0.02, torch.bfloat16: 0.15}[dtype]


def test_the_plain_transcription_overflows_where_ours_does_not():
    """Power first, sum over n unscaled: infinities in fp16 at an ordinary size."""
    module = randomised(FocusedLinearAttention(64, 1, (14, 14), class_token=False, p=8)).half()
    x = 4 * torch.randn(1, 196, 64).half()
    layers = (module.qkv, module.dwc, module.proj, module.positional_encoding, module.scale)
    plain = published_attention(x, *layers, 1, (14, 14), p=8, fp16_fix=False)
    assert not plain.isfinite().all()
    assert module(x).isfinite().all()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SoftmaxAttention(10, 3, (2, 2)), "num_heads that divides dim, got dim=10, num_heads=3"),
        (
            lambda: FocusedLinearAttention(8, 2, (2, 2), kernel_size=4),
            r"odd sides, so that it has a middle, got \(4,\)",
        ),
        (lambda: FocusedLinearAttention(8, 2, (2, 2), p=0), "finite focusing factor p > 0, got p = 0"),
        (lambda: FocusedLinearAttention(8, 2, (2, 2), norm_over="heads"), "'channels' or 'head', got 'heads'"),
        (lambda: LinearAttention(8, 2, (2, 2), feature_map="gelu"), "no feature map 'gelu'; there are efficient"),
        (lambda: SoftmaxAttention(8, 2, (0, 2)), r"sides of at least 1, got \(0, 2\)"),
        (lambda: SoftmaxAttention(8, 2, 14), "a grid of one to three sides of at least 1, got 14"),
        (lambda: FocusedLinearAttention(8, 2, (1, 1, 1, 1)), "one to three sides"),
        (
            lambda: FocusedLinearAttention(8, 2, (2, 2))(torch.ones(1, 5, 8), torch.ones(1, 5)),
            r"a boolean key_mask \(1, 5\)",
        ),
        (lambda: SoftmaxAttention(8, 2, (2, 2))(torch.ones(2, 5, 8), torch.ones(5) > 0), r"got torch.bool \(5,\)"),
        (lambda: make_attention("focused_dwc", 8, 2, (2, 2), settings={"kernelsize": 3}), "no setting 'kernelsize'"),
        (lambda: DropPath(1.0), "rate from 0 to below 1, got 1.0"),
        (lambda: make_attention("flash", 8, 2, (2, 2)), "no attention 'flash'; there are angular, dwc, efficient"),
        (
            lambda: SoftmaxAttention(8, 2, (2, 2))(torch.ones(1, 4, 8)),
            r"4 cells and a class token, .* 4 tokens: pass class_token=False\?",
        ),
        (
            lambda: SoftmaxAttention(8, 2, (2, 2), False)(torch.ones(1, 5, 8)),
            r"has 4 cells, .* 5 tokens: pass class_token=True\?",
        ),
        (lambda: SoftmaxAttention(8, 2, (2, 2))(torch.ones(1, 5, 9)), r"tokens \[B, N, 8\], got \(1, 5, 9\)"),
    ],
)
def test_says_what_was_wanted_and_what_came(readers_view, make, words):
    with pytest.raises(ValueError, match=words):
        make()
