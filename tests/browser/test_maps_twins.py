"""The mathematics of the lab `maps` in a browser: its models are PyTorch's, its maps are Python's."""

import base64
import math
import random

import numpy as np
import pytest
import torch

from flatten_edu.analysis import capture, equivalent_map, magnitude_share, value_weighted, what_if_map
from flatten_edu.data import centre_square
from flatten_edu.models import pretrained, pretrained_names
from flatten_edu.models.pretrained import WEIGHTS
from tests.browser.test_maps import PAGE, SAMPLES, description


def packed(array: torch.Tensor | np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array, dtype=np.float32).tobytes()).decode()


FORWARD = """
async ([esm, weights, cases]) => {
  const lab = await import(new URL(esm, document.baseURI));
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const floats = (text) => Float64Array.from(new Float32Array(bytes(text).buffer));
  const tensors = lab.readSafetensors(new DataView(bytes(weights).buffer));
  const far = (x, text) => {
    const y = floats(text);
    if (x.length !== y.length) return Infinity;
    return x.reduce((most, entry, i) => Math.max(most, Math.abs(entry - y[i])), 0);
  };
  return cases.map(({ image, settings, logits, blocks }) => {
    const from = performance.now();
    const pass = lab.forward(tensors, floats(image), settings);
    const milliseconds = performance.now() - from;
    const worst = { logits: far(pass.logits, logits) };
    (blocks ?? []).forEach((block, i) => {
      for (const [name, wanted] of Object.entries(block)) {
        worst[name] = Math.max(worst[name] ?? 0, far(pass.blocks[i][name], wanted));
      }
    });
    return [worst, milliseconds];
  });
}
"""


def rows(x: torch.Tensor) -> str:
    """[1, h, n, d] as the browser has it: n rows of C."""
    return packed(x[0].transpose(0, 1).flatten(1))


def forward_case(model, image: torch.Tensor, p: float, whole: bool) -> dict:
    kind = model.config.attention
    for block in model.blocks:
        block.attn.p = p
        if kind == "relu":
            block.attn.feature_map = "focused"  # at p = 1 this is ReLU
    with capture(model) as records, torch.no_grad():
        logits = model(image[None])
    settings = {"variant": kind, "heads": model.config.num_heads, "p": p, "perHead": kind == "relu"}
    case = {"image": packed(image), "settings": settings, "logits": packed(logits)}
    if whole:
        case["blocks"] = [
            {"q": rows(r.q), "k": rows(r.k), "v": rows(r.v), "weights": packed(r.weights)}
            | ({} if r.phi_q is None else {"phiQ": rows(r.phi_q), "phiK": rows(r.phi_k)})
            for r in records
        ]
    return case


