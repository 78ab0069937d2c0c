"""Rounding is PyTorch's bit for bit, the steps are the module's, and what the book says of them is so."""

import math
import re
from pathlib import Path

import pytest
import torch

from flatten_edu.analysis import (
    Fixes,
    focused_steps,
    output_error,
    round_to,
    stored_range,
)
from flatten_edu.analysis.formats import whole_power
from flatten_edu.data import hash_noise
from flatten_edu.functional import published_attention

PAGE = Path(__file__).parents[2] / "book" / "labs" / "precision.md"
NOTHING = Fixes(wide_sums=True)


def inputs(n=196, d=64, size=8.0, seed=0):
    rows = [min(n, 196), n, n]
    return [size * hash_noise(seed, 2 - i, m, d).float() for i, m in enumerate(rows)]


def both(tensors, *args):
    return focused_steps(*tensors, *args), focused_steps(*tensors, *args, exact=True)


def every_half() -> torch.Tensor:
    return torch.arange(65536, dtype=torch.int32).to(torch.int16).view(torch.float16)


@pytest.mark.parametrize("p", [1, 2, 3, 4, 6, 8, 12, 16])
def test_a_power_rounded_once_is_pytorch_s_for_every_half(p):
    x = every_half()
    ours = round_to("fp16", whole_power(x.float(), p)).half()
    same = (ours == x**p) | (ours.isnan() & (x**p).isnan())
    assert same.all()


def test_in_float64_the_steps_are_the_published_module():
    n, d = 49, 16
    x, weight = hash_noise(0, 0, n, d), hash_noise(0, 1, 3 * d, d)
    q, k, v = (x @ weight.T / 8).chunk(3, dim=1)
    zeros = torch.zeros(1, n, d, dtype=torch.float64), torch.zeros(1, 1, d, dtype=torch.float64)
    for p, fixed in [(3, False), (3, True), (8, True)]:
        projections = lambda t: t @ weight.T / 8, None, lambda t: t
        wanted = published_attention(x[None], *projections, *zeros, 1, (7, 7), p, fp16_fix=fixed)[0]
        found = focused_steps(q, k, v, "fp32", p, Fixes(over_sqrt_n=fixed, row_max=p > 6), exact=True)["out"]
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-7)  # the inputs were rounded to float32


def test_fp32_holds_what_float64_has():
    stored, exact = both(inputs(n=49, size=1.0), "fp32", 3, NOTHING)
    for name in stored:
        torch.testing.assert_close(stored[name].double(), exact[name], rtol=1e-3, atol=1e-6 * exact[name].max().item())
    assert output_error(stored["out"], exact["out"]) < 1e-6


def test_the_fixes_do_not_change_what_is_meant():
    """In float64 all of them give one output, but for the 1e-6 that the mean key makes count N times."""
    outputs = [
        focused_steps(*inputs(n=49, size=1.0), "fp16", 3, Fixes(row_max=a, over_sqrt_n=b), exact=True)["out"]
        for a in (False, True) for b in (False, True)
    ]  # fmt: skip
    for other in outputs[1:]:
        torch.testing.assert_close(other, outputs[0], rtol=1e-4, atol=1e-6)


def test_the_first_guided_step_s_numbers():
    stored, exact = both(inputs(), "fp16", 3, NOTHING)
    assert stored["power_k"].isinf().sum() == 1 and stored["power_k"].numel() == 12544
    assert stored["phi_k"].isnan().sum() == 1 and stored["out"].isnan().all()
    assert stored_range(stored["power_k"], exact["power_k"]).flushed == pytest.approx(0.5, abs=0.01)


COLUMNS = {
    "nothing else": {}, "over": {"over_sqrt_n": True}, "max": {"row_max": True},
    "both": {"over_sqrt_n": True, "row_max": True}, "whole": {"whole": True},
}  # fmt: skip


def table() -> list[tuple[float, list[str]]]:
    rows = re.findall(r"^\| (1|8|64|1/\d+) \|(.*)\|$", PAGE.read_text(), re.MULTILINE)
    return [(eval(size), [cell.strip() for cell in cells.split("|")]) for size, cells in rows]


@pytest.mark.parametrize(("size", "cells"), table())
def test_the_page_s_table(size, cells):
    for cell, fixes in zip(cells, COLUMNS.values(), strict=True):
        stored, exact = both(inputs(size=size), "fp16", 3, Fixes(wide_sums=True, **fixes))
        error = output_error(stored["out"], exact["out"])
        if cell in {"NaN", "Inf"}:
            assert math.isnan(error) and stored["out"].isnan().any() == (cell == "NaN")
        else:
            assert f"{100 * error:.2g} %" == cell


def test_the_page_s_claims():
    assert len(table()) == 6
    stored, exact = both(inputs(n=3136, size=2.0), "fp16", 3, NOTHING)
    assert f"{stored_range(stored['out'], exact['out']).flushed:.1%}" == "89.8%" and not stored["out"].isnan().any()
    for fixes, percent in [(Fixes(), "22"), (NOTHING, "0.66")]:
        stored, exact = both(inputs(n=3136, size=1.0), "bf16", 3, fixes)
        assert f"{100 * output_error(stored['out'], exact['out']):#.2g}".rstrip(".") == percent
    for row_max in (False, True):
        stored, exact = both(inputs(), "fp16", 16, Fixes(whole=True, row_max=row_max))
        assert (stored["out"] == 0).all().item() != row_max
    text = PAGE.read_text()
    assert all(figure in text for figure in ["89.8 %", "22 %", "0.66 %", "one entry in 12,544"])


def test_what_will_not_do():
    q, k, v = inputs(n=4, d=2)
    with pytest.raises(ValueError, match="format"):
        focused_steps(q, k, v, "fp8")
    with pytest.raises(ValueError, match="whole number p from 1 to 16, got 17"):
        focused_steps(q, k, v, p=17)
    with pytest.raises(ValueError, match="from -65504 to 65504 in v"):
        focused_steps(q, k, v * 1e5)
