"""Tests splits whose held-out images a list names."""

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stockpot.datasets import sources
from stockpot.datasets.dataset import read_card, read_dataset
from stockpot.datasets.prepare import prepare
from stockpot.datasets.split_list import HeldOutList, list_facts, read_list, rows_of
from stockpot.runtime.errors import StockpotError
from tests.support.data_specs import encoded_spec

pytestmark = pytest.mark.process
KEY = "datasets.x.split.held_out_list"
KEYS = [f"{folder}/{folder}_{i}.png" for folder in ("cat", "dog") for i in range(5)]
FILES = ["cat/cat_1.png", "cat/cat_4.png", "dog/dog_0.png"]
ROWS = [1, 4, 5]
MASK = [float(row in ROWS) for row in range(len(KEYS))]


def npy(array) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


# Ways to name the same three images: file name -> content.
LISTS = {
    "files.txt": "cat/cat_1.png\n\n  cat/cat_4.png \ndog/dog_0.png\n",
    "windows.txt": "\ufeffcat/cat_1.png\r\ncat/cat_4.png\r\ndog/dog_0.png",
    "names.txt": "cat_1.png\ncat_4.png\ndog_0.png\n",
    "longer.txt": "train/cat/cat_1.png\n./cat/cat_4.png\n/data/set/dog/dog_0.png\n",
    "numbers.txt": "5\n1\n4\n",
    "files.csv": "label,file\ncat,cat/cat_1.png\ncat,cat/cat_4.png\ndog,dog/dog_0.png\n",
    "numbers.csv": "index\n1\n4\n5\n",
    "files.json": json.dumps(FILES),
    "numbers.json": json.dumps(ROWS),
    "numbers.npy": npy(np.array([4, 5, 1], np.int32)),
    "floats.npy": npy(np.array([1.0, 4.0, 5.0])),
    "mask.npy": npy(np.array(MASK)),  # as Model soups' authors keep theirs
    "bools.npy": npy(np.array(MASK, bool)),
    "UPPER.NPY": npy(np.array(MASK, np.uint8)),
}


def write_list(folder, name: str, content) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("name", LISTS)
def test_a_list_names_files_or_counts_images(tmp_path, name):
    listed = read_list(write_list(tmp_path, name, LISTS[name]), KEY)
    assert len(listed) == 3
    assert rows_of(listed, KEYS, KEY) == ROWS


WRONG = {  # file name, content, words of the message
    "no such kind": ("list.pkl", "x", ".txt, .csv, .json, .npy"),
    "empty": ("list.txt", "\n \n", "names no image"),
    "an empty mask": ("list.npy", npy(np.zeros(10)), "names no image"),
    "twice": ("list.txt", "a.png\nb.png\na.png\n", "names a.png twice"),
    "a number twice": ("list.json", "[3, 1, 3]", "names 3 twice"),
    "no header": ("list.csv", "a.png\nb.png\n", "no column 'file' or 'index'"),
    "an open quote": ("list.csv", 'file\n"a.png\nb.png\n', "Error"),
    "a row too long": ("list.csv", "file\na.png,1\n", "line 2 has 2 fields, not 1"),
    "a map": ("list.json", '{"a.png": 1}', "it is no list"),
    "mixed": ("list.json", '["a.png", 1]', "1 is neither"),
    "true": ("list.json", "[true]", "True is neither"),
    "broken JSON": ("list.json", "[1, ", "JSONDecodeError"),
    "deep JSON": ("list.json", "[" * 100_000, "cannot be read"),
    "below 0": ("list.json", "[-1]", "-1 counts no image"),
    "fractions": ("list.npy", npy(np.array([0.5, 2])), "not whole"),
    "not numbers": ("list.npy", npy(np.array([np.nan, 2])), "not whole"),
    "two axes": ("list.npy", npy(np.zeros((3, 3))), "one axis"),
    "texts": ("list.npy", npy(np.array(["a"])), "no array of numbers"),
    "pickled objects": (
        "list.npy",
        npy(np.array([{}], dtype=object)),
        "no array of numbers",
    ),
    "a pickle": ("list.npy", b"cos\nsystem\n(S'true'\ntR.", "no array of numbers"),
    "cut short": ("list.npy", npy(np.arange(9))[:-8], "or not all of it"),
    "an array that claims more than it holds": (
        "list.npy",
        npy(np.arange(9)).replace(b"(9,), }      ", b"(9000000000,)}"),
        "datasets.x",
    ),
    "bytes": ("list.txt", b"\xff\xfe\x00", "UTF-8"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_list_is_one_line(tmp_path, case):
    name, content, words = WRONG[case]
    with pytest.raises(StockpotError) as error:
        read_list(write_list(tmp_path, name, content), KEY)
    text = str(error.value)
    assert text.startswith(f"{KEY}: ")
    assert words in text
    assert "\n" not in text
    assert len(text) < 500


def test_what_is_no_file_is_one_line(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "folder.txt").mkdir()
    for name, words in (
        ("none.txt", "No such file"),
        ("pipe.txt", "pipe"),
        ("folder.txt", "folder"),
    ):
        with pytest.raises(StockpotError, match=words):
            read_list(tmp_path / name, KEY)


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        (
            HeldOutList(files=("cat/cat_1.png", "cat/cat_9.png")),
            r"1 of its 2 entries match no file .*cat_9\.png",
        ),
        (
            HeldOutList(files=("cat/cat_1.png", "cat_1.png")),
            "names 1 images in two ways",
        ),
        (HeldOutList(numbers=(2, 10)), "names image 10, but there are 10"),
        (HeldOutList(numbers=(2,), mask=11), "each of 11 images, but there are 10"),
    ],
)
def test_a_list_of_another_set_is_refused(listed, words):
    with pytest.raises(StockpotError, match=words) as error:
        rows_of(listed, KEYS, KEY)
    assert str(error.value).startswith(KEY)