@pytest.mark.parametrize("name", [name for name in pretrained_names() if "cifar10" in name and "p3" not in name])
def test_the_forward_pass_is_pytorch_s(reader, measured, name):
    page = reader().open(PAGE)
    model = pretrained(name)
    kind = model.config.attention
    if kind not in ("softmax", "relu", "focused", "focused_dwc", "dwc"):
        pytest.skip("the labs show five kinds of attention")
    generator = torch.Generator().manual_seed(0)
    images = [*SAMPLES.batch(torch.arange(20))[0], *torch.randn(12, 3, 28, 28, generator=generator)]
    trained = 1 if kind == "relu" else 3
    cases = [forward_case(model, image, trained, i % 10 == 0) for i, image in enumerate(images)]
    if kind not in ("softmax", "dwc"):
        cases += [forward_case(model, images[i], p, i < 2) for i, p in enumerate([1, 2, 8, 4.5])]
    weights = base64.b64encode((WEIGHTS / f"{name}.safetensors").read_bytes()).decode()
    worst: dict[str, float] = {}
    times = []
    for start in range(0, len(cases), 12):
        answers = page.evaluate(FORWARD, [description()["esm"], weights, cases[start : start + 12]])
        for differences, milliseconds in answers:
            times.append(milliseconds)
            worst |= {part: max(worst.get(part, 0), value) for part, value in differences.items()}
    assert max(value for part, value in worst.items() if not part.startswith("phi")) < 1e-4, worst
    assert max(worst.values()) < 1e-3, worst
    median = sorted(times)[len(times) // 2]
    measured(f"lab maps, {kind}: a forward pass", f"median {median:.0f} ms, fastest {min(times):.0f} ms (goal 100 ms)")
    measured(
        f"lab maps, {kind}: browser and PyTorch differ by",
        ", ".join(f"{part} {value:.0e}" for part, value in worst.items()),
    )


MATHS = """
async ([esm, calls]) => {
  const lab = await import(new URL(esm, document.baseURI));
  const array = (x) => (Array.isArray(x) && typeof x[0] === "number" ? Float64Array.from(x) : x);
  return calls.map(({ layer, feature, i, head, kernel, grid, first, channel }) => {
    const typed = Object.fromEntries(Object.entries(layer).map(([name, x]) => [name, array(x)]));
    const row = new lab.AttentionMap(typed, feature).row(i, head);
    const whole = lab.equivalentRow(row, i, { ...kernel, data: array(kernel.data) }, grid, first, channel);
    const weighted = lab.valueWeighted(row, typed.v, layer.heads, head);
    return [row, whole, weighted, lab.magnitudeShare(whole)].map((one) => [...one]);
  });
}
"""


def random_layer(draw: random.Random, seed: int):
    """A small layer of random shape, and the functions' own values of one of its rows."""
    grid, heads, d = (draw.randint(1, 5), draw.randint(1, 5)), draw.randint(1, 3), draw.randint(1, 6)
    first = draw.random() < 0.5
    n = grid[0] * grid[1] + first
    generator = torch.Generator().manual_seed(seed)
    q, k, v = torch.randn(3, heads, n, d, generator=generator, dtype=torch.float64) * 10 ** draw.uniform(-2, 1)
    scale = torch.rand(heads * d, generator=generator, dtype=torch.float64) + 0.1
    kind, p = draw.choice(["softmax", "relu", "focused"]), draw.choice([1, 1.05, 2, 3, 8, 32.5])
    per_head = kind == "relu" or draw.random() < 0.5
    sides = (draw.choice([1, 3, 5]), draw.choice([1, 3]))
    kernel = torch.randn(d, *sides, generator=generator, dtype=torch.float64)
    head, channel, i = draw.randrange(-1, heads), draw.randrange(-1, d), draw.randrange(n)
    maps = what_if_map(q, k, kind, p, scale, "head" if per_head else "channels")
    one = maps.mean(0) if head < 0 else maps[head]
    equivalent = equivalent_map(one, kernel, grid, first)
    whole = (equivalent.abs().mean(0) if channel < 0 else equivalent[channel])[i]
    value = v.transpose(0, 1).flatten(1) if head < 0 else v[head]
    flat = lambda x: x.transpose(0, 1).flatten().tolist()  # noqa: E731
    rows_of = {"q": flat(q), "k": flat(k), "v": flat(v), "scale": scale.tolist()}
    call = {
        "layer": {"n": n, "heads": heads, **rows_of, "kernel": None},
        "feature": {"kind": kind, "p": p, "perHead": per_head}, "i": i, "head": head, "grid": list(grid),
        "kernel": {"sides": list(sides), "data": kernel.flatten().tolist()}, "first": int(first), "channel": channel,
    }  # fmt: skip
    return call, [one[i], whole, value_weighted(one, value)[i], magnitude_share(whole)]


def test_rows_of_random_layers_are_python_s(reader):
    draw = random.Random(1)
    calls, wanted = zip(*(random_layer(draw, seed) for seed in range(300)), strict=True)
    found = reader().open(PAGE).evaluate(MATHS, [description()["esm"], list(calls)])
    for call, rows_found, rows_wanted in zip(calls, found, wanted, strict=True):
        for f, w in zip(rows_found, rows_wanted, strict=True):
            assert f == pytest.approx(w.tolist(), rel=1e-6, abs=1e-12), call["feature"]


CROP = """
async ([esm, calls]) => {
  const lab = await import(new URL(esm, document.baseURI));
  return calls.map(([rgba, width, height, size]) => [...lab.centreSquare(rgba, width, height, size)]);
}
"""


def test_a_picture_s_centre_square_is_python_s(reader):
    draw = np.random.default_rng(2)
    shapes = [(28, 28), (56, 84), (31, 40), (97, 61), (13, 20), (140, 28)]
    images = [draw.integers(0, 256, (*shape, 4), dtype=np.uint8) for shape in shapes]
    calls = [[image.flatten().tolist(), image.shape[1], image.shape[0], 28] for image in images]
    for image, found in zip(images, reader().open(PAGE).evaluate(CROP, [description()["esm"], calls]), strict=True):
        wanted = centre_square(image[..., :3], 28).astype(int).flatten()
        assert np.abs(np.array(found) - wanted).max() <= 1  # Pillow rounds once on the way


def test_half_precision_and_erf_and_bad_files(reader):
    page = reader().open(PAGE)
    halves = np.arange(0x7C00, dtype=np.uint16)[::7]
    found = page.evaluate(
        "async ([esm, halves]) => { const m = await import(new URL(esm, document.baseURI));"
        " return [halves.map(m.half), halves.map((bits) => m.half(bits | 0x8000))]; }",
        [description()["esm"], halves.tolist()],
    )
    assert found[0] == halves.view(np.float16).astype(float).tolist()
    assert found[1] == (-halves.view(np.float16).astype(float)).tolist()
    x = np.linspace(-7, 7, 1001)
    found = page.evaluate(
        "async ([esm, x]) => { const m = await import(new URL(esm, document.baseURI)); return x.map(m.erf); }",
        [description()["esm"], x.tolist()],
    )
    assert found == pytest.approx([math.erf(one) for one in x], rel=1e-13, abs=1e-15)
    with pytest.raises(Exception, match="cut short"):
        page.evaluate(
            "async ([esm]) => { const m = await import(new URL(esm, document.baseURI));"
            " m.readSafetensors(new DataView(new Uint8Array(16).fill(9).buffer)); }",
            [description()["esm"]],
        )
