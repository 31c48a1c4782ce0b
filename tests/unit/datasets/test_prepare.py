"""Tests the preparation of data sets: what is left out, and jobs that were stopped."""

import numpy as np
import pytest
from PIL import Image

from stockpot.datasets import checked_images
from stockpot.datasets import prepare as prepare_module
from stockpot.datasets.dataset import Scoring, read_card, read_dataset
from stockpot.datasets.decoding.decode import decode
from stockpot.datasets.examples import Examples, ImageFile
from stockpot.datasets.prepare import prepare
from stockpot.datasets.split import SPLITS, split_rows
from stockpot.runtime.errors import StockpotError
from tests.support.data_specs import encoded_spec
from tests.support.drawn_images import (
    BROKEN,
    TRANSFORM,
    Drawn,
    colours_of,
    draw_images,
    expected_of,
    prepare_folder,
    split_of,
    write_classes,
)
from tests.support.encoded_images import prepare_with_card


def test_every_image_is_hashed_once(tmp_path, monkeypatch):
    write_classes(tmp_path / "in", {"a": 5, "b": 4})
    Image.new("RGB", (4, 4), (0, 0, 2)).save(tmp_path / "in/a/again.png")
    digest_of, hashed = checked_images.image_digest, []

    def count(image):
        hashed.append(1)
        return digest_of(image)

    monkeypatch.setattr(checked_images, "image_digest", count)
    data = prepare_folder(tmp_path / "in", tmp_path / "out", duplicates="once")
    assert len(hashed) == 10
    assert len(data) == 9
    assert len(set(colours_of(data))) == 9  # each is compared with its own digest


@pytest.mark.parametrize("part", [None, *SPLITS])
def test_images_that_are_left_out_are_counted_on_the_card(tmp_path, caplog, part):
    write_classes(tmp_path / "own", {"ant": 20, "bee": 20})
    options = {"split": split_of(part)} if part else {}
    before = prepare_folder(tmp_path / "own", tmp_path / "before", **options)
    assert "left_out" not in read_card(tmp_path / "before")["source"]
    gone = colours_of(before)[:1] + colours_of(before)[-1:]
    for name, (_, _, i) in gone:
        (tmp_path / "own" / name / f"{i}.png").write_bytes(b"no image")
    with pytest.raises(StockpotError, match="not a readable image"):
        prepare_folder(tmp_path / "own", tmp_path / "refused", **options)
    made = prepare_folder(
        tmp_path / "own", tmp_path / "made", on_corrupt="skip", **options
    )
    assert colours_of(made) == colours_of(before)[1:-1]
    assert read_card(tmp_path / "made")["source"]["left_out"] == 2
    assert f"2 of {len(before)} images are left out" in caplog.text
    assert all(f"{name}/{i}.png" in caplog.text for name, (_, _, i) in gone)


@pytest.mark.parametrize("on_corrupt", ["refuse", "skip"])
def test_a_file_that_is_missing_stops_the_study(prepare_examples, tmp_path, on_corrupt):
    """What was not unpacked would make a test set smaller without a word."""
    _, examples = scored_examples(3)
    examples.images[1] = ImageFile(str(tmp_path / "gone.png"))
    with pytest.raises(
        StockpotError, match=r"/gone\.png: cannot be read \(No such file or dir"
    ):
        prepare_examples(tmp_path / "made", examples, on_corrupt=on_corrupt)


def test_a_folder_without_a_readable_image_is_one_line(tmp_path):
    write_classes(tmp_path / "own", {"ant": 2, "bee": 3})
    for path in tmp_path.glob("own/*/*"):
        path.write_bytes(b"no image")
    with pytest.raises(StockpotError) as error:
        prepare_folder(tmp_path / "own", tmp_path / "made", on_corrupt="skip")
    said = f"own: none of 5 images can be read; {tmp_path}/own/ant/0.png: not a readable image"
    assert str(error.value) == f"{said} (of no known format)"
    assert not (tmp_path / "made/dataset.json").exists()


@pytest.fixture
def prepare_examples(monkeypatch):
    """A source that gives what a test makes, and a call that prepares it."""
    made = {}
    monkeypatch.setattr(
        prepare_module.sources, "load", lambda name: lambda spec: made["examples"]
    )

    def call(folder, examples, **changes):
        made["examples"] = examples
        prepare(folder, encoded_spec("folder", 8, path="own") | changes)
        return read_dataset(folder)

    return call


