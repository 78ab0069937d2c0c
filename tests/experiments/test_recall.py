"""The task is what its page says, every kind sees the same sequences, and what is measured is what is there."""

import dataclasses

import pytest
import torch

from flatten_edu.analysis import recall_bound
from flatten_edu.experiments import (
    PAIRS,
    RecallModel,
    RecallSettings,
    evaluate_recall,
    far_pairs,
    recall,
    recall_batch,
    train_recall,
)
from flatten_edu.experiments.recall import CELLS, KEY, training_batches
from flatten_edu.nn import ATTENTIONS
from flatten_edu.results import results


def batch(count, sequences=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return recall_batch(far_pairs(sequences, generator), count, generator)


def model(kind, **settings):
    torch.manual_seed(0)
    return RecallModel(RecallSettings(kind, **settings))


def test_pairs_take_every_cell_once_and_stand_far_apart():
    pairs = far_pairs(50, torch.Generator().manual_seed(0))
    assert pairs.shape == (50, 98, 2)
    assert pairs.flatten(1).sort(1)[0].equal(torch.arange(CELLS).expand(50, -1))
    rows, columns = (pairs // 14).diff(dim=-1).abs(), (pairs % 14).diff(dim=-1).abs()
    assert torch.maximum(rows, columns).min() == 6


@pytest.mark.parametrize("count", [4, 96])
def test_who_asks_has_the_partner_s_key_and_no_symbol(count):
    found, row = batch(count), torch.arange(8)[:, None]
    keys, symbols = found.x.split([KEY, found.x.shape[-1] - KEY], dim=-1)
    assert keys[row, found.asking].equal(keys[row, found.stored])
    assert symbols[row, found.stored].argmax(-1).equal(found.answers[row, found.asking])
    assert (symbols != 0).sum() == 8 * count and not symbols[row, found.asking].any()
    assert (found.answers >= 0).sum() == 8 * count
    torch.testing.assert_close(keys.square().mean(-1), torch.ones(8, CELLS))
    closeness = keys @ keys.mT / KEY - 2 * torch.eye(CELLS)
    closeness[row, found.asking, found.stored] = closeness[row, found.stored, found.asking] = -1
    assert closeness.max() < 0.95  # no other cell has a key that could be taken for it


def test_all_kinds_see_the_same_sequences_of_every_size():
    settings = RecallSettings("none", steps=60, batch_size=2)
    first = list(training_batches(settings))
    second = list(training_batches(dataclasses.replace(settings, attention="focused", p=8)))
    assert all(a.x.equal(b.x) and a.answers.equal(b.answers) for a, b in zip(first, second, strict=True))
    assert {one.stored.shape[1] for one in first} == set(PAIRS)
    assert not first[0].x.equal(next(training_batches(dataclasses.replace(settings, seed=1))).x)


def test_two_convolutions_do_not_reach_the_partner_and_attention_does():
    found = batch(16, sequences=1)
    for kind, reaches in [("dwc", False), ("none", False), ("focused", True), ("scaled_softmax_dwc", True)]:
        x = found.x.clone().requires_grad_()
        asked = int(found.asking[0, 0])
        model(kind, heads=4)(x)[0, asked].sum().backward()
        assert bool(x.grad[0, found.stored[0, 0]].any()) is reaches, kind


def test_training_follows_from_the_seed_and_lowers_the_loss():
    settings = RecallSettings("scaled_softmax", steps=12, batch_size=4)
    (first, losses), (_, again) = train_recall(settings), train_recall(settings)
    assert losses == again and len(losses) == 12
    assert not first.training
    assert train_recall(dataclasses.replace(settings, seed=1))[1] != losses


def test_no_training_is_chance_and_no_head_exceeds_the_bound():
    found = evaluate_recall(model("focused", heads=4).eval(), 32, sequences=16, decomposed=1)
    assert found["accuracy"] < 0.1
    for name in ("on_partner", "entropy", "rank", "effective_rank"):
        assert torch.tensor(found[name]).shape == (2, 4), name
    assert torch.tensor(found["on_partner"]).max() <= recall_bound(16, 32)
    assert torch.tensor(found["rank"]).max() <= 16  # d, of the map in float32


def test_a_norm_of_the_heads_output_is_one_more_layer():
    plain, normed = model("focused", p=1), model("focused", p=1, output_norm=True)
    count = [sum(one.numel() for one in m.parameters()) for m in (plain, normed)]
    assert count[1] - count[0] == 2 * 2 * 64


@pytest.mark.parametrize("kind", ["none", "dwc"])
def test_a_kind_without_a_map_is_measured_too(kind):
    assert set(evaluate_recall(model(kind).eval(), 4, sequences=2, decomposed=1)) >= {"accuracy", "entropy"}


def test_every_kind_can_be_trained():
    for kind in ATTENTIONS:
        train_recall(RecallSettings(kind, steps=1, batch_size=1))


def test_runs_are_found_by_their_settings(monkeypatch):
    def run(**settings):
        tests = {"4": {"accuracy": 0.5, "on_partner": [[0.1, 0.3], [0.2, 0.2]]}}
        return dataclasses.asdict(RecallSettings(**settings)) | {"tests": tests}

    softmax = [run(attention="scaled_softmax", p=p, seed=seed) for p, seed in ((3, 0), (8, 1))]
    focused = [run(attention="focused", p=p, lr=lr) for p, lr in ((1, 2e-3), (3, 2e-3), (3, 1e-3))]
    monkeypatch.setattr(recall, "results", lambda name: {"runs": [*softmax, *focused]})
    assert recall.recall_runs(attention="scaled_softmax") == softmax  # it has no p
    assert recall.recall_runs(attention="focused") == [focused[1]]
    assert recall.recall_runs(attention="focused", lr=1e-3) == [focused[2]]
    assert recall.recall_curves("accuracy", attention="focused", p=1) == [{4: 0.5}]
    assert recall.recall_curves("on_partner", attention="focused") == [{4: 0.3}]
    assert recall.recall_runs(attention="focused", heads=4) == []


def test_no_run_of_the_book_breaks_the_theorem_and_softmax_is_not_under_it():
    above = 0
    for run in results("recall")["runs"]:
        d = run["dim"] // run["heads"]
        for count, found in run["tests"].items():
            most = torch.tensor(found["on_partner"]).max()
            if "p" in ATTENTIONS[run["attention"]].settings:
                assert most <= recall_bound(d, int(count)) + 1e-4, (run["attention"], run["p"], count)
            elif run["attention"] == "scaled_softmax":
                above += bool(most > recall_bound(d, int(count)))
    assert above > 0
