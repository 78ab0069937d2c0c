"""Sets of labelled images: what is random follows from one number an image, and files may be of any kind."""

import io
import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from flatten_edu.data import ImageArray, ImageFolder
from flatten_edu.data.images import _random_box

SEEDS = st.integers(0, 2**62 - 1)
# ImageNet's mean and deviation, as the literature has them.
BLACK, WHITE = ((value - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225]) for value in (0, 1))


def array(count=6, height=32, width=32, size=28):
    """Pixels that tell where they are: red is the row, green the column, blue the image. As they come: 0 to 255."""
    images = torch.empty(count, 3, height, width, dtype=torch.uint8)
    images[:, 0] = torch.arange(height)[:, None]
    images[:, 1] = torch.arange(width)
    images[:, 2] = torch.arange(count)[:, None, None]
    return ImageArray(images, torch.arange(count) % 3, "abc", size, mean=(0.0,) * 3, deviation=(1 / 255,) * 3)


def save(root, name, pixels, **settings):
    """A PNG file of these pixels."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(np.asarray(pixels, np.uint8))
    image.save(path, **settings)
    return path


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two classes, three images each, none of them square."""
    root = tmp_path_factory.mktemp("images")
    for i in range(6):
        save(root, f"{'ab'[i % 2]}/{i}.png", noise(20 + i, 30 - i, seed=i))
    return ImageFolder(root, size=12)


@pytest.mark.parametrize("kind", ["array", "folder"])
@given(st.lists(st.tuples(st.integers(0, 5), SEEDS), min_size=1, max_size=5))
def test_an_image_follows_from_its_index_and_seed_alone(folder, kind, asked):
    images = {"array": array(), "folder": folder}[kind]
    indices, seeds = torch.tensor([i for i, _ in asked]), torch.tensor([seed for _, seed in asked])
    random.seed(0)
    torch.manual_seed(0)
    batch, labels = images.batch(indices, seeds)
    random.seed(1)
    torch.manual_seed(1)
    for i, (index, seed) in enumerate(asked):
        x, label = images.batch(torch.tensor([index]), torch.tensor([seed]))
        assert x[0].equal(batch[i]) and label[0] == labels[i]


@pytest.mark.parametrize("kind", ["array", "folder"])
def test_without_seeds_images_are_always_the_same(folder, kind):
    images = {"array": array(), "folder": folder}[kind]
    x, labels = images.batch(torch.arange(6))
    for i in range(6):
        again, label = images.batch(torch.tensor([i]))
        assert again[0].equal(x[i]) and label[0] == labels[i]


def cut(x):
    """Where a crop of `array` lies: top, left, and whether it is mirrored; it has to be one."""
    rows, columns = x[0].round().long(), x[1].round().long()
    mirrored = bool(columns[0, 0] > columns[0, -1])
    columns = columns.flip(1) if mirrored else columns
    top, left = rows[0, 0].item(), columns[0, 0].item()
    assert rows.equal(top + torch.arange(x.shape[1])[:, None].expand(x.shape[1:]))
    assert columns.equal(left + torch.arange(x.shape[2]).expand(x.shape[1:]))
    return top, left, mirrored


def test_all_places_and_both_mirrorings_are_as_likely_as_one_another():
    images = array(count=1)
    seeds = torch.randint(2**62, (5000,), generator=torch.Generator().manual_seed(0))
    x, _ = images.batch(torch.zeros(5000, dtype=torch.long), seeds)
    found = [cut(one) for one in x]
    assert {(top, left) for top, left, _ in found} == {(i, j) for i in range(5) for j in range(5)}
    counts = [found.count(place) for place in set(found)]
    assert len(counts) == 50
    assert min(counts) > 50 and max(counts) < 160  # 100 on average; five standard deviations are 50


def test_the_test_sees_the_centre_as_it_is():
    assert cut(array().batch(torch.tensor([3]))[0][0]) == (2, 2, False)
    assert array().batch(torch.tensor([3]))[0][0, 2].unique().round().item() == 3


