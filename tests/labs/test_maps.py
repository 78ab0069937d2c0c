"""MapsLab's traits: what they take, what they refuse, and what they show."""

import numpy as np
import pytest
import torch
from safetensors.torch import load

from flatten_edu.analysis import capture, entropy_bits, magnitude_share
from flatten_edu.data import photo
from flatten_edu.functional import attention_matrix, dwc_matrix, softmax_weights
from flatten_edu.labs import AttentionLab, MapsLab
from flatten_edu.labs.maps.contents import shown_rows
from flatten_edu.labs.maps.lab import MODELS
from flatten_edu.models import DeiT, DeiTConfig, card, pretrained_names
from flatten_edu.nn import make_attention


def rows(lab, **settings):
    state = {trait: getattr(lab, trait) for trait in lab.own_traits() if trait != "preview"}
    return shown_rows(state | settings, lab.tokens)


def test_the_first_view_is_of_the_shipped_models():
    lab = MapsLab()
    assert [entry["file"] for entry in lab.models] == list(MODELS) and set(MODELS) <= set(pretrained_names())
    assert [entry["accuracy"] for entry in lab.models] == [card(name)["accuracy"] for name in MODELS]
    assert all(path.is_file() for path in lab.files.values())
    assert len(lab.preview["rows"]) == 4 and len(lab.pictures) == 12
    assert [tuple(row.shape) for row in rows(lab)] == [(197,)] * 4


def test_own_queries_and_keys_through_each_attention():
    q, k = torch.randn(16, 8), torch.randn(16, 8)
    lab = AttentionLab(q=q, k=k, p=4, patch=5)
    softmax, linear, focused = rows(lab)
    torch.testing.assert_close(softmax, softmax_weights(q, k)[5].double(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(linear, attention_matrix(q, k, "relu")[5].double(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(focused, attention_matrix(q, k, "focused", p=4)[5].double(), rtol=1e-5, atol=1e-6)
    assert lab.grid == (4, 4) and lab.preview == {} and not lab.class_token


def test_heads_arrays_lists_a_kernel_and_a_class_token():
    q, k, v = np.random.default_rng(0).normal(size=(3, 2, 7, 4))
    kernel = torch.randn(4, 3, 3)
    lab = MapsLab(q=q, k=k.tolist(), v=v, kernel=kernel, grid=(2, 3), class_token=True, image=photo("coffee", 32))
    assert (lab.heads, lab.channels, [entry["title"] for entry in lab.models][-1]) == (2, 4, "focused + DWC")
    of = {channel: rows(lab, channel=channel, patch=1, head=-1) for channel in (-1, 2)}
    share = of[2][3] - of[2][2]
    torch.testing.assert_close(share, dwc_matrix(kernel[2].double(), (2, 3), True)[2])
    assert (of[-1][3] >= 0).all()
    weighted = rows(lab, by_value=True, patch=1, head=1)[0] / rows(lab, patch=1, head=1)[0]
    torch.testing.assert_close(weighted, torch.tensor(v[1]).float().norm(dim=-1).double())
    lab.picture, lab.head = -1, -1


def test_one_tensor_may_be_queries_and_values():
    x = torch.randn(6, 4)
    assert len(rows(MapsLab(q=x, k=x + 1, v=x, grid=(2, 3)))) == 3


def test_look_at_moves_the_picture_or_leaves_it():
    lab = MapsLab()
    seen = []
    lab.observe(lambda change: seen.append(change.name))
    lab.look_at(torch.randn(9, 4), torch.randn(9, 4))
    assert "tokens" in seen and (lab.grid, lab.blocks, lab.block) == ((3, 3), 1, 0)
    before = lab.tokens
    with pytest.raises(ValueError, match=r"grid \(2, 2\) has 4 cells"):
        lab.look_at(torch.randn(9, 4), torch.randn(9, 4), grid=(2, 2))
    assert lab.tokens == before


def test_records_of_models_of_ones_own():
    records = {}
    for kind in ("softmax", "relu", "focused_dwc"):
        torch.manual_seed(0)
        config = DeiTConfig(dim=12, num_heads=3, depth=2, attention=kind, img_size=32, patch_size=8, num_classes=5, p=4)
        with capture(DeiT(config).eval(), torch.randn(1, 3, 32, 32)) as records[kind]:
            pass
    lab = MapsLab.with_records(records, photo("chelsea", 32), block=1, p=4, patch=3)
    for head in range(3):
        softmax, linear, focused = rows(lab, head=head, channel=1)
        for row, kind in [(softmax, "softmax"), (linear, "relu")]:
            torch.testing.assert_close(row, records[kind][1].weights[0, head, 4].double(), rtol=1e-4, atol=1e-6)
        share = dwc_matrix(records["focused_dwc"][1].dwc_kernel[1], (4, 4), True)[4]
        torch.testing.assert_close(
            focused, (records["focused_dwc"][1].weights[0, head, 4] + share).double(), rtol=1e-4, atol=1e-6
        )
    assert (lab.blocks, lab.heads, lab.channels) == (2, 3, 4)
    with pytest.raises(ValueError, match="'other' has others than the first"):
        MapsLab.with_records({"one": records["softmax"], "other": records["relu"][:1]})
    module = make_attention("angular", 8, 2, (2, 2))
    with capture(module, torch.randn(1, 5, 8)) as found:
        pass
    with pytest.raises(ValueError, match="'angular' has another"):
        MapsLab.with_records({"angular": found})
    with pytest.raises(ValueError, match="records of at least one model"):
        MapsLab.with_records({})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"q": torch.zeros(4, 2)}, "needs q and k together"),
        ({"q": torch.zeros(4, 2), "k": torch.zeros(4, 3)}, r"the same heads and tokens, got .*\(1, 4, 3\)"),
        ({"q": torch.zeros(4), "k": torch.zeros(4)}, r"q of \[n, d\] or \[heads, n, d\], got \(4,\)"),
        ({"q": torch.zeros(5, 2), "k": torch.zeros(5, 2)}, r"grid \(2, 2\) has 4 cells.*pass class_token=True\?"),
        ({"q": torch.full((4, 2), torch.inf), "k": torch.zeros(4, 2)}, r"finite numbers, got q\[0, 0, 0\] = inf"),
        ({"q": torch.zeros(4, 2), "k": torch.zeros(4, 2), "image": np.zeros((4, 4, 3))}, "image of bytes"),
        ({"q": torch.zeros(4, 2), "k": torch.zeros(4, 2), "kernel": torch.zeros(2, 2, 2)}, "kernel of odd sides"),
    ],
)
def test_tokens_that_do_not_fit(arguments, words):
    with pytest.raises((ValueError, TypeError), match=words):
        MapsLab(**arguments)


def test_a_file_is_sent_when_the_view_asks_for_it(monkeypatch):
    lab, sent = MapsLab(), []
    monkeypatch.setattr(lab, "send", lambda content, buffers: sent.append((content, buffers)))
    lab._answer(lab, {"file": "deit_cifar10_softmax"}, [])
    lab._answer(lab, {"file": "../secret"}, [])
    lab._answer(lab, "hello", [])
    ((content, (weights,)),) = sent
    assert content == {"file": "deit_cifar10_softmax"} and "head.weight" in load(weights)


def test_figures_of_a_signed_row_are_of_magnitudes():
    row = rows(MapsLab(), channel=3)[3]
    assert (row < 0).any() and 0 < entropy_bits(magnitude_share(row)) < 7.7
