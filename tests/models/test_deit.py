"""DeiT and FLatten-DeiT: counts, names, every kind, sizes, training, bad input."""

import itertools
from copy import deepcopy

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from flatten_edu.models import (
    DeiT,
    DeiTConfig,
    deit_base,
    deit_small,
    deit_tiny,
    flatten_deit_base,
    flatten_deit_small,
    flatten_deit_tiny,
)
from flatten_edu.nn import ATTENTIONS

SMALL = {"img_size": 32, "patch_size": 8, "num_classes": 5}


def small(attention="focused_dwc", **settings):
    return DeiT(DeiTConfig(dim=12, num_heads=3, depth=2, attention=attention, **(SMALL | settings)))


def deit_parameters(dim, depth=12, tokens=197, classes=1000, patch=16):
    block = 4 * dim + (3 * dim * dim + 3 * dim) + (dim * dim + dim) + (8 * dim * dim + 5 * dim)
    return depth * block + (3 * patch**2 * dim + dim) + dim + tokens * dim + 2 * dim + (dim * classes + classes)


def focused_extra(dim, depth=12, tokens=197, d=64, kernel=5):
    return depth * (tokens * dim + dim + d * kernel**2 + d)


@pytest.mark.parametrize(
    ("build", "count"),
    [
        (deit_tiny, 5_717_416),
        (flatten_deit_tiny, 6_193_576),
        (deit_small, deit_parameters(384)),
        (flatten_deit_small, deit_parameters(384) + focused_extra(384)),
        (deit_base, deit_parameters(768)),
        (flatten_deit_base, deit_parameters(768) + focused_extra(768)),
    ],
)
def test_counts(build, count):
    with torch.device("meta"):
        model = build()
    assert sum(parameter.numel() for parameter in model.parameters()) == count


def test_the_arithmetic_gives_the_facts_for_tiny():
    assert (deit_parameters(192), focused_extra(192)) == (5_717_416, 476_160)


@pytest.mark.parametrize(("build", "paper", "ours"), [(deit_tiny, "1.2G", 1.25), (flatten_deit_tiny, "1.1G", 1.14)])
def test_flops(build, paper, ours, measured):
    model = build().eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        model(torch.zeros(1, 3, 224, 224))
    found = counter.get_total_flops() / 2e9
    measured(
        f"FLOPs of {build.__name__} at 224", f"{found:.3f}G multiply-adds in products and convolutions (paper {paper})"
    )
    assert found == pytest.approx(ours, abs=0.01)


def test_parameters_have_timm_s_and_the_authors_names():
    block = {f"norm{i}.{part}" for i in (1, 2) for part in ("weight", "bias")}
    block |= {
        f"{layer}.{part}" for layer in ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2") for part in ("weight", "bias")
    }
    around = {"cls_token", "pos_embed", "patch_embed.proj.weight", "patch_embed.proj.bias"}
    around |= {f"{layer}.{part}" for layer in ("norm", "head") for part in ("weight", "bias")}
    names = around | {f"blocks.{i}.{name}" for i in range(12) for name in block}
    with torch.device("meta"):
        assert set(deit_tiny().state_dict()) == names
        added = {"attn.dwc.weight", "attn.dwc.bias", "attn.scale", "attn.positional_encoding"}
        state = flatten_deit_tiny().state_dict()
    assert set(state) == names | {f"blocks.{i}.{name}" for i in range(12) for name in added}
    shapes = {name: tuple(state[f"blocks.0.{name}"].shape) for name in added}
    assert shapes == {
        "attn.dwc.weight": (64, 1, 5, 5),
        "attn.dwc.bias": (64,),
        "attn.scale": (1, 1, 192),
        "attn.positional_encoding": (1, 197, 192),
    }