@given(st.integers(1, 9), st.integers(1, 9), SEEDS, st.data())
def test_crops_of_images_that_are_not_square(height, width, seed, data):
    size = data.draw(st.integers(1, min(height, width)))
    images = array(2, height, width, size)
    top, left, _ = cut(images.batch(torch.tensor([1]), torch.tensor([seed]))[0][0])
    assert 0 <= top <= height - size and 0 <= left <= width - size


def test_crops_have_to_fit(readers_view):
    images = torch.zeros(3, 3, 8, 10, dtype=torch.uint8)
    with pytest.raises(ValueError, match="crops of 9 x 9 cannot be cut from images of 8 x 10"):
        ImageArray(images, torch.zeros(3, dtype=torch.long), "a", 9)
    with pytest.raises(ValueError, match="crops of 0 x 0"):
        ImageArray(images, torch.zeros(3, dtype=torch.long), "a", 0)


def test_classes_are_the_sub_folders_in_order(tmp_path):
    for name in ("wolf/2.png", "cat/1.PNG", "cat/deep/0.jpeg", ".ipynb_checkpoints/1.png", "cat/._1.png"):
        save(tmp_path, name, noise(9, 9), **({"format": "PNG"} if name.endswith("png") else {}))
    (tmp_path / "notes.txt").write_text("no class")
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    images = ImageFolder(tmp_path, size=8)
    assert images.classes == ("cat", "wolf") and len(images) == 3
    assert images.batch(torch.arange(3))[1].tolist() == [0, 0, 1]


def stripes(height, width, axis):
    """Red, green, blue, a third each."""
    pixels = np.zeros((height, width, 3), np.uint8)
    for channel, part in enumerate(np.array_split(np.arange(pixels.shape[axis]), 3)):
        pixels[(part, slice(None), channel) if axis == 0 else (slice(None), part, channel)] = 255
    return pixels


def strongest(images, index=0, seed=None):
    """The strongest channel of each pixel."""
    return images.batch(torch.tensor([index]), None if seed is None else torch.tensor([seed]))[0][0].argmax(0)


def test_the_test_sees_the_centre_of_wide_and_of_tall_images(tmp_path):
    save(tmp_path, "a/tall.png", stripes(120, 30, axis=0))
    save(tmp_path, "a/wide.png", stripes(30, 120, axis=1))
    images = ImageFolder(tmp_path, size=16)
    for index in range(2):
        assert strongest(images, index).unique().tolist() == [1]


def test_the_centre_is_seven_eighths_of_the_shorter_side(tmp_path):
    pixels = np.zeros((64, 80, 3), np.uint8)
    pixels[4:60, 12:68] = 255  # 56 x 56 in the middle, which a crop of 224 from 256 leaves
    save(tmp_path, "a/1.png", pixels)
    x, _ = ImageFolder(tmp_path, size=56).batch(torch.tensor([0]))
    torch.testing.assert_close(x[0], WHITE[:, None, None].expand(3, 56, 56))


def test_training_sees_parts_and_mirrors_them(tmp_path):
    save(tmp_path, "a/1.png", stripes(60, 60, axis=1))
    images = ImageFolder(tmp_path, size=24)
    views = [strongest(images, seed=seed) for seed in range(60)]
    ends = [(view[12, 0].item(), view[12, -1].item()) for view in views]
    assert sum(left < right for left, right in ends) > 10 and sum(left > right for left, right in ends) > 10
    assert len({view.numpy().tobytes() for view in views}) > 40


@given(st.integers(1, 400), st.integers(1, 400), SEEDS)
def test_the_random_crop_lies_in_the_image(width, height, seed):
    left, top, right, bottom = _random_box((width, height), random.Random(seed))
    w, h = right - left, bottom - top
    assert left >= 0 and top >= 0 and right <= width + 1e-9 and bottom <= height + 1e-9
    if (w, h) != (min(width, height),) * 2:  # the centre, where ten draws did not fit
        assert 0.08 - 1e-9 <= w * h / (width * height) <= 1 + 1e-9
        assert 3 / 4 - 1e-9 <= w / h <= 4 / 3 + 1e-9


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (90, 1), (2, 3)])
def test_images_may_be_smaller_than_the_crop(tmp_path, size):
    save(tmp_path, "a/1.png", noise(*size))
    images = ImageFolder(tmp_path, size=16)
    x, _ = images.batch(torch.zeros(50, dtype=torch.long), torch.arange(50))
    assert x.shape == (50, 3, 16, 16) and x.isfinite().all()
    assert images.batch(torch.tensor([0]))[0].shape == (1, 3, 16, 16)


