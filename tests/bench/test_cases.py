"""What is timed computes what its name says, and needs what its counts say."""

from itertools import pairwise

import pytest
import torch
from torch.nn import functional as F

from flatten_edu.bench import VARIANTS, Settings, settings
from flatten_edu.bench.cases import Case, cases, grid_of
from flatten_edu.bench.variants import WindowAttention, WrittenOutSoftmax
from flatten_edu.nn import SoftmaxAttention

CPU = Settings(device="cpu")


def case(variant, what="module", passes="forward", n=196, pixels=None, **settings):
    return Case(variant, what, passes, n, Settings(device="cpu", **settings), pixels)


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name != "triton" and not name.endswith("_compiled")])
def test_each_runs_forward_and_backward(variant):
    """Compiled ones are timed in a process of their own, by the command's test."""
    settings = {"n": 98, "heads": 2, "head_dim": 4, "batch": 2}
    call, (x, *_) = case(variant, **settings).build()
    assert call().shape == x.shape == (2, 98, 8) and not x.requires_grad
    call, (again, *rest) = case(variant, passes="forward+backward", **settings).build()
    assert torch.equal(x, again)  # all see the same input
    assert len(call()) == len(rest)  # the input's gradient and the parameters'; the last of the rest is the output's


def test_softmax_written_out_is_softmax():
    fused, written = (kind(12, 3, (4, 5), class_token=False) for kind in (SoftmaxAttention, WrittenOutSoftmax))
    written.load_state_dict(fused.state_dict())
    x = torch.randn(2, 20, 12)
    torch.testing.assert_close(written(x), fused(x))


def test_windows_are_softmax_with_a_mask():
    module = WindowAttention(12, 3, (14, 21))
    x = torch.randn(2, 14 * 21, 12)
    rows, columns = torch.meshgrid(torch.arange(14) // 7, torch.arange(21) // 7, indexing="ij")
    window = (3 * rows + columns).flatten()
    q, k, v = module.inner.qkv(x).unflatten(-1, (3, 3, 4)).permute(2, 0, 3, 1, 4)
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=window[:, None] == window)
    torch.testing.assert_close(module(x), module.inner.proj(out.transpose(1, 2).flatten(2)))


def test_windows_refuse_a_grid_that_they_do_not_cut():
    with pytest.raises(ValueError, match=r"a grid of 10 x 14 tokens is not made of whole 7 x 7 windows"):
        WindowAttention(12, 3, (10, 14))
    assert case("window", n=100).multiply_adds == 0  # its point has a count all the same


@pytest.mark.parametrize(
    ("variant", "core"),
    [
        ("softmax_written_out", 2 * 196**2 * 192),
        ("softmax", 2 * 196**2 * 192),
        ("window", 2 * 196 * 49 * 192),
        ("relu", 2 * 196 * 64 * 192),
        ("triton", (2 * 64 + 25) * 196 * 192),  # with the convolution
        ("hydra", 2 * 196 * 192),
    ],
)
def test_multiply_adds_are_those_of_the_products(variant, core):
    """Within 0.2 %: denominators are products with a vector more."""
    assert case(variant).multiply_adds == pytest.approx(core + 4 * 196 * 192**2, rel=0.002)


def test_multiply_adds_of_a_model():
    blocks = 12 * (2 * 197**2 * 192 + 12 * 197 * 192**2)
    wanted = 196 * 3 * 16**2 * 192 + blocks + 1000 * 192
    assert case("deit_tiny", "model", n=197, pixels=224).multiply_adds == wanted


def test_training_and_batches_multiply():
    one = case("softmax").multiply_adds
    assert case("softmax", passes="forward+backward").multiply_adds == 3 * one
    assert case("softmax", batch=4).multiply_adds == 4 * one


def test_bytes_are_each_number_once():
    tokens, weights = 196 * 192, 4 * 192**2 + 4 * 192
    assert case("softmax").bytes_moved == 4 * (2 * tokens + weights)
    assert case("softmax", dtype="bfloat16").bytes_moved == 2 * (2 * tokens + weights)
    # Twice the input, the output and its gradient, the input's gradient; the weights twice and their gradients.
    assert case("softmax", passes="forward+backward").bytes_moved == 4 * (5 * tokens + 3 * weights)
    model = case("deit_tiny", "model", n=197, pixels=224)
    assert model.bytes_moved == 4 * (5_717_416 + 48 * 197 * 192 + 3 * 224**2 + 1000)


def test_only_the_written_out_softmax_needs_room_for_maps():
    assert case("softmax_written_out", n=12544).map_bytes == 2 * 3 * 12544**2 * 4
    assert case("softmax_written_out", passes="forward+backward", n=784).map_bytes == 4 * 3 * 784**2 * 4
    assert case("softmax", n=12544).map_bytes == 0 == case("flatten_deit_tiny", "model", n=197, pixels=224).map_bytes


@pytest.mark.parametrize(("n", "grid"), [(49, (7, 7)), (50, (5, 10)), (7, (1, 7)), (1, (1, 1)), (3136, (56, 56))])
def test_the_grid_is_the_nearest_to_a_square(n, grid):
    assert grid_of(n) == grid


def test_cases_of_one_size_stand_together_and_models_run_forward():
    found = cases(
        Settings(
            device="cpu", tokens=(784, 49), pixels=(448, 224), what=("model", "module"), variants=("softmax", "relu")
        )
    )
    groups = [(one.what, one.passes, one.n) for one in found]
    assert len(set(groups)) == 2 + 4 == 1 + sum(a != b for a, b in pairwise(groups))
    assert [one.n for one in found if one.what == "model"] == [197] * 4 + [785] * 4
    assert {one.passes for one in found if one.what == "model"} == {"forward"}
    assert [one.n for one in found if one.variant == "softmax"] == [49, 784, 49, 784]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"variants": ("fcused",)}, "there is no variant 'fcused'; there are angular, efficient, focused_dwc"),
        ({"what": ("layer",)}, "there is no kind of case 'layer'; there are model, module"),
        ({"passes": ("backward",)}, "there is no kind of pass 'backward'"),
        ({"dtype": "half"}, "there is no dtype 'half'; there are bfloat16, float16"),
        ({"tokens": (49, 0)}, "N counts tokens from 1, got 0"),
        ({"pixels": (230,)}, "a multiple of 16 pixels, the models' patch; got 230"),
        ({"heads": 0}, "needs heads above 0, got 0"),
        ({"threads": 0}, "needs threads above 0"),
        ({"budget": 0.0}, "needs budget above 0, got 0.0"),
        ({"what": ("model",), "heads": 6}, "DeiT-T has 3 heads of 64 features"),
        ({"device": "cuda"}, "PyTorch finds no cuda device here; there is cpu"),
    ],
)
def test_what_is_wrong_with_settings(monkeypatch, wrong, said):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ValueError, match=said):
        Settings(**{"device": "cpu", **wrong})


def test_compiled_variants_need_a_compiler_and_kernels_a_gpu(monkeypatch):
    compiled = {name for name in VARIANTS if name.endswith("_compiled")}
    monkeypatch.setattr(settings, "compiler", lambda: "/usr/bin/g++")
    assert set(CPU.chosen) == set(VARIANTS) - {"triton"}
    monkeypatch.setattr(settings, "compiler", lambda: None)
    assert set(CPU.chosen) == set(VARIANTS) - {"triton"} - compiled
    assert set(CPU.cases_of_models) == {"deit_tiny", "flatten_deit_tiny"}
    assert Settings(device="cpu", variants=("triton",)).chosen == ("triton",)
