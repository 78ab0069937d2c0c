"""The lab `maps` on the built page: what it shows is what Python computes, and it holds the labs' contract."""

import base64
import gzip
import io
import json
import math
import random

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load

from flatten_edu.analysis import capture, entropy_bits, magnitude_share, top1_share
from flatten_edu.data import centre_square, cifar10_samples
from flatten_edu.data.images import standardise
from flatten_edu.labs import MapsLab
from flatten_edu.labs.frame.lab import split_state
from flatten_edu.labs.maps.contents import shown_rows
from flatten_edu.labs.maps.lab import MODELS
from flatten_edu.models import pretrained
from tests.browser.conftest import fragment
from tests.browser.in_page import COUNT_WORKERS, LAB, pixels, views

PAGE = "book/labs/maps.html"
SLUGS = ["softmax", "relu", "focused", "focused_dwc"]
SAMPLES = cifar10_samples()
DATA_LIMIT = 400_000  # bytes, gzipped


def wait(one):
    """Until all that the view needs has arrived, been computed and been painted."""
    one.page.wait_for_function(
        "document.querySelectorAll('.fe-maps [data-state=ready]').length === 4"
        " && !document.querySelector('.fe-maps [data-state=waiting]')",
        timeout=60_000,
    )
    one.frame()


def python_state(**settings) -> dict:
    lab = MapsLab()
    return {trait: getattr(lab, trait) for trait in lab.own_traits() if trait not in ("preview", "tokens")} | settings


def figures(state: dict, tokens: bytes) -> dict[str, float]:
    """The figures of each map's row, by Python's functions in float64."""
    found = {}
    for slug, row in zip(SLUGS, shown_rows(state, tokens), strict=True):
        share = magnitude_share(row)
        found |= {f"entropy_{slug}": entropy_bits(share).item(), f"top1_{slug}": top1_share(share).item()}
        found |= {f"class_token_{slug}": share[0].item(), f"sum_{slug}": row.sum().item()}
    return found


def assert_shows(shown: dict[str, float], wanted: dict[str, float]):
    assert {name: shown[name] for name in wanted} == pytest.approx(wanted, rel=1e-6, abs=1e-9, nan_ok=True)


def test_what_is_shown_in_random_views_is_what_python_says(reader):
    draw = random.Random(3)
    settings = [
        {
            "picture": draw.randrange(3), "patch": draw.randrange(196),
            "channel": draw.choice([-1, draw.randrange(64)]),
            "p": draw.choice([1, 3, draw.uniform(1, 256)]), "on_relu": draw.random() < 0.5,
            "display": "matrix" if i % 20 == 0 else "overlay",
        }
        for i in range(120)
    ]  # fmt: skip
    lab = MapsLab()
    for setting, shown in zip(settings, views(reader().open(PAGE), settings), strict=True):
        assert_shows(shown["figures"], figures(python_state(**setting), lab.tokens))


def test_the_first_view_stands_there_before_any_data(reader):
    one = reader()
    held = []
    one.page.route("**/*.bin", lambda route: held.append(route))
    one.open(PAGE)
    wait(one)
    shown = one.outputs()
    assert held
    state = python_state()
    wanted = figures(state, MapsLab().tokens)
    assert {name: shown[name] for name in wanted} == pytest.approx(wanted, rel=1e-5, abs=1e-6)
    one.page.get_by_role("slider", name="query patch").press("ArrowDown")
    one.page.get_by_text("have not arrived yet").wait_for()
    for route in held:
        route.continue_()
    wait(one)
    assert_shows(one.outputs(), figures(python_state(patch=state["patch"] + 14), MapsLab().tokens))


def standard(pixels):
    return standardise(torch.tensor(pixels).permute(2, 0, 1)[None], SAMPLES.mean, SAMPLES.deviation)


def model_says(name, pixels, p=None):
    """What a model takes a picture for, in PyTorch, at its own p or another."""
    model = pretrained(name)
    for block in model.blocks if p else []:
        block.attn.p = p
    share, index = model(standard(pixels)).softmax(-1)[0].max(0)
    return SAMPLES.classes[index], share.item()


def shipped_picture(index):
    return load(bytes(MapsLab().tokens))[f"pictures/{index}"].numpy()


def assert_says(one, slug, wanted, tolerance):
    assert one.page.locator(f"[data-name=says_{slug}]").get_attribute("data-value") == wanted[0]
    assert one.outputs()[f"confidence_{slug}"] == pytest.approx(wanted[1], abs=tolerance)