def scored_examples(n):
    images = draw_images(n)
    return images, Examples(
        images,
        np.arange(n) % 2,
        ["ant", "bee"],
        [f"{i}" for i in range(n)],
        Scoring(
            "accuracy",
            [*range(n)],
            [i // 2 for i in range(n)],
            [[i % 2] for i in range(n)],
        ),
    )


COLUMNS = ("groups", "videos", "accepted")


@pytest.mark.parametrize("columns", [COLUMNS, ("groups",), ()], ids=len)
@pytest.mark.parametrize("part", [None, "train", "test"])
def test_what_is_scored_stays_with_its_image(
    prepare_examples, shards_of_four, tmp_path, part, columns
):
    images, examples = scored_examples(20)
    for name in set(COLUMNS) - set(columns):
        setattr_frozen(examples, name)
    split = split_of(part, test=0.5) if part else None
    rows = (
        split_rows(examples.keys, examples.labels, split).tolist()
        if part
        else list(range(20))
    )
    for row in (rows[0], rows[3]):
        images[row].image = BROKEN
    kept = [row for row in rows if row not in (rows[0], rows[3])]
    made = prepare_examples(tmp_path, examples, split=split, on_corrupt="skip")
    assert (made.images == expected_of([images[row] for row in kept])).all()
    assert made.labels.tolist() == [row % 2 for row in kept]
    for name, value in (
        ("groups", int),
        ("videos", lambda i: i // 2),
        ("accepted", lambda i: [i % 2]),
    ):
        expected = [value(row) for row in kept] if name in columns else []
        assert getattr(made.scoring, name) == expected


def setattr_frozen(examples, name):
    examples.scoring = type(examples.scoring)(
        **{
            key: [] if key == name else value
            for key, value in vars(examples.scoring).items()
        }
    )


def stop_preparation(prepare_examples, folder, examples, images, at=6, **changes):
    """A call that a signal ends; what was opened for it is forgotten."""
    whole, images[at].image = images[at].image, KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        prepare_examples(folder, examples, **changes)
    images[at].image = whole
    for image in images:
        image.opened = 0


def test_a_stopped_job_goes_on_and_its_state_is_gone_afterwards(
    prepare_examples, shards_of_four, tmp_path
):
    images, examples = scored_examples(10)
    stop_preparation(prepare_examples, tmp_path, examples, images)
    assert len(list((tmp_path / ".state").iterdir())) == 1
    made = prepare_examples(tmp_path, examples)
    assert [image.opened for image in images] == [0] * 4 + [1] * 6
    assert (made.images == expected_of(images)).all()
    assert not (tmp_path / ".state").exists()


OTHERS = {
    "another transform": lambda e: {"resize_mode": "squash"},
    "another size": lambda e: {"image_size": 9},
    "other files": lambda e: {"files": "changed"},
    "another part": lambda e: {"split": split_of("train", held_out=0, test=0)},
    "another list": lambda e: e.keys.__setitem__(9, "other") or {},
}


@pytest.mark.parametrize("case", OTHERS)
def test_another_job_does_not_go_on_from_there(
    prepare_examples, shards_of_four, tmp_path, case
):
    images, examples = scored_examples(10)
    stop_preparation(prepare_examples, tmp_path, examples, images)
    changes = OTHERS[case](examples)
    prepare_examples(tmp_path, examples, **changes)
    assert [image.opened for image in images] == [1] * 10
    assert not (tmp_path / ".state").exists(), "nor is anything of the first left"


def test_the_border_of_a_source_is_cut(prepare_examples, tmp_path):
    images, examples = scored_examples(5)
    examples.border = 2
    made = prepare_examples(tmp_path, examples)
    assert (made.images == [decode(Drawn(i.image), TRANSFORM, 2) for i in images]).all()


def test_images_that_are_decoded_already_are_written_as_they_are(
    prepare_examples, tmp_path
):
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    made = prepare_examples(
        tmp_path, Examples(images, np.array([0, 1, 0, 1]), ["ant", "bee"])
    )
    assert (made.images == images).all()
    assert "files" not in read_card(tmp_path)["source"]


def test_a_class_without_a_readable_image_stops_the_study(animal_folder, tmp_path):
    for path in animal_folder.glob("bee/*"):
        path.write_bytes(b"no image")
    said = r"none of the 3 images of the class 'bee' can be read; .*bee/1\.png: not a readable"
    with pytest.raises(StockpotError, match=said):
        prepare_with_card(animal_folder, tmp_path / "out", on_corrupt="skip")
