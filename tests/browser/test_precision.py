"""The lab `precision` on the built page: its emulation is Python's bit for bit, and it shows what Python computes."""

import math
import random

import numpy as np
import pytest
import torch

from flatten_edu.analysis import Fixes, focused_steps, output_error, stored_range
from flatten_edu.data import hash_noise
from flatten_edu.labs import PrecisionLab
from tests.browser.conftest import fragment
from tests.browser.in_page import given, move_at_once, views
from tests.browser.test_twins import CALL, packed

PAGE = "book/labs/precision.html"
FIXES = list(vars(Fixes()))
FIRST = {name: getattr(PrecisionLab(), name) for name in ("dtype", "n", "d", "p", "size", "seed", *FIXES)}
# A number that changes with any bit and its place; every NaN counts as the same.
DIGEST = """
const digest = (x) => {
  const bits = new Uint32Array(Float32Array.from(x).buffer);
  let sum = 0;
  bits.forEach((b, i) => {
    const one = (b & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : b;
    sum = (sum + Math.imul(one ^ (one >>> 15), 2 * i + 1)) >>> 0;
  });
  return sum;
};
"""


def digest(x: torch.Tensor) -> int:
    bits = x.contiguous().numpy().reshape(-1).view(np.uint32).astype(np.uint64)
    bits = np.where((bits & 0x7FFFFFFF) > 0x7F800000, 0x7FC00000, bits)
    mixed = (bits ^ (bits >> 15)) & 0xFFFFFFFF
    return int((mixed * (2 * np.arange(len(bits), dtype=np.uint64) + 1) % 2**32).sum() % 2**32)


ROUNDING = f"""(format, text) => {{
  {DIGEST}
  const bits = new Uint32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const x = new Float32Array(bits.buffer);
  lab.roundAll(format, x, bits);
  return digest(x);
}}"""


def rounding_patterns() -> torch.Tensor:
    """Every fp16 and bf16 number as float32, the points halfway between neighbours, their neighbours in float32, and
    a million float32 numbers of any bits."""
    low = np.array([0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF], dtype=np.int64)
    first = ((np.arange(65536, dtype=np.int64) << 16)[:, None] | low).reshape(-1)
    grid = (np.arange(100, 145, dtype=np.int64) << 23)[:, None] | (np.arange(2048, dtype=np.int64) << 12)
    second = (grid.reshape(-1)[:, None] + np.array([-1, 0, 1])).reshape(-1)
    third = np.arange(1_000_000, dtype=np.int64) * 2654435761 % 2**32
    return torch.from_numpy((np.concatenate([first, second, third]) % 2**32).astype(np.uint32).view(np.float32))


def test_rounding_is_pytorch_s_bit_for_bit(bare):
    x = rounding_patterns()
    casts = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}
    wanted = [digest(x.to(cast).float()) for cast in casts.values()]
    assert bare("precision").evaluate(CALL, [ROUNDING, [[name, packed(x)] for name in casts]]) == wanted


STEPS = f"""({{ dtype, n, m, d, e, p, size, seed, ...fixes }}) => {{
  {DIGEST}
  const numbers = (...shape) => Float32Array.from(lab.hashNoise(seed, ...shape)).map((x) => x * size);
  const draw = (rows, columns, stream) => ({{ rows, columns, data: numbers(stream, rows, columns) }});
  const inputs = [draw(n, d, 2), draw(m, d, 1), draw(m, e, 0)];
  const stored = lab.focusedSteps(...inputs, dtype, p, fixes);
  const exact = lab.focusedSteps(...inputs, dtype, p, fixes, true);
  const each = (f) => Object.fromEntries(Object.keys(stored).map((name) => [name, f(name)]));
  return {{
    bits: each((name) => digest(stored[name])),
    ranges: each((name) => Object.values(lab.storedRange(stored[name], exact[name]))),
    exact: each((name) => exact[name].slice(0, 5)),
    error: lab.outputError(stored.out, exact.out),
  }};
}}"""


def random_case(draw: random.Random) -> dict:
    case = {
        "dtype": draw.choice(["fp16", "fp16", "bf16", "fp32"]),
        "n": draw.randint(1, 12), "m": draw.choice([1, 3, 16, 49]), "d": draw.choice([1, 2, 5, 16]),
        "e": draw.choice([1, 4, 16]), "p": draw.choice([1, 2, 3, 4, 6, 8, 12, 16]),
        "size": 2.0 ** draw.randint(-10, 6) * draw.choice([1, 0.3]), "seed": draw.randint(0, 9999),
    }  # fmt: skip
    return case | {fix: draw.random() < 0.4 for fix in FIXES}


def python_steps(case):
    shapes = [(case["n"], case["d"]), (case["m"], case["d"]), (case["m"], case["e"])]
    inputs = [
        (hash_noise(case["seed"], 2 - i, rows, columns).float().double() * case["size"]).float()
        for i, (rows, columns) in enumerate(shapes)
    ]
    fixes = Fixes(**{fix: case[fix] for fix in FIXES})
    return [focused_steps(*inputs, case["dtype"], case["p"], fixes, exact=exact) for exact in (False, True)]


