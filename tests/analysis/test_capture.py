"""Looking inside: what capture keeps is what the model computed, and nothing is changed by looking."""

import pytest
import torch

from flatten_edu.analysis import capture, equivalent_map
from flatten_edu.functional import depthwise_conv
from flatten_edu.models import DeiT, DeiTConfig
from flatten_edu.nn import ATTENTIONS, make_attention


def model(attention):
    torch.manual_seed(0)
    config = DeiTConfig(dim=12, num_heads=3, depth=2, attention=attention, img_size=32, patch_size=8, num_classes=5)
    return DeiT(config).eval()


@pytest.mark.parametrize("kind", sorted(ATTENTIONS))
def test_softmax_and_linear_blocks_alike(kind):
    net, x = model(kind), torch.randn(2, 3, 32, 32)
    before = net(x)
    with capture(net, x) as blocks:
        pass
    assert [block.name for block in blocks] == ["blocks.0.attn", "blocks.1.attn"]
    assert blocks[0].weights.shape[-2:] == (17, 17) and not blocks[0].q.requires_grad
    assert (blocks[0].phi_q is None) == ("softmax" in kind or kind in ("dwc", "none"))
    assert (blocks[0].dwc_kernel is not None) == kind.endswith("dwc")
    assert net(x).equal(before)
    assert not any(module._forward_hooks for module in net.modules())


def test_each_run_within_the_context_is_kept_and_none_after():
    net, x = model("softmax"), torch.randn(1, 3, 32, 32)
    with capture(net) as blocks:
        net(x)
        net(x)
    net(x)
    assert len(blocks) == 4


@pytest.mark.parametrize("kind", sorted(ATTENTIONS))
def test_a_mask_by_name_counts_too(kind):
    module, x = make_attention(kind, 8, 2, (2, 3)), torch.randn(1, 7, 8)
    mask = torch.ones(1, 7, dtype=torch.bool)
    mask[0, 3] = False
    with capture(module) as records:
        module(x, mask)
        module(x=x, key_mask=mask)
    assert records[0].weights.equal(records[1].weights) and (records[0].weights[..., 3] == 0).all()


def test_a_record_stays_when_the_model_learns_and_a_compiled_model_is_refused():
    net = model("focused_dwc")
    with capture(net, torch.randn(1, 3, 32, 32)) as (block, _):
        pass
    before = block.dwc_kernel.clone()
    with torch.no_grad():
        net.blocks[0].attn.dwc.weight.add_(1)
    assert block.dwc_kernel.equal(before)
    with pytest.raises(ValueError, match=r"not what torch\.compile made of it"), capture(torch.compile(net)):
        pass


def test_hooks_go_when_the_model_fails():
    net = model("softmax")
    with pytest.raises(ValueError, match="images"), capture(net, torch.randn(1, 3, 8, 8)):
        pass
    assert not any(module._forward_hooks for module in net.modules())


def test_a_model_without_our_attention():
    with pytest.raises(ValueError, match=r"no attention of flatten_edu.nn in Linear"), capture(torch.nn.Linear(2, 2)):
        pass


def test_the_equivalent_map_is_attention_and_convolution_per_channel():
    net = model("focused_dwc")
    with torch.no_grad():
        net.blocks[0].attn.dwc.bias.zero_()
    with capture(net, torch.randn(1, 3, 32, 32)) as (block, _):
        pass
    maps = equivalent_map(block.weights, block.dwc_kernel, block.grid, block.class_token)
    assert maps.shape == (1, 3, 4, 17, 17)
    out = torch.einsum("bhcnm,bhmc->bhnc", maps, block.v)
    local = depthwise_conv(block.v, block.dwc_kernel, None, block.grid, block.class_token)
    torch.testing.assert_close(out, block.weights @ block.v + local)
    one = equivalent_map(block.weights, block.dwc_kernel, block.grid, block.class_token, channels=[2])
    assert one.equal(maps[:, :, 2:3])
