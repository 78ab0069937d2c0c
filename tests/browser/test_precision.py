"""The lab `precision` on the built page: its emulation is Python's bit for bit, and it shows what Python computes."""

import math
import random

import numpy as np
import pytest
import torch

from flatten_edu.analysis import Fixes, focused_steps, output_error, round_to, stored_range
from flatten_edu.data import hash_noise
from flatten_edu.labs.frame.tensors import pack
from tests.browser.conftest import fragment
from tests.browser.in_page import LAB

PAGE = "book/labs/precision.html"
FIXES = ["row_max", "over_sqrt_n", "wide_sums", "whole"]
FIRST = {"dtype": "fp16", "n": 196, "d": 64, "p": 3, "size": 8.0, "seed": 0} | dict.fromkeys(FIXES, False)
FIRST["wide_sums"] = True
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


@pytest.fixture
def live(reader):
    return reader().open(PAGE)


# Every fp16 and bf16 number as float32, the points halfway between neighbours, their neighbours in float32, and
# a million float32 numbers of any bits.
ROUNDING = (
    """
async (format) => {"""
    + LAB
    + DIGEST
    + """
  const patterns = [];
  const shift = 16;
  for (let high = 0; high < 65536; high++) {
    for (const low of [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff]) patterns.push(((high << shift) | low) >>> 0);
  }
  for (let exponent = 100; exponent < 145; exponent++) {
    for (let step = 0; step < 2048; step++) {
      for (const low of [-1, 0, 1]) patterns.push((((exponent << 23) | (step << 12)) + low) >>> 0);
    }
  }
  for (let i = 0; i < 1000000; i++) patterns.push(Math.imul(i, 2654435761) >>> 0);
  const bits = Uint32Array.from(patterns);
  const x = new Float32Array(bits.buffer);
  const one = Array.from(x.subarray(0, 2000), (value) => lab.roundTo(format, value));
  lab.roundAll(format, x, bits);
  return [bits.length, digest(x), digest(one)];
}"""
)


def rounding_patterns() -> torch.Tensor:
    low = np.array([0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF], dtype=np.int64)
    first = ((np.arange(65536, dtype=np.int64) << 16)[:, None] | low).reshape(-1)
    grid = (np.arange(100, 145, dtype=np.int64) << 23)[:, None] | (np.arange(2048, dtype=np.int64) << 12)
    second = (grid.reshape(-1)[:, None] + np.array([-1, 0, 1])).reshape(-1)
    third = np.arange(1_000_000, dtype=np.int64) * 2654435761 % 2**32
    return torch.from_numpy((np.concatenate([first, second, third]) % 2**32).astype(np.uint32).view(np.float32))


@pytest.mark.parametrize("dtype", ["fp16", "bf16", "fp32"])
def test_rounding_is_pytorch_s_bit_for_bit(live, dtype):
    x = rounding_patterns()
    cast = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}[dtype]
    count, all_of_them, one_by_one = live.evaluate(ROUNDING, dtype)
    assert count == len(x) > 1_600_000
    assert all_of_them == digest(x.to(cast).float())
    assert one_by_one == digest(round_to(dtype, x[:2000]))


def test_every_fp16_number_is_reached(live):
    every = torch.arange(65536, dtype=torch.int32).to(torch.int16).view(torch.float16).float()
    found = live.evaluate(
        f"async (bits) => {{ {LAB} {DIGEST} const u = Uint32Array.from(bits);"
        " const x = new Float32Array(u.buffer); lab.roundAll('fp16', x, u); return digest(x); }",
        every.numpy().view(np.uint32).tolist(),
    )
    assert found == digest(every)


STEPS = (
    """
async (cases) => {"""
    + LAB
    + DIGEST
    + """
  return cases.map(({ dtype, n, m, d, e, p, size, seed, ...fixes }) => {
    const numbers = (...shape) => Float32Array.from(lab.hashNoise(seed, ...shape)).map((x) => x * size);
    const draw = (rows, columns, stream) => ({ rows, columns, data: numbers(stream, rows, columns) });
    const inputs = [draw(n, d, 2), draw(m, d, 1), draw(m, e, 0)];
    const stored = lab.focusedSteps(...inputs, dtype, p, fixes);
    const exact = lab.focusedSteps(...inputs, dtype, p, fixes, true);
    return {
      names: Object.keys(stored).sort(),
      bits: Object.fromEntries(Object.entries(stored).map(([name, x]) => [name, digest(x)])),
      ranges: Object.fromEntries(Object.keys(stored).map((name) =>
        [name, Object.values(lab.storedRange(stored[name], exact[name])).map(String)])),
      exact: Object.fromEntries(Object.entries(exact).map(([name, x]) => [name, [...x.slice(0, 5)].map(String)])),
      error: String(lab.outputError(stored.out, exact.out)),
    };
  });
}"""
)


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


