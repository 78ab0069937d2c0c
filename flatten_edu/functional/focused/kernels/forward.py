"""The forward pass: the keys' norms; phi_k^T v and the mean key, a head at a time; then the queries' rows.

In all kernels `count` is N, and a head's d = HEAD_DIM columns are padded to the power of two PADDED. `lengths` and
`narrows` are [B, N]: a row's |r| and 1 / |r|_2p. `kv` is [B h, d, d], phi_k^T v / N, and `mean_k` [B h, d].
"""

from typing import no_type_check

import triton
import triton.language as tl

from flatten_edu.functional.focused.kernels.rows import (
    positive,
    power,
    product,
    read,
    read_encoded,
    read_head,
    read_inverse,
    row_at,
    row_norms,
    write_head,
)


@triton.jit
@no_type_check
def norms_kernel(
    k, k_batch, k_row, encoding, encoding_row, scale, lengths, narrows, count, eps,
    CHANNELS: tl.constexpr, WIDTH: tl.constexpr, BLOCK: tl.constexpr, WHOLE: tl.constexpr, PART: tl.constexpr,
):  # fmt: skip
    """A program takes BLOCK keys of one image, all their channels."""
    batch, first = tl.program_id(0), tl.program_id(1) * BLOCK
    rows = tl.arange(0, BLOCK)
    in_rows = first + rows < count
    length, narrow = row_norms(
        row_at(k, batch, k_batch, first, k_row), k_row, row_at(encoding, batch, 0, first, encoding_row), encoding_row,
        scale, rows, in_rows, eps, CHANNELS, WIDTH, True, WHOLE, PART,
    )  # fmt: skip
    tl.store(row_at(lengths, batch, count, first, 1) + rows, length, mask=in_rows)
    tl.store(row_at(narrows, batch, count, first, 1) + rows, narrow, mask=in_rows)


@triton.jit
@no_type_check
def state_kernel(
    k, k_batch, k_row, encoding, encoding_row, v, v_batch, v_row, scale, lengths, narrows, kv, mean_k,
    count, share, eps,
    HEADS: tl.constexpr, HEAD_DIM: tl.constexpr, PADDED: tl.constexpr, BLOCK: tl.constexpr,
    WHOLE: tl.constexpr, PART: tl.constexpr,
    OPERAND: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
):  # fmt: skip
    """A program sums one head of one image over `share` of its tokens; kv and mean_k have a first axis of shares."""
    batch, start = tl.program_id(0) // HEADS, tl.program_id(1) * share
    d = tl.arange(0, PADDED)
    columns = tl.program_id(0) % HEADS * HEAD_DIM + d
    inverse = read_inverse(scale, columns, d < HEAD_DIM)
    rows = tl.arange(0, BLOCK)
    sums = tl.zeros([PADDED, PADDED], tl.float32)
    total = tl.zeros([PADDED], tl.float32)
    for first in range(start, tl.minimum(start + share, count), BLOCK):
        in_rows = first + rows < count
        inside = in_rows[:, None] & (d < HEAD_DIM)[None, :]
        length = tl.load(row_at(lengths, batch, count, first, 1) + rows, mask=in_rows, other=0.0)
        narrow = tl.load(row_at(narrows, batch, count, first, 1) + rows, mask=in_rows, other=0.0)
        tile = read_encoded(
            row_at(k, batch, k_batch, first, k_row), k_row,
            row_at(encoding, batch, 0, first, encoding_row), encoding_row, rows, columns, inside, True,
        )  # fmt: skip
        phi = power(positive(tile, inverse, eps) * narrow[:, None], WHOLE, PART) * length[:, None]
        values = read(row_at(v, batch, v_batch, first, v_row), v_row, rows, columns, inside)
        sums += product(tl.trans(phi), values, OPERAND, PRECISION, INTERPRETED)
        total += tl.sum(phi, 0)
    one = tl.program_id(1) * tl.num_programs(0) + tl.program_id(0)
    write_head(kv, mean_k, one, sums / count, total / count, HEAD_DIM, PADDED)


@triton.jit
@no_type_check
def attend_kernel(
    q, q_batch, q_row, scale, kv, mean_k, lengths, narrows, out, count, eps,
    HEADS: tl.constexpr, HEAD_DIM: tl.constexpr, PADDED: tl.constexpr, WIDTH: tl.constexpr, BLOCK: tl.constexpr,
    WHOLE: tl.constexpr, PART: tl.constexpr,
    OPERAND: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
):  # fmt: skip
    """A program takes BLOCK queries of one image, in all heads: out [B, N, C]. |r| cancels but for its part in eps."""
    batch, first = tl.program_id(0), tl.program_id(1) * BLOCK
    rows = tl.arange(0, BLOCK)
    in_rows = first + rows < count
    base = row_at(q, batch, q_batch, first, q_row)
    length, narrow = row_norms(
        base, q_row, base, q_row, scale, rows, in_rows, eps, HEADS * HEAD_DIM, WIDTH, False, WHOLE, PART
    )
    tl.store(row_at(lengths, batch, count, first, 1) + rows, length, mask=in_rows)
    tl.store(row_at(narrows, batch, count, first, 1) + rows, narrow, mask=in_rows)
    d = tl.arange(0, PADDED)
    inside = in_rows[:, None] & (d < HEAD_DIM)[None, :]
    out_row = HEADS * HEAD_DIM
    target = row_at(out, batch, count * out_row, first, out_row) + rows[:, None] * out_row
    for head in range(HEADS):
        columns = head * HEAD_DIM + d
        tile = read(base, q_row, rows, columns, inside).to(tl.float32)
        b = power(positive(tile, read_inverse(scale, columns, d < HEAD_DIM), eps) * narrow[:, None], WHOLE, PART)
        matrix, key = read_head(kv, mean_k, batch * HEADS + head, HEAD_DIM, PADDED)
        weight = tl.sum(b * key[None, :], 1) + eps / length
        result = product(b, matrix, OPERAND, PRECISION, INTERPRETED) * (1.0 / weight)[:, None]
        tl.store(target + columns[None, :], result, mask=inside)
