"""How a FLatten-DeiT starts, as the ledger has it."""

import math

import torch
from torch.nn import functional as F

from flatten_edu.models import flatten_deit_tiny


def test_a_model_starts_as_the_ledger_says():
    torch.manual_seed(0)
    attn = flatten_deit_tiny().blocks[3].attn
    assert attn.positional_encoding.count_nonzero() == 0
    assert torch.allclose(F.softplus(attn.scale), torch.tensor(math.log(2)))
    assert 0.019 < attn.qkv.weight.std() < 0.021 and attn.qkv.bias.count_nonzero() == 0
    kernel = attn.dwc.weight.abs().max()
    assert 0.19 < kernel <= 0.2


def test_equal_scales_cancel_in_the_weights():
    torch.manual_seed(0)
    attn = flatten_deit_tiny(depth=1).blocks[0].attn.eval()
    x = torch.randn(1, 197, 192)
    with torch.no_grad():
        before = attn.weights(attn.heads(x))
        attn.scale.fill_(1.5)
        torch.testing.assert_close(attn.weights(attn.heads(x)), before, rtol=1e-4, atol=1e-6)