@pytest.mark.parametrize("mode", ["L", "LA", "1", "P", "RGBA", "CMYK", "I;16"])
def test_files_of_every_mode_show_the_same_picture(tmp_path, mode):
    grey = np.linspace(20, 230, 40 * 40).reshape(40, 40).astype(np.uint8)
    rgb = Image.fromarray(grey).convert("RGB")
    converted = Image.fromarray(grey.astype(np.uint16) * 257) if mode == "I;16" else rgb.convert(mode)
    save(tmp_path, "a/1.png", rgb)
    save(tmp_path, "a/2.png", converted, format="TIFF" if mode == "CMYK" else "PNG")
    x, _ = ImageFolder(tmp_path, size=35).batch(torch.arange(2))
    apart = 0.25 if mode == "1" else 0.02  # black and white dots stand for grey: their mean does
    smooth = torch.nn.functional.avg_pool2d(x, 7)
    torch.testing.assert_close(smooth[0], smooth[1], rtol=0, atol=apart / 0.225)


def broken_files():
    content = io.BytesIO()
    Image.fromarray(noise(20, 20)).save(content, "PNG")
    whole = content.getvalue()
    chunk = whole.find(b"IDAT")
    yield "empty", b""
    yield "html", b"<html>not found</html>"
    yield "cut off", whole[: len(whole) // 2]
    yield "without its head", whole[:12] + b"\0\0\0\0" + whole[16:]
    yield "a chunk of no name", whole[:chunk] + b"\xff\0\xff\0" + whole[chunk + 4 :]
    yield (
        "a bitmap of a million pixels a side",
        b"BM" + bytes(12) + (40).to_bytes(4, "little") + (2**20).to_bytes(4, "little") * 2 + b"\1\0\x18\0" + bytes(24),
    )


@pytest.mark.parametrize("content", [pytest.param(data, id=name) for name, data in broken_files()])
def test_a_broken_image_is_named(tmp_path, content):
    path = save(tmp_path, "a/1.png", noise(9, 9))
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"1\.png cannot be read as an image: .+"):
        ImageFolder(tmp_path, size=8).batch(torch.tensor([0]))


def test_folders_without_images(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no image folder .*/none"):
        ImageFolder(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match=r"has no images in class folders, such as .*/cat/1\.jpg"):
        ImageFolder(tmp_path)
    save(tmp_path, "1.png", noise(9, 9))
    (tmp_path / "cat").mkdir()
    with pytest.raises(FileNotFoundError, match="has no images in class folders"):
        ImageFolder(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no image folder"):
        ImageFolder(tmp_path / "1.png")


def test_the_view_of_training_is_drawn_by_the_image_s_seed(tmp_path):
    save(tmp_path, "a/1.png", noise(20, 20))
    drawn = []

    def view(image):
        drawn.append(torch.rand(()).item())
        return 255 - image

    images = ImageFolder(tmp_path, size=16, training_view=view)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    x, _ = images.batch(torch.tensor([0, 0, 0]), torch.tensor([7, 8, 7]))
    assert torch.get_rng_state().equal(before)
    assert drawn[0] == drawn[2] != drawn[1] and x[0].equal(x[2])
    plain, _ = ImageFolder(tmp_path, size=16).batch(torch.tensor([0]), torch.tensor([7]))
    torch.testing.assert_close(x[0] + plain[0], (WHITE + BLACK)[:, None, None].expand(3, 16, 16))
    images.batch(torch.tensor([0]))
    assert len(drawn) == 3