def test_weights_are_fetched_on_the_click_that_needs_them(reader, measured):
    one = reader()
    asked = []
    one.page.on("request", lambda request: asked.append(request.url))
    page = one.open(PAGE)
    wait(one)
    page.wait_for_load_state("networkidle")
    weights = lambda: [url for url in asked if url.endswith(".safetensors")]  # noqa: E731
    assert weights() == []
    page.get_by_role("button", name="Take the focus away").click()
    wait(one)
    assert len(weights()) == len(set(weights())) == 4
    for slug, name in zip(SLUGS, MODELS, strict=True):
        p = 1 if "focused" in name else None
        assert_says(one, slug, model_says(name, shipped_picture(0), p), 1e-3)
    assert "cat and a dog" in page.locator(".fe-look[data-shown=true]").inner_text()
    assert page.locator("[data-name=says_focused]").get_attribute("data-value") == "cat"
    assert page.locator("[data-name=says_focused_dwc]").get_attribute("data-value") == "dog"
    for p, focused, with_dwc in [(4, 0.55, 0.71), (3, 0.46, 0.60)]:
        page.get_by_role("button", name=f"p = {p}", exact=True).click()
        one.frame()
        wait(one)
        for slug, share in [("focused", focused), ("focused_dwc", with_dwc)]:
            assert page.locator(f"[data-name=says_{slug}]").get_attribute("data-value") == "horse"
            assert round(one.outputs()[f"confidence_{slug}"], 2) == share
    assert len(weights()) == 4
    measured("lab maps: a pass in the worker, last", f"{one.outputs()['pass_ms']:.0f} ms")


def test_p_inside_gives_the_maps_of_the_models_that_run_with_it(reader):
    one = reader()
    one.open(PAGE + fragment("maps", inside=True, p=8, picture=5, block=2, patch=40, on_relu=True))
    wait(one)
    shown, x = one.outputs(), standard(shipped_picture(5))
    for slug, name in zip(SLUGS[:3], MODELS[:3], strict=True):
        model = pretrained(name)
        for block in model.blocks:
            block.attn.p = 8
            if slug == "relu":
                block.attn.feature_map = "focused"
        with capture(model, x) as records:
            row = records[2].weights[0, 0, 41].double()
        share = magnitude_share(row)
        assert shown[f"entropy_{slug}"] == pytest.approx(entropy_bits(share).item(), abs=1e-4)
        assert shown[f"top1_{slug}"] == pytest.approx(top1_share(share).item(), abs=1e-4)


def own_file(seed=4, shape=(60, 90)) -> tuple[bytes, np.ndarray]:
    image = np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)
    image[20:40, 30:60] //= 4
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue(), centre_square(image, 28)


DROP = """
([text, name]) => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, { type: "image/png" }));
  const body = document.querySelector(".fe-body");
  for (const type of ["dragover", "drop"]) {
    body.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
  }
}
"""


@pytest.mark.parametrize("way", ["input", "drop"])
def test_a_reader_s_own_picture(reader, way):
    one = reader()
    sent = []
    one.page.on("request", lambda request: sent.append((request.method, request.post_data)))
    page = one.open(PAGE)
    wait(one)
    content, pixels = own_file()
    if way == "input":
        page.get_by_label("Your own picture").set_input_files(
            {"name": "a.png", "mimeType": "image/png", "buffer": content}
        )
    else:
        page.evaluate(DROP, [base64.b64encode(content).decode(), "a.png"])
    page.get_by_text("your file, as the models see it").wait_for()
    wait(one)
    for slug, name in zip(SLUGS, MODELS, strict=True):
        assert_says(one, slug, model_says(name, pixels), 0.02)  # a pixel may differ by 1 of 255
    assert {method for method, _ in sent} == {"GET"}
    page.wait_for_timeout(400)
    assert "picture=-1" in page.url  # a link cannot carry the file: it opens the first picture
    thumb = page.get_by_role("radio", name="your file")
    assert thumb.is_checked()
    page.get_by_role("radio", name="chelsea").check()
    one.frame()
    thumb.check()
    wait(one)
    assert_says(one, "softmax", model_says(MODELS[0], pixels), 0.02)


def test_models_that_do_not_come_are_said_and_can_be_tried_again(browser, site):
    context = browser.new_context()
    page = context.new_page()
    page.route("**/*.safetensors", lambda route: route.abort())
    page.goto(site + PAGE)
    page.get_by_role("checkbox", name="p inside the models").check()
    page.get_by_text("The models could not be run here").wait_for()
    page.unroute("**/*.safetensors")
    page.get_by_role("button", name="Try again").click()
    page.get_by_text("Computed in your browser").wait_for()
    context.close()


