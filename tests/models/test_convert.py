"""A kind of ours in models of other libraries."""

import pytest
import torch
from torch import nn

from flatten_edu.models import convert, deit_tiny
from flatten_edu.nn import ATTENTIONS, FocusedLinearAttention, SoftmaxAttention

KINDS = sorted(set(ATTENTIONS) - {"none"})


def encoder(batch_first=True, layers=3, **settings):
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=batch_first, **settings)
    return nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)


def tokens(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_softmax_in_the_place_of_softmax_changes_nothing(batch_first, training):
    """In training and in evaluation, where PyTorch's own layer takes another path."""
    model, x = encoder(batch_first).train(training), tokens(2, 7, 16) if batch_first else tokens(7, 2, 16)
    padding = torch.zeros(2, 7, dtype=torch.bool)
    padding[0, 5:] = True
    with torch.no_grad():
        wanted = model(x), model(x, src_key_padding_mask=padding)
        said = convert(model, "softmax", grid=(2, 3))
        found = model(x), model(x, src_key_padding_mask=padding)
    assert said == [f"layers.{i}.self_attn: nn.MultiheadAttention -> softmax" for i in range(3)]
    torch.testing.assert_close(found[0], wanted[0], rtol=1e-4, atol=1e-5)
    here = ~padding if batch_first else ~padding.T  # what a padded token itself becomes is left open
    torch.testing.assert_close(found[1][here], wanted[1][here], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_runs_and_learns_in_an_encoder(kind):
    model = encoder()
    convert(model, kind, grid=(7,) if kind.endswith("dwc") else (2, 3), class_token=not kind.endswith("dwc"))
    model(tokens(2, 7, 16)).square().sum().backward()
    assert all(p.grad is not None for layer in model.layers for p in layer.self_attn.attention.proj.parameters())


def test_only_the_blocks_that_were_asked_for():
    model = encoder()
    assert len(convert(model, grid=(2, 3), blocks=[0, 2], p=4)) == 2
    assert isinstance(model.layers[1].self_attn, nn.MultiheadAttention)
    assert model.layers[2].self_attn.attention.p == 4


class TimmAttention(nn.Module):
    """As in timm: qkv, proj, num_heads."""

    def __init__(self, dim, heads):
        super().__init__()
        self.num_heads, self.qkv, self.proj = heads, nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def forward(self, x):
        q, k, v = self.qkv(x).unflatten(-1, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        return self.proj(nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


def test_attention_as_timm_has_it_keeps_its_projections():
    block = nn.Sequential(nn.LayerNorm(16), TimmAttention(16, 2))
    x = tokens(2, 7, 16)
    wanted, weight = block(x), block[1].qkv.weight.clone()
    assert convert(block, "softmax", grid=(2, 3)) == ["1: timm's Attention -> softmax"]
    assert isinstance(block[1], SoftmaxAttention)
    torch.testing.assert_close(block(x), wanted)
    block[1] = TimmAttention(16, 2)
    block[1].qkv.weight.data.copy_(weight)
    convert(block, "focused_dwc", grid=(2, 3))
    assert isinstance(block[1], FocusedLinearAttention) and block[1].qkv.weight.equal(weight)
    block(x)


def test_hugging_face_s_vision_transformer():
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, image_size=32, patch_size=8
    )
    model = transformers.ViTModel(config, add_pooling_layer=False).eval()
    x = tokens(2, 3, 32, 32)
    with torch.no_grad():
        wanted = model(x).last_hidden_state
        said = convert(model, "softmax", grid=(4, 4))
        assert len(said) == 2 and all("query, key and value layers -> softmax" in line for line in said)
        torch.testing.assert_close(model(x).last_hidden_state, wanted, rtol=1e-4, atol=1e-5)
    focused = transformers.ViTModel(config, add_pooling_layer=False)
    convert(focused, "focused_dwc", grid=(4, 4))
    focused(x).last_hidden_state.sum().backward()


def test_a_language_model_s_attention_is_refused_and_nothing_is_left_out_in_silence():
    transformers = pytest.importorskip("transformers")
    config = transformers.LlamaConfig(
        vocab_size=20, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2
    )
    model = transformers.LlamaModel(config)
    with pytest.raises(ValueError, match=r"layers\.0\.self_attn is causal: no kind here is"):
        convert(model, "focused", grid=(2, 3))
    model.layers[0].self_attn.is_causal = False  # as an encoder's; its positions are rotary
    convert(model, "focused", grid=(2, 3), class_token=False)
    attention, x = model.layers[0].self_attn, tokens(1, 6, 16)
    with pytest.raises(ValueError, match="takes tokens alone: no mask, got position_"):
        model(inputs_embeds=x, use_cache=False)
    for given in [{"past_key_values": object()}, {"attention_mask": x}, {"encoder_hidden_states": x}]:
        with pytest.raises(ValueError, match=f"got {next(iter(given))}"):
            attention(x, **given)
    for i in (2, 5):  # however many stand before it
        with pytest.raises(ValueError, match=f"got argument {i}"):
            attention(x, *[None] * (i - 2), x)
    assert attention(x, None, output_attentions=False, use_cache=False)[0].shape == x.shape


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: convert(nn.Linear(2, 2)), "found no attention in Linear: it knows nn.MultiheadAttention"),
        (lambda: convert(encoder(), "flash"), "no attention 'flash'; there are"),
        (lambda: convert(encoder(), blocks=[3]), "no block 3: TransformerEncoder has 3 attentions, from 0 on"),
        (lambda: convert(deit_tiny()), "found no attention in DeiT"),
        (lambda: convert(nn.Sequential(nn.MultiheadAttention(8, 2, kdim=4))), "keys of another width"),
        (lambda: convert(nn.Sequential(nn.MultiheadAttention(8, 2, add_bias_kv=True))), "adds keys of its own"),
    ],
)
def test_what_cannot_be_is_refused_in_words(readers_view, call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_masks_between_tokens_and_other_keys_are_refused():
    model, x = encoder(), tokens(2, 7, 16)
    convert(model, grid=(2, 3))
    causal = nn.Transformer.generate_square_subsequent_mask(7)
    with pytest.raises(ValueError, match="no mask between tokens"):
        model(x, mask=causal)
    with pytest.raises(ValueError, match="query, key and value must be one tensor"):
        model.layers[0].self_attn(x, x + 1, x)
