"""The backward pass, worked out by hand. With g the gradient of out, for one head:

    out = phi_q KV / w,   w = phi_q . m + eps,   KV = sum_j phi_k^T v / N,   m = sum_j phi_k / N
    dphi_q = (g KV^T - s m) / w,    s = g . out = phi_q . (g KV^T) / w
    dKV = sum_n phi_q^T g / w / N,  dm = -sum_n s phi_q / w / N
    dphi_k = v dKV^T + dm,          dv = phi_k dKV

The map, with r = (relu(t) + eps) / scale, phi = |r| b and b = (r / |r|_2p)^p over all C channels of a row:

    dr = T r / |r|^2 + p b / r (|r| dphi - T b),    T = dphi . phi
    dt = dr / scale where t > 0, else 0,            dscale = -(sum over rows of r dr) / scale

A query's T needs no second look at the heads: each adds dphi_q . phi_q = s eps / w to it, since but for eps the output
does not depend on a query's length. Queries are used as b, with w / |r| for w. Sums are formed in a fixed order,
without atomics, so that the same input gives the same bits. What is not named here is named in `forward`; d_kv and
d_mean_k are shaped as kv and mean_k.
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
    row_gradient,
    slope_and_power,
    write_head,
)


@triton.jit
@no_type_check
def state_gradient_kernel(
    q, q_batch, q_row, g, g_batch, g_row, scale, lengths, narrows, kv, mean_k, d_kv, d_mean_k, slack,
    count, share, eps,
    HEADS: tl.constexpr, HEAD_DIM: tl.constexpr, PADDED: tl.constexpr, BLOCK: tl.constexpr,
    WHOLE: tl.constexpr, PART: tl.constexpr,
    OPERAND: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
):  # fmt: skip
    """As `state_kernel`, for the gradient. `slack` [B h, N] gets each head's part of the queries' T."""
    batch, start = tl.program_id(0) // HEADS, tl.program_id(1) * share
    d = tl.arange(0, PADDED)
    columns = tl.program_id(0) % HEADS * HEAD_DIM + d
    inverse = read_inverse(scale, columns, d < HEAD_DIM)
    matrix, key = read_head(kv, mean_k, tl.program_id(0), HEAD_DIM, PADDED)
    rows = tl.arange(0, BLOCK)
    sums = tl.zeros([PADDED, PADDED], tl.float32)
    total = tl.zeros([PADDED], tl.float32)
    for first in range(start, tl.minimum(start + share, count), BLOCK):
        in_rows = first + rows < count
        inside = in_rows[:, None] & (d < HEAD_DIM)[None, :]
        length = tl.load(row_at(lengths, batch, count, first, 1) + rows, mask=in_rows, other=1.0)
        narrow = tl.load(row_at(narrows, batch, count, first, 1) + rows, mask=in_rows, other=0.0)
        tile = read(row_at(q, batch, q_batch, first, q_row), q_row, rows, columns, inside).to(tl.float32)
        gradient = read(row_at(g, batch, g_batch, first, g_row), g_row, rows, columns, inside)
        b = power(positive(tile, inverse, eps) * narrow[:, None], WHOLE, PART)
        weight = tl.sum(b * key[None, :], 1) + eps / length
        s = tl.sum(b * product(gradient, tl.trans(matrix), OPERAND, PRECISION, INTERPRETED), 1) / weight
        share_of_row = b * (1.0 / weight)[:, None]
        sums += product(tl.trans(share_of_row), gradient, OPERAND, PRECISION, INTERPRETED)
        total -= tl.sum(share_of_row * s[:, None], 0)
        at = row_at(slack, tl.program_id(0), count, first, 1) + rows
        tl.store(at, s * (eps / length) / weight, mask=in_rows)
    one = tl.program_id(1) * tl.num_programs(0) + tl.program_id(0)
    write_head(d_kv, d_mean_k, one, sums / count, total / count, HEAD_DIM, PADDED)


@triton.jit
@no_type_check
def query_gradient_kernel(
    q, q_batch, q_row, g, g_batch, g_row, scale, lengths, narrows, kv, mean_k, slack, dq, dq_batch, dq_row, d_scale,
    count, eps,
    HEADS: tl.constexpr, HEAD_DIM: tl.constexpr, PADDED: tl.constexpr, BLOCK: tl.constexpr,
    WHOLE: tl.constexpr, PART: tl.constexpr,
    OPERAND: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
):  # fmt: skip
    """A program takes BLOCK queries in all heads. `d_scale` [programs, C] gets their sums of r dr."""
    batch, first = tl.program_id(0), tl.program_id(1) * BLOCK
    rows = tl.arange(0, BLOCK)
    in_rows = first + rows < count
    length = tl.load(row_at(lengths, batch, count, first, 1) + rows, mask=in_rows, other=1.0)
    narrow = tl.load(row_at(narrows, batch, count, first, 1) + rows, mask=in_rows, other=0.0)
    along = tl.zeros([BLOCK], tl.float32)
    for head in range(HEADS):
        along += tl.load(row_at(slack, batch * HEADS + head, count, first, 1) + rows, mask=in_rows, other=0.0)
    d = tl.arange(0, PADDED)
    inside = in_rows[:, None] & (d < HEAD_DIM)[None, :]
    base = row_at(q, batch, q_batch, first, q_row)
    upstream = row_at(g, batch, g_batch, first, g_row)
    target = row_at(dq, batch, dq_batch, first, dq_row) + rows[:, None] * dq_row
    sums = d_scale + (tl.program_id(1) * tl.num_programs(0) + batch).to(tl.int64) * HEADS * HEAD_DIM
    for head in range(HEADS):
        columns = head * HEAD_DIM + d
        tile = read(base, q_row, rows, columns, inside).to(tl.float32)
        inverse = read_inverse(scale, columns, d < HEAD_DIM)
        r = positive(tile, inverse, eps)
        slope, b = slope_and_power(r * narrow[:, None], WHOLE, PART)
        matrix, key = read_head(kv, mean_k, batch * HEADS + head, HEAD_DIM, PADDED)
        weight = tl.sum(b * key[None, :], 1) + eps / length
        gradient = read(upstream, g_row, rows, columns, inside)
        pulled = product(gradient, tl.trans(matrix), OPERAND, PRECISION, INTERPRETED)
        s = tl.sum(b * pulled, 1) / weight
        pulled = (pulled - s[:, None] * key[None, :]) * (1.0 / weight)[:, None]
        dr = row_gradient(r, slope, b, narrow, length, pulled, along, WHOLE + PART)
        tl.store(target + columns[None, :], tl.where(tile <= 0.0, 0.0, dr * inverse[None, :]), mask=inside)
        tl.store(sums + columns, tl.sum(r * dr, 0), mask=d < HEAD_DIM)


@triton.jit
@no_type_check
def key_gradient_kernel(
    k, k_batch, k_row, encoding, encoding_row, v, v_batch, v_row, scale, lengths, narrows, d_kv, d_mean_k,
    dk, dk_batch, dk_row, dv, dv_batch, dv_row, d_scale, count, eps,
    HEADS: tl.constexpr, HEAD_DIM: tl.constexpr, PADDED: tl.constexpr, BLOCK: tl.constexpr,
    WHOLE: tl.constexpr, PART: tl.constexpr,
    OPERAND: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr,
):  # fmt: skip
    """A program takes BLOCK keys and values in all heads: once for their T, once more for dk and dv."""
    batch, first = tl.program_id(0), tl.program_id(1) * BLOCK
    rows = tl.arange(0, BLOCK)
    in_rows = first + rows < count
    length = tl.load(row_at(lengths, batch, count, first, 1) + rows, mask=in_rows, other=1.0)
    narrow = tl.load(row_at(narrows, batch, count, first, 1) + rows, mask=in_rows, other=0.0)
    d = tl.arange(0, PADDED)
    inside = in_rows[:, None] & (d < HEAD_DIM)[None, :]
    base = row_at(k, batch, k_batch, first, k_row)
    code = row_at(encoding, batch, 0, first, encoding_row)
    source = row_at(v, batch, v_batch, first, v_row)
    along = tl.zeros([BLOCK], tl.float32)
    for head in range(HEADS):
        columns = head * HEAD_DIM + d
        tile = read_encoded(base, k_row, code, encoding_row, rows, columns, inside, True)
        r = positive(tile, read_inverse(scale, columns, d < HEAD_DIM), eps)
        b = power(r * narrow[:, None], WHOLE, PART)
        matrix, key = read_head(d_kv, d_mean_k, batch * HEADS + head, HEAD_DIM, PADDED)
        values = read(source, v_row, rows, columns, inside)
        pulled = product(values, tl.trans(matrix), OPERAND, PRECISION, INTERPRETED) + key[None, :]
        along += tl.sum(b * pulled, 1) * length
    target_k = row_at(dk, batch, dk_batch, first, dk_row) + rows[:, None] * dk_row
    target_v = row_at(dv, batch, dv_batch, first, dv_row) + rows[:, None] * dv_row
    sums = d_scale + (tl.program_id(1) * tl.num_programs(0) + batch).to(tl.int64) * HEADS * HEAD_DIM
    for head in range(HEADS):
        columns = head * HEAD_DIM + d
        tile = read_encoded(base, k_row, code, encoding_row, rows, columns, inside, True)
        inverse = read_inverse(scale, columns, d < HEAD_DIM)
        r = positive(tile, inverse, eps)
        slope, b = slope_and_power(r * narrow[:, None], WHOLE, PART)
        matrix, key = read_head(d_kv, d_mean_k, batch * HEADS + head, HEAD_DIM, PADDED)
        values = read(source, v_row, rows, columns, inside)
        pulled = product(values, tl.trans(matrix), OPERAND, PRECISION, INTERPRETED) + key[None, :]
        dr = row_gradient(r, slope, b, narrow, length, pulled * length[:, None], along, WHOLE + PART)
        tl.store(target_k + columns[None, :], tl.where(tile <= 0.0, 0.0, dr * inverse[None, :]), mask=inside)
        tl.store(sums + columns, tl.sum(r * dr, 0), mask=d < HEAD_DIM)
        matrix, key = read_head(d_kv, d_mean_k, batch * HEADS + head, HEAD_DIM, PADDED)
        dv_tile = product(b * length[:, None], matrix, OPERAND, PRECISION, INTERPRETED)
        tl.store(target_v + columns[None, :], dv_tile, mask=inside)
