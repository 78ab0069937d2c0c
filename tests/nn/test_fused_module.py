"""The module as it runs without gradients: the same outputs, and only where nobody could tell the difference."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from flatten_edu.functional import pieces
from flatten_edu.nn import FocusedLinearAttention, attention


def module(seed, *args, dtype=torch.float64, **kwargs):
    """Every parameter drawn at random."""
    torch.manual_seed(seed)
    built = FocusedLinearAttention(*args, **kwargs).to(dtype)
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.normal_(std=0.5)
    return built


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Cut small problems as large ones are: a single piece takes the path that a gradient takes."""
    monkeypatch.setattr(pieces, "SIZE", 2)


def without_and_with_gradients(built, x):
    """The output of the piecewise module, and that of the path which a gradient takes."""
    with torch.no_grad():
        fused = built(x)
    return fused, built(x).detach()


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([(1, 8), (3, 4), (2, 5)]),
    st.one_of(st.tuples(st.integers(1, 40)), st.tuples(st.integers(1, 7), st.integers(1, 7))),
    st.booleans(),
    st.sampled_from([1, 3, 8, 2.5]),
    st.sampled_from(["channels", "head"]),
    st.booleans(),
    st.booleans(),
    st.integers(1, 3),
    st.integers(0, 10**6),
)
def test_the_same_output_without_gradients(heads, grid, class_token, p, norm_over, dwc, qkv_bias, images, seed):
    h, d = heads
    built = module(
        seed, h * d, h, grid, class_token, p=p, norm_over=norm_over, dwc=dwc, qkv_bias=qkv_bias, kernel_size=3
    )
    x = torch.randn(images, built.tokens, built.dim, dtype=torch.float64)
    fused, plain = without_and_with_gradients(built, x)
    torch.testing.assert_close(fused, plain, rtol=1e-9, atol=1e-9 * plain.abs().max().item())


@pytest.fixture
def calls(monkeypatch):
    """How often the piecewise module ran."""
    counted = []

    def focused_module(*args):
        counted.append(1)
        return original(*args)

    original = attention.focused_module
    monkeypatch.setattr(attention, "focused_module", focused_module)
    return counted


def test_it_runs_by_default_and_leaves_x_alone(calls):
    built, x = module(0, 8, 2, (3, 3), dtype=torch.float32), torch.randn(2, 10, 8)
    before = x.clone()
    with torch.inference_mode():
        built(x)
    assert calls and x.equal(before)


def test_large_inputs_are_cut():
    built = module(1, 8, 2, (60, 50), class_token=True)
    fused, plain = without_and_with_gradients(built, torch.randn(1, 3001, 8, dtype=torch.float64))
    torch.testing.assert_close(fused, plain, rtol=1e-9, atol=1e-9)


class Doubled(torch.nn.Linear):
    """A projection that somebody changed."""

    def forward(self, x):
        return 2 * super().forward(x)


def replaced(built):
    changed = Doubled(8, 24)
    changed.load_state_dict(built.qkv.state_dict())
    built.qkv = changed


def hooked(built):
    built.proj.register_forward_hook(lambda module, inputs, out: 2 * out)


@pytest.mark.parametrize("change", [replaced, hooked])
def test_a_changed_projection_counts(change, calls):
    built, x = module(2, 8, 2, (2, 2), dtype=torch.float32), torch.randn(1, 5, 8)
    with torch.no_grad():
        before = built(x)
        change(built)
        after = built(x)
    assert len(calls) == 1
    assert not torch.allclose(before, after)


def test_half_precision_autocast_and_masks_take_the_other_path(calls):
    built, x = module(3, 8, 2, (2, 2), dtype=torch.float32), torch.randn(1, 5, 8)
    with torch.no_grad():
        built(x, torch.ones(1, 5, dtype=torch.bool))
        with torch.autocast("cpu", torch.bfloat16):
            built(x)
        built.bfloat16()(x.bfloat16())
    assert not calls