def test_every_tensor_is_python_s_bit_for_bit(live):
    draw = random.Random(0)
    cases = [random_case(draw) for _ in range(300)]
    broken = 0
    for case, found in zip(cases, live.evaluate(STEPS, cases), strict=True):
        stored, exact = python_steps(case)
        assert found["names"] == sorted(stored)
        assert found["bits"] == {name: digest(x) for name, x in stored.items()}, case
        for name in stored:
            wanted = stored_range(stored[name], exact[name])
            shown = [float(text.replace("Infinity", "inf")) for text in found["ranges"][name]]
            assert shown == pytest.approx(list(vars(wanted).values()), rel=1e-6, nan_ok=True), (case, name)
            begin = [float(text.replace("Infinity", "inf")) for text in found["exact"][name]]
            assert begin == pytest.approx(exact[name].reshape(-1)[:5].tolist(), rel=1e-6, nan_ok=True)
        error = output_error(stored["out"], exact["out"])
        assert float(found["error"]) == pytest.approx(error, rel=1e-6, nan_ok=True)
        broken += math.isnan(error)
    assert 30 < broken < 270  # the cases are of both kinds


def wait(page):
    page.wait_for_function("document.querySelector('.fe-precision').getAttribute('aria-busy') === 'false'")


def outputs(one) -> dict[str, float]:
    one.frame()
    wait(one.page)
    visible = one.page.locator(".fe-lab").evaluate(
        "(lab) => Object.fromEntries([...lab.querySelectorAll('output[data-value]')]"
        ".filter((o) => !o.closest('tbody[hidden]')).map((o) => [o.dataset.name, o.dataset.value]))"
    )
    return {name: float(value.replace("Infinity", "inf")) for name, value in visible.items()}


def assert_shows(one, state):
    case = state | {"m": state["n"], "e": state["d"], "n": min(state["n"], 196)}
    stored, exact = python_steps(case)
    shown = outputs(one)
    for name in stored:
        wanted = stored_range(stored[name], exact[name])
        for key, value in vars(wanted).items():
            assert shown.pop(f"{key}_{name}") == pytest.approx(value, rel=1e-6, nan_ok=True), (name, key)
    assert shown.pop("error") == pytest.approx(output_error(stored["out"], exact["out"]), rel=1e-6, nan_ok=True)
    assert set(shown) == {"n", "d", "p", "size", "seed"}


def test_the_first_view_and_the_guided_steps_show_what_they_say(reader):
    one = reader()
    page = one.open(PAGE)
    assert_shows(one, FIRST)
    text = page.locator(".fe-result").inner_text
    assert "All of the output is NaN" in text() and "one entry in 12,544" in text()
    page.get_by_role("button", name="fp16 breaks").click()
    shown = outputs(one)
    assert round(1 / shown["overflowed_power_k"]) == 12544 == round(1 / shown["nan_phi_k"]) and shown["nan_out"] == 1
    page.get_by_role("button", name="A fix too late").click()
    assert_shows(one, FIRST | {"over_sqrt_n": True})
    assert outputs(one)["nan_out"] == 1
    page.get_by_role("checkbox", name="row maximum").check()
    shown = outputs(one)
    assert shown["nan_out"] == 0 and shown["error"] == pytest.approx(0.0012, abs=5e-5)
    page.get_by_role("checkbox", name="and the mean key").uncheck()
    shown = outputs(one)
    assert shown["overflowed_power_k"] == 0 and shown["overflowed_similarity"] > 0.9 and shown["nan_out"] > 0
    page.get_by_role("button", name="float32 holds").click()
    shown = outputs(one)
    assert f"{100 * shown['error']:.2g}" == "0.027"
    assert all(value == 0 for name, value in shown.items() if name.startswith(("nan", "overflowed", "flushed")))
    slider = page.get_by_role("slider", name="p, focusing factor")
    slider.press("End")
    shown = outputs(one)
    assert shown["p"] == 16 and shown["overflowed_power_norm_k"] > 0 and shown["flushed_out"] == 1
    page.get_by_role("checkbox", name="row maximum").check()
    assert outputs(one)["error"] < 0.001


