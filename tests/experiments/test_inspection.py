"""Knock-outs leave out what they say and leave the model alone; mass on the object is what the maps say."""

import pytest
import torch

from flatten_edu.experiments import KNOCK_OUTS, RecallModel, RecallSettings, inside_recall, knocked_out, object_mass
from flatten_edu.models import DeiT, DeiTConfig


def small(kind):
    torch.manual_seed(0)
    model = DeiT(DeiTConfig(dim=8, num_heads=2, depth=2, attention=kind, img_size=8, patch_size=2, num_classes=3))
    for parameter in model.parameters():  # no zeros: what is knocked out was there
        torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


X = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("part", KNOCK_OUTS)
def test_a_knock_out_changes_a_copy(part):
    model = small("focused_dwc")
    before = model(X)
    changed = knocked_out(model, part)(X)
    assert changed.isfinite().all() and not torch.allclose(before, changed)
    assert model(X).equal(before)


def test_what_is_left_is_what_it_says():
    model = small("focused_dwc")
    state = model.state_dict()
    without = small("focused")
    without.load_state_dict({name: t for name, t in state.items() if ".dwc." not in name})
    torch.testing.assert_close(knocked_out(model, "DWC zeroed")(X), without(X))
    x = torch.randn(1, 17, 8)
    module = model.blocks[0].attn
    v = module.heads(x).v
    even = knocked_out(without, "map made even").blocks[0].attn
    torch.testing.assert_close(even.attend(without.blocks[0].attn.heads(x)), v.mean(2, keepdim=True).expand_as(v))
    alone = knocked_out(model, "attention zeroed").blocks[0].attn
    torch.testing.assert_close(
        alone.attend(module.heads(x)) + even.sums(module.heads(x), None),
        knocked_out(model, "map made even").blocks[0].attn.attend(module.heads(x)),
    )


def test_models_and_parts_that_do_not_fit_are_told():
    with pytest.raises(ValueError, match="there is no knock-out 'head'"):
        knocked_out(small("focused"), "head")
    with pytest.raises(ValueError, match="needs a model with FocusedLinearAttention"):
        knocked_out(small("softmax"), "p = 1")


def test_mass_on_the_object():
    mask = torch.zeros(2, 4, 4, dtype=torch.bool)
    mask[0, 1:3, 1:3] = mask[1, 0, :2] = True
    found = object_mass(small("softmax"), X, mask)
    assert found.even.tolist() == [4 / 16, 2 / 16]
    assert found.from_object.shape == found.from_ground.shape == (2, 2, 2)
    even = object_mass(knocked_out_map(), X, mask)
    for mass in (even.from_object, even.from_ground):  # an even row, whoever asks
        torch.testing.assert_close(mass, even.even[:, None, None].expand_as(mass))


def knocked_out_map():
    model = small("relu")
    for block in model.blocks:  # all keys alike
        block.attn.qkv.weight.data[:16] = 0
        block.attn.qkv.bias.data[:16] = 1
    return model


def recall_model(p):
    torch.manual_seed(0)
    return RecallModel(RecallSettings("focused", p=p, heads=4)).eval()


def test_inside_a_model_of_recall():
    model = recall_model(p=3)
    found = inside_recall(model, count=8, sequences=4)
    channels = torch.tensor(found["key_channels"])
    assert channels.shape == (2, 4) and (channels >= 1).all() and (channels <= 16).all()
    assert all(0 < share < 1 for share in found["own_share"]) and len(found["own_share"]) == 2
    assert set(found["accuracy_at_p"]) == {1, 2, 3, 4, 8}
    assert all(block.attn.p == 3 for block in model.blocks)


def test_channels_are_counted_before_the_power():
    """Block 1 has the same weights in both, and sees the same: p must not count."""
    of_first = [inside_recall(recall_model(p), count=8, sequences=4)["key_channels"][0] for p in (1, 3)]
    assert of_first[0] == pytest.approx(of_first[1], rel=1e-3)


def test_inside_softmax_there_are_no_channels():
    model = RecallModel(RecallSettings("scaled_softmax")).eval()
    assert set(inside_recall(model, count=8, sequences=2)) == {"own_share"}