def test_a_name_that_two_files_have_names_neither():
    with pytest.raises(StockpotError, match="or several files"):
        rows_of(HeldOutList(files=("1.png",)), ["cat/1.png", "dog/1.png"], KEY)


# From the list to data sets.


@pytest.fixture(scope="module")
def photo_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for i, key in enumerate(KEYS):  # no two alike
        (folder / "set" / key).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 36), (20 * i, 10, 200 - 20 * i)).save(
            folder / "set" / key
        )
    return folder


def prepare_part(photo_folder, out, **split):
    """Names of the images of one part, and how many a plan expects."""
    entry = {"source": "folder", "path": str(photo_folder / "set"), "split": split}
    spec = encoded_spec(**entry) | sources.module("folder").facts(
        entry, Path, "datasets.x"
    )
    spec |= sources.split_facts(entry, Path, "datasets.x")
    prepare(out, spec)
    planned = sources.counts(entry, Path)
    found = np.bincount(read_dataset(out).labels, minlength=2).tolist()
    assert sum(planned) == sum(found)
    return found


def test_the_parts_of_a_list(photo_folder, tmp_path):
    """Held out is what it names; the rest is trained on, but for a test part that is asked for."""
    path = str(write_list(photo_folder, "list.txt", LISTS["files.txt"]))
    assert prepare_part(
        photo_folder, tmp_path / "a", part="held-out", held_out_list=path
    ) == [2, 1]
    assert prepare_part(
        photo_folder, tmp_path / "b", part="train", held_out_list=path
    ) == [3, 4]
    assert prepare_part(
        photo_folder,
        tmp_path / "c",
        part="train",
        held_out_list=path,
        held_out=26,
        test=0,
    ) == [3, 4]
    assert prepare_part(
        photo_folder, tmp_path / "d", part="test", held_out_list=path, test=2
    ) == [
        2,
        2,
    ]
    assert prepare_part(
        photo_folder, tmp_path / "e", part="train", held_out_list=path, test=2
    ) == [
        1,
        2,
    ]
    card = read_card(tmp_path / "a")["source"]
    assert card["listed"]["path"] == path
    assert len(card["listed"]["sha256"]) == 64


@pytest.mark.parametrize("image", ["cat/day/1.png", "cat/1.JFIF"])
def test_numbers_that_torchvision_counts_otherwise_are_refused(image, tmp_path):
    for name in ("cat/cat_1.png", "dog/dog_1.png", image):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(b"x")
    split = {
        "part": "held-out",
        "held_out_list": str(write_list(tmp_path, "list.txt", "0")),
    }
    entry = {"source": "folder", "path": str(tmp_path / "set"), "split": split}
    with pytest.raises(
        StockpotError, match=f"^{KEY}: its numbers count .* {image} (lies|is not)"
    ):
        sources.split_facts(entry, Path, "datasets.x")
    write_list(tmp_path, "list.txt", "cat_1.png")
    assert sources.split_facts(entry, Path, "datasets.x")


def test_a_class_that_is_wholly_listed_cannot_be_trained_on(photo_folder, tmp_path):
    path = str(write_list(photo_folder, "cats.txt", "\n".join(KEYS[:5])))
    with pytest.raises(
        StockpotError,
        match=r"^datasets\.own\.split\.held_out_list: leaves no image of cat",
    ):
        prepare_part(photo_folder, tmp_path, part="train", held_out_list=path)


def test_another_content_is_another_list(photo_folder, tmp_path):
    path = write_list(tmp_path, "list.txt", "cat/cat_1.png")
    before = list_facts(path, KEY)
    write_list(tmp_path, "list.txt", "cat/cat_2.png")
    assert list_facts(path, KEY) != before


def test_parts_of_one_list_share_nothing_and_those_of_two_may(photo_folder):
    def identity(**split):
        entry = {"source": "folder", "path": str(photo_folder / "set"), "split": split}
        return sources.identity(entry, Path)

    from stockpot.datasets.classes import share_images

    held_out = identity(part="held-out", held_out_list="a.txt")
    assert not share_images(held_out, identity(part="train", held_out_list="a.txt"))
    assert share_images(held_out, identity(part="train", held_out_list="b.txt"))
    assert share_images(held_out, identity(part="train"))


def test_a_split_without_a_list_is_what_it_was():
    assert sources.with_defaults({"source": "folder", "split": {"part": "train"}})[
        "split"
    ] == {
        "part": "train",
        "held_out": 0.1,
        "test": 0.2,
        "seed": 0,
    }