def test_moving_by_keyboard_shows_what_python_says(reader):
    one = reader()
    page = one.open(PAGE + fragment("precision", n=49, d=16))
    state = FIRST | {"n": 49, "d": 16}
    for name, key, trait, value in [
        ("size of the entries", "ArrowLeft", "size", 4.0),
        ("p, focusing factor", "ArrowRight", "p", 4),
        ("N, tokens", "ArrowLeft", "n", 16),
        ("d, channels", "ArrowRight", "d", 32),
        ("seed", "ArrowRight", "seed", 1),
    ]:
        page.get_by_role("slider", name=name).press(key)
        state[trait] = value
        assert_shows(one, state)
    page.get_by_role("radio", name="fp16").press("ArrowRight")
    state["dtype"] = "bf16"
    assert_shows(one, state)
    page.get_by_role("checkbox", name="sums in float32").press("Space")
    state["wide_sums"] = False
    assert_shows(one, state)


def test_the_page_answers_while_many_tokens_are_worked_on_and_the_latest_counts(reader, measured):
    one = reader()
    page = one.open(PAGE)
    wait(page)
    longest = page.evaluate(
        """async () => {
          const slider = [...document.querySelectorAll('.fe-lab input[type=range]')].find((i) => i.max === '4');
          const root = document.querySelector('.fe-precision');
          let [last, longest] = [performance.now(), 0];
          let running = true;
          const tick = () => {
            const now = performance.now();
            longest = Math.max(longest, now - last);
            last = now;
            if (running) setTimeout(tick, 0);
          };
          tick();
          for (const stop of [4, 3, 4]) {
            slider.value = stop;
            slider.dispatchEvent(new Event('input', { bubbles: true }));
            await new Promise((done) => setTimeout(done, 60));
          }
          while (root.getAttribute('aria-busy') === 'true') await new Promise((done) => setTimeout(done, 10));
          running = false;
          return longest;
        }"""
    )
    measured("lab precision, N = 3136: longest block", f"{longest:.0f} ms between two timers")
    shown = outputs(one)
    assert shown["n"] == 3136
    assert_shows(one, FIRST | {"n": 3136})
    assert "the first 196 are followed" in page.locator(".fe-lab").inner_text()


GIVE = (
    """
async ([own, found]) => {"""
    + LAB
    + """
  const model = modelOf(own);
  const [el, remove] = mountOn(model);
  const before = el.innerText;
  for (const [name, values] of Object.entries(found)) model.set(name, asBytes(values));
  while (el.querySelector(".fe-precision").getAttribute("aria-busy") === "true") await pause(20);
  const [values, after] = [figuresIn(el), el.innerText];
  remove();
  const left = [model.handlers.size, el.childElementCount];
  el.remove();
  return { before, after, values, left };
}
"""
)


def test_the_reader_s_own_tensors(live):
    torch.manual_seed(0)
    q, k, v = torch.randn(5, 8), torch.randn(7, 8), torch.randn(7, 4)
    state = FIRST | {"size": 2.0, "source": "own", "step": 0}
    found = live.evaluate(GIVE, [state, {name: list(pack(matrix=x)) for name, x in {"q": q, "k": k, "v": v}.items()}])
    assert "have not arrived yet" in found["before"] and "q 5 × 8, k 7 × 8, v 7 × 4" in found["after"]
    stored, exact = (
        focused_steps(2 * q, 2 * k, 2 * v, "fp16", 3, Fixes(wide_sums=True), exact=e) for e in (False, True)
    )
    assert float(found["values"]["error"]) == pytest.approx(output_error(stored["out"], exact["out"]), rel=1e-6)
    assert float(found["values"]["largest_kv"]) == stored["kv"].abs().max().item()
    assert found["left"] == [0, 0]