@pytest.mark.parametrize("kind", sorted(ATTENTIONS))
def test_every_kind_learns(kind):
    torch.manual_seed(0)
    model = small(kind, pool="mean", drop_path_rate=0.1, drop_rate=0.1)
    x, y = torch.randn(8, 3, 32, 32), torch.arange(8) % 5
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3)
    losses = []
    for _ in range(40):
        loss = torch.nn.functional.cross_entropy(model(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    without = {name for name, parameter in model.named_parameters() if parameter.grad is None}
    assert all(kind == "none" and ".norm1." in name for name in without)  # nothing reads that norm


def test_with_the_convolution_alone_a_class_token_sees_no_image():
    """It takes no part in the convolution: such a model needs the mean of the patches."""
    blind, sees = small("dwc").eval(), small("dwc", pool="mean").eval()
    x, y = torch.randn(2, 1, 3, 32, 32)
    assert blind(x).equal(blind(y)) and not sees(x).equal(sees(y))


def test_a_kind_per_block():
    model = small(["softmax", "focused_dwc"])
    assert [type(block.attn).__name__ for block in model.blocks] == ["SoftmaxAttention", "FocusedLinearAttention"]


@pytest.mark.parametrize(("size", "grid"), [(224, (14, 14)), (384, (24, 24)), ((224, 320), (14, 20))])
def test_image_sizes_and_a_batch_of_one(size, grid):
    model = flatten_deit_tiny(img_size=size, num_classes=3).eval()
    height, width = (size, size) if isinstance(size, int) else size
    with torch.no_grad():
        assert model.grid == grid and model(torch.randn(1, 3, height, width)).shape == (1, 3)


def test_channels_last_gives_the_same():
    model, x = small().eval(), torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(model(x.contiguous(memory_format=torch.channels_last)), model(x))


def test_drop_path_is_off_in_evaluation_and_drops_in_training():
    model, x = small(drop_path_rate=0.5), torch.randn(32, 3, 32, 32)
    torch.manual_seed(0)
    outs = [model(x) for _ in range(2)]
    assert not outs[0].equal(outs[1])
    model.eval()
    assert model(x).equal(model(x))


def test_without_classes_the_features_come_out():
    assert small(num_classes=0)(torch.randn(2, 3, 32, 32)).shape == (2, 12)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: small("focussed"),
            "no attention 'focussed'; there are angular, dwc, efficient, enhanced, focused",
        ),
        (lambda: small(["softmax"]), "attention names 1 kinds, but the model has 2 blocks"),
        (lambda: small(img_size=30), r"patch_size=8 does not divide the image's sides \(30, 30\)"),
        (
            lambda: small()(torch.ones(1, 3, 32, 40)),
            r"images \[B, 3, 32, 32\], got \(1, 3, 32, 40\): call model\.set_input_size\(\(32, 40\)\)",
        ),
        (lambda: small(p=-1), "focusing factor p > 0"),
    ],
)
def test_says_what_was_wanted_and_what_came(readers_view, make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device: none here")
@pytest.mark.parametrize(
    ("kind", "dtype"),
    list(itertools.product(["softmax", "focused_dwc"], [torch.float32, torch.bfloat16, torch.float16])),
)
def test_on_a_gpu_forward_and_backward_at_224_batch_64(kind, dtype):
    torch.manual_seed(0)
    model = deit_tiny(attention=kind, num_classes=10).cuda()
    x = torch.randn(64, 3, 224, 224, device="cuda")
    with torch.autocast("cuda", dtype, enabled=dtype != torch.float32):
        out = model(x)
        loss = torch.nn.functional.cross_entropy(out, torch.arange(64, device="cuda") % 10)
    loss.backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
    exact = model.double()(x.double()).float()
    torch.testing.assert_close(out.float(), exact, rtol=0.05, atol={torch.float32: 1e-3}.get(dtype, 0.1))


@pytest.mark.parametrize("kind", ["focused_dwc", "enhanced", "softmax"])
def test_another_image_size_at_run_time(kind):
    model, x = small(kind), torch.randn(1, 3, 48, 32)
    before = {name: t.clone() for name, t in model.named_parameters()}
    with pytest.raises(ValueError, match=r"call model\.set_input_size\(\(48, 32\)\)"):
        model(x)
    with pytest.raises(ValueError, match="does not divide"):
        model.set_input_size((50, 32))
    model.set_input_size((48, 32))
    assert model(x).shape == (1, 5) and model.config.image == (48, 32)
    model(x).sum().backward()
    model.set_input_size(32)
    assert {name: t.shape for name, t in model.named_parameters()} == {name: t.shape for name, t in before.items()}


def test_what_timm_s_users_expect():
    model, x = small(pool="mean").eval(), torch.randn(2, 3, 32, 32)
    tokens = model.forward_features(x)
    assert model.forward_head(tokens).equal(model(x))
    assert model.forward_head(tokens, pre_logits=True).equal(tokens[:, 1:].mean(1))
    assert model.get_classifier() is model.head
    wanted = {name for name, _ in model.named_parameters() if name.endswith(("embed", "token", "encoding", "scale"))}
    assert model.no_weight_decay() == wanted
    model.reset_classifier(9)
    assert model(x).shape == (2, 9) and model.config.num_classes == 9
    model.reset_classifier(0)
    assert model(x).shape == (2, model.config.dim)


def test_checkpointed_blocks_have_the_same_gradients():
    plain, x = small("focused_dwc"), torch.randn(2, 3, 32, 32)
    saving = deepcopy(plain)
    saving.set_grad_checkpointing()
    for model in (plain, saving):
        model(x).square().sum().backward()
    for one, other in zip(saving.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_a_mask_of_keys_reaches_every_block():
    model = small("focused").eval()
    x, y = torch.randn(2, 1, 3, 32, 32)
    cells = model.grid[0] * model.grid[1]
    mask = torch.arange(1 + cells) <= cells // 2
    y[..., :16, :] = x[..., :16, :]  # only patches of the lower half differ
    mask = mask[None]
    assert torch.allclose(model(x, mask), model(y, mask), atol=1e-6) and not torch.allclose(model(x), model(y))