def test_the_guided_steps_show_what_they_say(reader):
    one = reader()
    page = one.open(PAGE)
    wait(one)
    page.get_by_role("button", name="From the background").click()
    wait(one)
    shown, text = one.outputs(), page.locator(".fe-look[data-shown=true]").inner_text()
    for slug in SLUGS[:3]:
        assert f"({shown[f'entropy_{slug}']:.1f}" in text
    page.get_by_role("button", name="All patches at once").click()
    wait(one)
    assert page.get_by_role("radio", name="Matrix").is_checked()
    page.get_by_role("button", name="Reset").click()
    one.frame()
    assert_shows(one.outputs(), figures(python_state(), MapsLab().tokens))


def test_the_matrix_is_bright_where_the_weights_are_and_a_click_on_a_row_chooses_it(reader):
    one = reader()
    page = one.open(PAGE + fragment("maps", display="matrix", patch=0))
    wait(one)
    lab = MapsLab()
    painted = pixels(page.locator(".fe-maps canvas[data-kind=softmax]")).mean(-1)
    for patch in (30, 100, 170):
        row = shown_rows(python_state(patch=patch), lab.tokens)[0][1:].numpy()
        y = int((patch + 0.5) * 336 / 196)
        columns = ((np.arange(196) + 0.5) * 336 / 196).astype(int)
        assert np.corrcoef(painted[y, columns], np.sqrt(row))[0, 1] > 0.9
    canvas = page.locator(".fe-maps canvas[data-kind=relu]")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    y = round(box["y"] + box["height"] * 100.5 / 196)  # a mouse points at whole pixels, and a row has fewer than two
    page.mouse.click(box["x"] + 5, y)
    one.frame()
    row = math.floor((y - box["y"]) / box["height"] * 196)
    assert page.get_by_role("slider", name="query patch").get_attribute("aria-valuenow") == str(row)


def test_a_click_and_the_arrow_keys_choose_the_query(reader):
    one = reader()
    page = one.open(PAGE)
    wait(one)
    picker = page.get_by_role("slider", name="query patch")
    box = picker.bounding_box()
    page.locator("canvas[data-kind=focused]").click(
        position={"x": box["width"] * 2.5 / 14, "y": box["height"] * 1.5 / 14}
    )
    one.frame()
    assert picker.get_attribute("aria-valuenow") == "16" and picker.evaluate("(e) => e === document.activeElement")
    for key, patch in [("ArrowRight", 17), ("ArrowDown", 31), ("ArrowLeft", 30), ("ArrowUp", 16)]:
        picker.press(key)
        one.frame()
        assert picker.get_attribute("aria-valuenow") == str(patch)
    assert_shows(one.outputs(), figures(python_state(patch=16), MapsLab().tokens))


UNDER_A_KERNEL = f"""
async () => {{
  {LAB}
  const [custom, asked] = [new Set(), []];
  const plain = modelOf({{ ...state, tokens: await bytesAt(buffers.tokens) }});
  const model = {{  // files come as messages, and in answer to one
    ...plain,
    on: (event, f) => (event === "msg:custom" ? custom : plain.handlers).add(f),
    off: (event, f) => (event === "msg:custom" ? custom : plain.handlers).delete(f),
    send: async ({{ file }}) => {{
      asked.push(file);
      const view = await bytesAt(files[file]);
      custom.forEach((f) => f({{ file }}, [view]));
    }},
  }};
  const [el, remove] = mountOn(model);
  model.set("inside", true);
  while (!el.textContent.includes("Computed in your browser")) await pause(20);
  model.set("p", 5);
  await pause(60);  // it is removed while it computes
  remove();
  await pause(60);
  return [asked, plain.handlers.size + custom.size, el.childElementCount, workers];
}}
"""


def test_under_a_kernel_the_models_come_as_messages_and_a_removed_lab_leaves_nothing(reader):
    one = reader()
    one.page.add_init_script(COUNT_WORKERS)
    page = one.open(PAGE)
    wait(one)
    page.wait_for_load_state("networkidle")
    asked, *left = page.evaluate(UNDER_A_KERNEL)
    assert set(asked) == set(MODELS) and left == [0, 0, 0]


def test_what_loads_without_a_click_is_small(measured):
    state, buffers = split_state(MapsLab())
    size = sum(len(gzip.compress(content)) for content in (json.dumps(state).encode(), *buffers.values()))
    measured("lab maps: data without a click", f"{size / 1000:.1f} kB gzipped (limit {DATA_LIMIT // 1000})")
    assert size <= DATA_LIMIT
