"""What every kernel does with a tile of tokens: read it, map it, multiply it.

A row is r = (relu(t) + eps) / scale over all C channels. With its 2-norm |r| and its 2p-norm |r|_2p,

    phi = |r| b,    b = (r / |r|_2p)^p,    |b| = 1,    since |r^p| = |r|_2p^p.

So two numbers a row, |r| and 1 / |r|_2p, are all that a head has to know of the other heads, and no power leaves
float32's range: r / |r|_2p is at most 1.

`no_type_check` keeps jaxtyping's import hook off these functions: Triton compiles their source, not their objects.
"""

from typing import no_type_check

import triton
import triton.language as tl


@triton.jit
@no_type_check
def power(x, WHOLE: tl.constexpr, PART: tl.constexpr):
    """x^(WHOLE + PART) for x in [0, 1]: products of squares, and a logarithm only for what p has after the point."""
    result = tl.full(x.shape, 1.0, tl.float32)
    square = x
    for bit in tl.static_range(16):
        if (WHOLE >> bit) & 1:
            result = result * square
        if (WHOLE >> bit) > 1:
            square = square * square
    if PART > 0:
        result = result * tl.exp2(PART * tl.log2(x))
    return result


@triton.jit
@no_type_check
def row_at(pointer, batch, batch_stride, token, token_stride):
    """Where a token's row begins, in 64 bits: a batch soon holds more than 2^31 entries."""
    return pointer + tl.cast(batch, tl.int64) * batch_stride + tl.cast(token, tl.int64) * token_stride


@triton.jit
@no_type_check
def read(base, stride, rows, columns, inside):
    """A tile in its own dtype, zero where `inside` is False."""
    return tl.load(base + rows[:, None] * stride + columns[None, :], mask=inside, other=0.0)


@triton.jit
@no_type_check
def read_encoded(base, stride, encoding, encoding_stride, rows, columns, inside, ENCODED: tl.constexpr):
    """A float32 tile of keys with their positional encoding; of queries, which have none, where ENCODED is False."""
    tile = read(base, stride, rows, columns, inside).to(tl.float32)
    if ENCODED:
        tile += read(encoding, encoding_stride, rows, columns, inside).to(tl.float32)
    return tile


@triton.jit
@no_type_check
def read_head(matrices, vectors, one, HEAD_DIM: tl.constexpr, PADDED: tl.constexpr):
    """The d x d matrix and the d numbers of head `one` of all, padded with zeros."""
    d = tl.arange(0, PADDED)
    kept = d < HEAD_DIM
    at = matrices + one.to(tl.int64) * HEAD_DIM * HEAD_DIM + d[:, None] * HEAD_DIM + d[None, :]
    matrix = tl.load(at, mask=kept[:, None] & kept[None, :], other=0.0)
    return matrix, tl.load(vectors + one.to(tl.int64) * HEAD_DIM + d, mask=kept, other=0.0)


@triton.jit
@no_type_check
def write_head(matrices, vectors, one, matrix, vector, HEAD_DIM: tl.constexpr, PADDED: tl.constexpr):
    """What `read_head` reads."""
    d = tl.arange(0, PADDED)
    kept = d < HEAD_DIM
    at = matrices + one.to(tl.int64) * HEAD_DIM * HEAD_DIM + d[:, None] * HEAD_DIM + d[None, :]
    tl.store(at, matrix, mask=kept[:, None] & kept[None, :])
    tl.store(vectors + one.to(tl.int64) * HEAD_DIM + d, vector, mask=kept)


@triton.jit
@no_type_check
def read_inverse(scale, columns, kept):
    """1 / scale, and zero for columns that only pad a head: r is zero there, without a mask of its own."""
    return tl.where(kept, 1.0 / tl.load(scale + columns, mask=kept, other=1.0).to(tl.float32), 0.0)


@triton.jit
@no_type_check
def positive(tile, inverse, eps):
    """R = (relu(t) + eps) / scale, with `inverse` = 1 / scale. A NaN stays one."""
    return tl.maximum(tile, 0.0, propagate_nan=tl.PropagateNan.ALL) * inverse[None, :] + (eps * inverse)[None, :]


@triton.jit
@no_type_check
def row_norms(
    base, stride, encoding, encoding_stride, scale, rows, in_rows, eps,
    CHANNELS: tl.constexpr, WIDTH: tl.constexpr, ENCODED: tl.constexpr, WHOLE: tl.constexpr, PART: tl.constexpr,
):  # fmt: skip
    """|r| and 1 / |r|_2p in one pass over the channels: sums relative to the largest entry so far, as in softmax."""
    largest = tl.zeros(rows.shape, tl.float32)
    squares = tl.zeros(rows.shape, tl.float32)
    powers = tl.zeros(rows.shape, tl.float32)
    for first in range(0, CHANNELS, WIDTH):
        columns = first + tl.arange(0, WIDTH)
        kept = columns < CHANNELS
        inside = in_rows[:, None] & kept[None, :]
        tile = read_encoded(base, stride, encoding, encoding_stride, rows, columns, inside, ENCODED)
        r = positive(tile, read_inverse(scale, columns, kept), eps)
        larger = tl.maximum(largest, tl.max(r, 1))
        inverse = 1.0 / larger
        shrunk = largest * inverse
        unit = r * inverse[:, None]
        powered = power(unit, WHOLE, PART)
        shrunk_power = power(shrunk, WHOLE, PART)
        squares = squares * shrunk * shrunk + tl.sum(unit * unit, 1)
        powers = powers * shrunk_power * shrunk_power + tl.sum(powered * powered, 1)
        largest = larger
    length = largest * tl.sqrt(squares)
    return length, 1.0 / (largest * tl.exp2(tl.log2(powers) / (2 * (WHOLE + PART))))


@triton.jit
@no_type_check
def slope_and_power(x, WHOLE: tl.constexpr, PART: tl.constexpr):
    """x^(p - 1) and x^p. Below p = 1 the first has a pole at zero, where only padding stands: zero there."""
    slope = tl.where(x > 0, tl.exp2((PART - 1) * tl.log2(x)), 0.0) if WHOLE == 0 else power(x, WHOLE - 1, PART)
    return slope, slope * x


@triton.jit
@no_type_check
def row_gradient(r, slope, b, narrow, length, pulled, along, p):
    """dr from `pulled` = |r| dphi and `along` = T. The derivation stands in `backward`."""
    return r * (along / length / length)[:, None] + slope * (p * narrow)[:, None] * (pulled - b * along[:, None])


@triton.jit
@no_type_check
def product(x, y, OPERAND: tl.constexpr, PRECISION: tl.constexpr, INTERPRETED: tl.constexpr):
    """x y, summed in float32, of operands rounded to OPERAND. Triton's interpreter cannot multiply bf16 itself."""
    x = x.to(OPERAND)
    y = y.to(OPERAND)
    if INTERPRETED:
        x = x.to(tl.float32)
        y = y.to(tl.float32)
    return tl.dot(x, y, input_precision=PRECISION)
