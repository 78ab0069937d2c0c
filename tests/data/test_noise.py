"""The numbers that Python and the labs draw alike."""

import pytest

from flatten_edu.data import hash_noise


def test_the_first_numbers_stay_what_they_are():
    """These are the browser's too: tests/browser/test_rank.py."""
    first = hash_noise(0, 0, 2, 3)
    assert first[0].tolist() == [-1.2423714858014137, -0.47314412891864777, 1.1556480589788407]
    assert hash_noise(0, 2, 1, 3)[0].tolist() == [0.7273102931212634, -0.6753100205678493, -0.14234685385599732]


def test_a_larger_table_begins_with_the_smaller_one():
    assert hash_noise(7, 1, 20, 30)[:5, :9].equal(hash_noise(7, 1, 5, 9))


@pytest.mark.parametrize("other", [(1, 0), (0, 1), (2**32 - 1, 5)])
def test_moments_and_unrelated_streams(other):
    numbers, others = hash_noise(0, 0, 300, 300), hash_noise(*other, 300, 300)
    assert abs(numbers.mean()) < 0.02 and abs(numbers.std() - 1) < 0.02
    assert abs((numbers * others).mean()) < 0.02
    assert abs((numbers[1:] * numbers[:-1]).mean()) < 0.02 and abs((numbers[:, 1:] * numbers[:, :-1]).mean()) < 0.02
