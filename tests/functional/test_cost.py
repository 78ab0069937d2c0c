"""The count of multiply-adds: against loops that really multiply, and the facts that the book states."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from flatten_edu.functional import attention_cost, cheaper_order, linear_attention, multiply_adds_after

sizes = st.integers(1, 12)
orders = st.sampled_from(["qk_first", "kv_first"])


def counted(a: list, b: list) -> tuple[list, int]:
    """The product of two matrices by loops, and how often it multiplied."""
    count = 0
    out = [[0] * len(b[0]) for _ in a]
    for i, row in enumerate(a):
        for j in range(len(b[0])):
            for term in range(len(b)):
                out[i][j] += row[term] * b[term][j]
                count += 1
    return out, count


@given(sizes, sizes, sizes, orders)
def test_equals_a_count_of_real_multiplications(n, d, e, order):
    q, k, v = ([[1] * columns for _ in range(n)] for columns in (d, d, e))
    transposed = [list(column) for column in zip(*k, strict=True)]
    a, b = (q, transposed) if order == "qk_first" else (transposed, v)
    middle, first = counted(a, b)
    _, second = counted(middle, v) if order == "qk_first" else counted(q, middle)
    cost = attention_cost(n, d, order, e)
    assert (cost.first, cost.second, cost.intermediate) == (first, second, len(middle) * len(middle[0]))
    assert cost.multiply_adds == first + second
    entries = len(middle) * len(middle[0]) + n * e
    assert multiply_adds_after(0, n, d, order, e) == 0
    assert multiply_adds_after(cost.intermediate, n, d, order, e) == first
    assert multiply_adds_after(entries, n, d, order, e) == first + second


@given(st.integers(1, 20000), st.integers(1, 256))
def test_the_orders_cost_the_same_where_n_is_d_and_their_ratio_is_n_over_d(n, d):
    one, other = (attention_cost(n, d, order) for order in ("qk_first", "kv_first"))
    assert one.multiply_adds * d == other.multiply_adds * n
    assert (one.multiply_adds == other.multiply_adds) == (n == d)
    assert (one.intermediate, other.intermediate) == (n * n, d * d)


@given(sizes, sizes, sizes)
def test_the_cheaper_order_is_cheaper(n, d, e):
    cost = {order: attention_cost(n, d, order, e).multiply_adds for order in ("qk_first", "kv_first")}
    assert cost[cheaper_order(n, n, d, e)] == min(cost.values())


def test_the_books_example():
    assert attention_cost(6, 3, "qk_first").multiply_adds == 216
    assert attention_cost(6, 3, "kv_first").multiply_adds == 108


@given(sizes, sizes, st.integers(0, 999))
def test_whole_numbers_come_out_exactly_the_same_in_both_orders(n, d, seed):
    draw = torch.Generator().manual_seed(seed)
    q, k, v = (torch.randint(-9, 10, (n, d), generator=draw).double() for _ in range(3))
    one, other = (linear_attention(q, k, v * n, order=order, normalised=False) for order in ("qk_first", "kv_first"))
    torch.testing.assert_close(one, other, rtol=1e-14, atol=1e-9)  # linear_attention divides by n and multiplies back
    assert ((q @ k.mT) @ v).equal(q @ (k.mT @ v))


def test_what_it_refuses(readers_view):
    with pytest.raises(ValueError, match="attention_cost needs d >= 1, got 0"):
        attention_cost(6, 0, "qk_first")
    with pytest.raises(ValueError, match="order"):
        attention_cost(6, 3, "auto")
    with pytest.raises(ValueError, match="needs 0 to 54 entries, got 55"):
        multiply_adds_after(55, 6, 3, "qk_first")
