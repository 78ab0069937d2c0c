"""Intervals cover what they should, and McNemar's test is the textbook's."""

import pytest
import torch

from flatten_edu.analysis import bootstrap_interval, mcnemar, seed_interval


def test_three_seeds_give_the_textbook_s_interval():
    low, high = seed_interval(torch.tensor([1.0, 2.0, 3.0]))
    assert (low + high) / 2 == pytest.approx(2) and (high - low) / 2 == pytest.approx(4.302653 / 3**0.5, rel=1e-6)
    with pytest.raises(ValueError, match="two values at least, got 1"):
        seed_interval(torch.tensor([1.0]))


def test_intervals_hold_the_true_mean_about_as_often_as_they_say():
    generator = torch.Generator().manual_seed(0)
    for interval, size in [(seed_interval, 3), (bootstrap_interval, 60)]:
        held = 0
        for _ in range(200):
            low, high = interval(torch.randn(size, generator=generator))
            held += low < 0 < high
        assert 180 <= held <= 199, interval.__name__


def test_a_bootstrap_of_a_few_values_is_refused():
    with pytest.raises(ValueError, match="20 values at least, got 3"):
        bootstrap_interval(torch.ones(3))


def test_mcnemar_counts_only_the_images_that_tell_the_models_apart():
    first = torch.tensor([True] * 5 + [False] * 1 + [True] * 90)
    second = torch.tensor([False] * 5 + [True] * 1 + [True] * 90)
    assert mcnemar(first, second) == mcnemar(second, first) == pytest.approx(2 * (1 + 6) / 2**6)
    assert mcnemar(first, first) == 1.0