def test_every_tensor_is_python_s_bit_for_bit(bare):
    draw = random.Random(0)
    cases = [random_case(draw) for _ in range(300)]
    broken = 0
    for case, found in zip(cases, bare("precision").evaluate(CALL, [STEPS, [[case] for case in cases]]), strict=True):
        stored, exact = python_steps(case)
        assert found["bits"] == {name: digest(x) for name, x in stored.items()}, case
        for name in stored:
            wanted = stored_range(stored[name], exact[name])
            assert found["ranges"][name] == pytest.approx(list(vars(wanted).values()), rel=1e-6, nan_ok=True), case
            wanted = exact[name].reshape(-1)[:5].tolist()
            assert found["exact"][name] == pytest.approx(wanted, rel=1e-6, nan_ok=True), case
        error = output_error(stored["out"], exact["out"])
        assert found["error"] == pytest.approx(error, rel=1e-6, nan_ok=True)
        broken += math.isnan(error)
    assert 30 < broken < 270  # the cases are of both kinds


def assert_shows(shown, **settings):
    case = FIRST | settings
    stored, exact = python_steps(case | {"m": case["n"], "e": case["d"], "n": min(case["n"], 196)})
    wanted = {"error": output_error(stored["out"], exact["out"])}
    for name in stored:
        found = vars(stored_range(stored[name], exact[name]))
        wanted |= {f"{key}_{name}": value for key, value in found.items()}
    assert {name: shown[name] for name in wanted} == pytest.approx(wanted, rel=1e-6, nan_ok=True)


def test_the_first_view_and_the_guided_steps_show_what_they_say(reader):
    one = reader()
    page = one.open(PAGE)
    assert_shows(one.figures())
    text = page.locator(".fe-result").inner_text()
    assert "All of the output is NaN" in text and "one entry in 12,544" in text
    page.get_by_role("button", name="fp16 breaks").click()
    shown = one.figures()
    assert round(1 / shown["overflowed_power_k"]) == 12544 == round(1 / shown["nan_phi_k"]) and shown["nan_out"] == 1
    page.get_by_role("button", name="A fix too late").click()
    assert_shows(one.figures(), over_sqrt_n=True)
    assert one.outputs()["nan_out"] == 1
    page.get_by_role("checkbox", name="row maximum").check()
    shown = one.figures()
    assert shown["nan_out"] == 0 and shown["error"] == pytest.approx(0.0012, abs=5e-5)
    page.get_by_role("checkbox", name="and the mean key").uncheck()
    shown = one.figures()
    assert shown["overflowed_power_k"] == 0 and shown["overflowed_similarity"] > 0.9 and shown["nan_out"] > 0
    page.get_by_role("button", name="float32 holds").click()
    assert f"{100 * one.figures()['error']:.2g}" == "0.027"
    assert page.locator(".fe-loss:visible").count() == 0
    page.get_by_role("slider", name="p, focusing factor").press("End")
    shown = one.figures()
    assert shown["p"] == 16 and shown["overflowed_power_norm_k"] > 0 and shown["flushed_out"] == 1
    page.get_by_role("checkbox", name="row maximum").check()
    assert one.figures()["error"] < 0.001


def test_other_settings_show_what_python_says(reader):
    small = {"n": 49, "d": 16}
    cases = [
        small | case for case in ({"size": 4.0}, {"p": 4}, {"n": 16}, {"d": 32}, {"seed": 1}, {"dtype": "bf16"},
                                  {"dtype": "bf16", "wide_sums": False}, {"whole": True, "row_max": True})
    ]  # fmt: skip
    for case, shown in zip(cases, views(reader().open(PAGE), cases), strict=True):
        assert_shows(shown["figures"], **case)


def test_of_many_settings_at_once_the_latest_counts_and_of_many_tokens_the_first_are_followed(reader):
    one = reader()
    page = one.open(PAGE + fragment("precision", d=16))
    move_at_once(page.get_by_role("slider", name="N, tokens"), [4, 3, 4])
    assert_shows(one.figures(), n=3136, d=16)
    assert "the first 196 are followed" in page.locator(".fe-lab").inner_text()


def test_the_reader_s_own_tensors(reader):
    torch.manual_seed(0)
    q, k, v = torch.randn(5, 8), torch.randn(7, 8), torch.randn(7, 4)
    found = given(reader().open(PAGE), PrecisionLab(q=q, k=k, v=v, size=2.0))
    assert "q 5 × 8, k 7 × 8, v 7 × 4" in found["text"]
    stored, exact = (
        focused_steps(2 * q, 2 * k, 2 * v, "fp16", 3, Fixes(wide_sums=True), exact=e) for e in (False, True)
    )
    assert found["figures"]["error"] == pytest.approx(output_error(stored["out"], exact["out"]), rel=1e-6)
    assert found["figures"]["largest_kv"] == stored["kv"].abs().max().item()
