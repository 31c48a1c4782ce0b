"""Tests folders of images as data sets."""

import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stockpot.datasets.dataset import read_dataset
from stockpot.datasets.prepare import prepare
from stockpot.runtime.errors import StockpotError
from tests.support.data_specs import encoded_spec
from tests.support.rendered_sets import check_form


def prepare_folder(path, side=16, **changes):
    with tempfile.TemporaryDirectory() as folder:
        spec = encoded_spec(
            "folder", side, path=str(path), duplicates="keep", **changes
        )
        prepare(Path(folder), spec, threads=2)
        made = read_dataset(folder)
        return np.array(made.images), made.labels, made.class_names


@pytest.fixture
def folder_of_all_kinds(tmp_path):
    """Classes "b dog" and "a cat" with one image of each kind, as saved by other programs."""
    rng = np.random.default_rng(0)
    colour = Image.fromarray(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8))
    kinds = {
        "b dog/1.png": colour,
        "b dog/2.JPEG": colour.resize((40, 20)),
        "b dog/deep/3.bmp": colour,
        "a cat/grey.png": colour.convert("L"),
        "a cat/alpha.png": colour.convert("RGBA"),
        "a cat/palette.png": colour.convert("P"),
        "a cat/grey.jpg": colour.convert("L"),
        "a cat/print.jpg": colour.convert("CMYK"),
        "a cat/web.webp": colour,
        "a cat/bits.png": colour.convert("1"),
    }
    for name, image in kinds.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        image.save(tmp_path / name)
    (tmp_path / "a cat/notes.txt").write_text("not an image")
    (tmp_path / "readme.md").write_text("not a class")
    return tmp_path


def test_a_folder_of_all_kinds_of_images(folder_of_all_kinds):
    made = prepare_folder(folder_of_all_kinds)
    check_form(made, 10, 16)
    images, labels, classes = made
    assert classes == ["a cat", "b dog"]
    assert labels.tolist() == [0] * 7 + [1] * 3
    names = sorted(
        p.name for p in (folder_of_all_kinds / "a cat").iterdir() if p.suffix != ".txt"
    )
    grey = images[names.index("grey.png")]
    assert (grey[..., 0] == grey[..., 1]).all()
    assert (grey[..., 0] == grey[..., 2]).all()
    assert prepare_folder(folder_of_all_kinds)[0].tobytes() == images.tobytes()


def test_classes_and_files_are_sorted(tmp_path):
    """Whatever order the file system lists them in."""
    names = [f"{i:02d}" for i in np.random.default_rng(0).permutation(20)]
    for name in names:
        (tmp_path / name).mkdir()
        for file in names[:5]:
            value = 10 * int(name) + int(file) % 10
            Image.new("L", (4, 4), value).save(tmp_path / name / f"{file}.png")
    images, labels, classes = prepare_folder(tmp_path, 4)
    assert classes == sorted(names)
    assert labels.tolist() == [i for i in range(20) for _ in range(5)]
    values = images[:, 0, 0, 0].tolist()
    assert values == [
        10 * i + int(file) % 10 for i in range(20) for file in sorted(names[:5])
    ]


def test_folders_without_images_are_named(tmp_path):
    with pytest.raises(StockpotError, match="no/such: no such folder"):
        prepare_folder("no/such")
    with pytest.raises(StockpotError, match="no images.*png"):
        prepare_folder(tmp_path)
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat/1.gif").write_bytes(b"GIF89a")
    with pytest.raises(StockpotError, match=re.escape(str(tmp_path))):
        prepare_folder(tmp_path)


def noise_png(path) -> bytes:
    """A PNG file of several chunks of pixels."""
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (200, 200, 3), dtype=np.uint8)).save(path)
    return path.read_bytes()


def rename_second_chunk(data: bytes) -> bytes:
    second = data.index(b"IDAT", data.index(b"IDAT") + 4)
    return data[:second] + b"\xe8\xeaz\xf3" + data[second + 4 :]


PNG, JPEG, BMP = "b dog/1.png", "b dog/2.JPEG", "b dog/deep/3.bmp"

CORRUPT = {
    "text": (PNG, lambda data: b"this is no image"),
    "empty": (PNG, lambda data: b""),
    "cut short": (PNG, lambda data: data[: len(data) // 2]),
    "a jpeg cut short": (JPEG, lambda data: data[: len(data) // 2]),
    "a broken chunk": (PNG, rename_second_chunk),
    "an enormous size": (
        BMP,
        lambda d: d[:18] + (60_000).to_bytes(4, "little") * 2 + d[26:],
    ),
}


@pytest.mark.parametrize("kind", CORRUPT)
def test_a_corrupt_image_is_named(folder_of_all_kinds, kind):
    file, corrupt = CORRUPT[kind]
    noise_png(folder_of_all_kinds / PNG)
    (folder_of_all_kinds / file).write_bytes(
        corrupt((folder_of_all_kinds / file).read_bytes())
    )
    with pytest.raises(StockpotError, match=re.escape(str(folder_of_all_kinds / file))):
        prepare_folder(folder_of_all_kinds)
