"""Sources of published data sets: each from a tiny copy of its real layout to a score."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stockpot.config.schema import schema_errors, with_plugin_options
from stockpot.datasets import sources
from stockpot.datasets.classes import head_classes
from stockpot.datasets.prepare import prepare
from stockpot.runtime.errors import StockpotError
from tests.support.data_specs import encoded_spec
from tests.support.interpreter import python
from tests.support.paths import ROOT
from tests.support.solid_colours import (
    COLOURS,
    Painter,
    labelled,
    made,
    paint,
    paint_all,
    shown,
)

# What each entry needs, and how many images its parts have by the papers.
PUBLISHED = {
    "imagenet": {"part": {"train": 1281167, "val": 50000}},
    "imagenet-v2": 10000,
    "imagenet-r": 30000,
    "imagenet-a": 7500,
    "imagenet-sketch": 50889,
    "objectnet": 18574,
    "cifar10": {"part": {"train": 50000, "test": 10000}},
    "cifar100": {"part": {"train": 50000, "test": 10000}},
    "cifar10-1": 2000,
    "cifar10-2": 2000,
    "fmow": {
        "part": {
            "train": 76863,
            "id-val": 11483,
            "id-test": 11327,
            "val": 19915,
            "test": 22108,
        }
    },
    "iwildcam": {
        "part": {
            "train": 129809,
            "id-val": 7314,
            "id-test": 8154,
            "val": 14961,
            "test": 42791,
        }
    },
    "imagenet-vid-robust": {"frames": {"pm-0": 1109, "pm-10": 22179}},
    "ytbb-robust": {"frames": {"pm-0": 2030, "pm-10": 35718}},
    "cars": {"part": {"train": 8144, "test": 8041}},
    "dtd": {"part": {"train": 1880, "val": 1880, "test": 1880}},
    "sun397": {"part": {"train": 19850, "test": 19850}},
    "food101": {"part": {"train": 75750, "test": 25250}},
}


def entries() -> list[tuple[dict, int]]:
    found = []
    for source, images in PUBLISHED.items():
        [(option, parts)] = (
            images.items() if isinstance(images, dict) else [("", {"": images})]
        )
        for part, n in parts.items():
            found.append(({"source": source} | ({option: part} if option else {}), n))
    return found


@pytest.fixture(scope="session")
def painter(tmp_path_factory):
    return Painter(tmp_path_factory.mktemp("coloured"))


@pytest.fixture(scope="session")
def imagenet():
    return sources.module("imagenet").classes({"source": "imagenet"}, Path)


# What is known before the files are there.


@pytest.mark.parametrize(("entry", "images"), entries(), ids=str)
def test_a_plan_knows_numbers_and_classes(entry, images, schema, config):
    module = sources.module(entry["source"])
    assert sum(sources.counts(entry, Path)) == images
    names = module.classes(entry, Path)
    assert len(set(names)) == len(names)
    assert set(module.texts(entry, Path)) == set(names)
    assert all(module.texts(entry, Path).values())
    config["datasets"]["own"] = entry
    assert schema_errors(config, with_plugin_options(schema)) == []


@pytest.mark.process
def test_plans_stay_light():
    heavy = ["numpy", "pandas", "torch", "PIL", "pyarrow", "scipy", "torchvision"]
    code = f"""
import json, sys
from stockpot.datasets import sources
for name in {list(PUBLISHED)} + ["csv", "webdataset", "parquet"]:
    module = sources.module(name)
    for what in ("classes", "identity", "counts", "facts", "prepare"):
        assert callable(getattr(module, what)), (name, what)
print(json.dumps([name for name in {heavy} if name in sys.modules]))
"""
    assert python(code) == []


@pytest.mark.parametrize("source", PUBLISHED)
def test_folders_and_archives_are_named_alike(source):
    assert sources.options(source)["path"]["default"] == f"data/{source}"
    for archive in sources.archives(source):
        assert set(archive) == {"url", "checksum", "size", "into"}
        assert re.fullmatch(
            r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}", archive["checksum"]
        )
        assert (
            archive["checksum"].split(":")[1]
            in (ROOT / "docs/guide/datasets.md").read_text()
        )
        assert f"{archive['size']:,}" in (ROOT / "docs/guide/datasets.md").read_text()


def test_parts_of_one_folder_are_told_apart(tmp_path):
    def identity(**entry):
        return sources.identity(entry, lambda path: tmp_path / path)

    assert identity(source="cifar10", part="test") == identity(
        source="cifar10", part="test", path="data/cifar10"
    )
    for one, other in (
        ({"source": "cifar10", "part": "test"}, {"source": "cifar10", "part": "train"}),
        ({"source": "cifar10", "part": "test"}, {"source": "cifar100", "part": "test"}),
        (
            {"source": "dtd", "part": "test"},
            {"source": "dtd", "part": "test", "partition": 2},
        ),
        ({"source": "dtd", "part": "test"}, {"source": "dtd", "part": "val"}),
        ({"source": "imagenet-r"}, {"source": "imagenet-r", "path": "elsewhere"}),
    ):
        assert identity(**one) != identity(**other)
    # The anchors are among all frames.
    vid = {"source": "imagenet-vid-robust"}
    assert identity(**vid, frames="pm-0") == identity(**vid, frames="pm-10")
    # Other labels, the same images.
    val = {"source": "imagenet", "part": "val"}
    assert identity(**val) == identity(**val, label_file="real.json")


@pytest.mark.parametrize("source", PUBLISHED)
def test_a_missing_folder_is_named(source, tmp_path):
    entry, _ = next(pair for pair in entries() if pair[0]["source"] == source)
    line = r"datasets\.own\.path: no folder .*nowhere; .*docs/guide/datasets\.md"
    with pytest.raises(StockpotError, match=line):
        made(out=tmp_path / "out", path=str(tmp_path / "nowhere"), **entry)


@pytest.mark.parametrize("source", PUBLISHED)
def test_another_layout_is_named(source, tmp_path):
    entry, _ = next(pair for pair in entries() if pair[0]["source"] == source)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/images.zip").write_bytes(b"")
    line = r"datasets\.own\.path: .*data holds no .*; docs/guide/datasets\.md has"
    with pytest.raises(StockpotError, match=line):
        made(out=tmp_path / "out", path=str(tmp_path / "data"), **entry)


def test_what_is_to_be_downloaded_need_not_be_there(tmp_path):
    """And does not look changed once it is."""
    entry = {"source": "imagenet-a", "path": str(tmp_path / "a"), "download": True}
    facts = sources.module("imagenet-a").facts
    before = facts(entry, Path, "datasets.own")
    paint(tmp_path / "a/imagenet-a/n01498041/1.jpg", "red")
    assert facts(entry, Path, "datasets.own") == before
    assert before["path"] == str(tmp_path / "a")
    assert "files" not in before
    with pytest.raises(
        StockpotError, match="no folder .*nowhere; place .*, or say download: true"
    ):
        facts({**entry, "path": "nowhere", "download": False}, Path, "datasets.own")


def test_a_new_class_folder_is_a_change(tmp_path):
    facts, entry = sources.module("imagenet-a").facts, {"source": "imagenet-a"}
    entry["path"] = str(paint_all(tmp_path / "a", {"n01498041/1.jpg": "red"}))
    before = facts(entry, Path, "datasets.own")
    assert facts(entry, Path, "datasets.own") == before
    paint(tmp_path / "a/n01531178/1.jpg", "green")
    after = facts(entry, Path, "datasets.own")
    assert after != before
    paint(tmp_path / "a/n01531178/2.jpg", "green")
    assert facts(entry, Path, "datasets.own") != after


def test_another_class_list_is_a_change(tmp_path):
    known = sources.module("objectnet").SET
    (tmp_path / "chair").mkdir()
    entry = {"source": "objectnet", "path": str(tmp_path)}
    for change in ({"class_names": known.class_names[::-1]}, {"merged": {}}):
        other = replace(known, **change)
        assert other.facts(entry, Path, "key") != known.facts(entry, Path, "key")


# ImageNet and what has its classes.

STINGRAY, GOLDFINCH, TENCH, GOLDFISH = (
    "n01498041",
    "n01531178",
    "n01440764",
    "n01443537",
)
SHARK, BRAMBLING = "n01484850", "n01530575"
FOLDERS = {
    "imagenet": (
        {"part": "val"},
        "",
        {
            f"val/{TENCH}/ILSVRC2012_val_00000293.JPEG": ("red", TENCH),
            f"val/{GOLDFISH}/ILSVRC2012_val_00000236.JPEG": ("green", GOLDFISH),
            f"train/{SHARK}/{SHARK}_1.JPEG": ("blue", None),
        },
    ),
    # The third folder as text, the second as a number.
    "imagenet-v2": (
        {},
        "imagenetv2-matched-frequency-format-val",
        {
            "0/a.jpeg": ("red", TENCH),
            "2/b.jpeg": ("green", SHARK),
            "10/c.jpeg": ("blue", BRAMBLING),
        },
    ),
    "imagenet-r": (
        {},
        "imagenet-r",
        {
            "n01443537/art_0.jpg": ("red", GOLDFISH),
            "n02106662/toy_1.jpg": ("green", "n02106662"),
            "README.txt": (None, None),
        },
    ),
    "imagenet-a": (
        {},
        "imagenet-a",
        {
            "n01498041/0.000116_digital clock _ digital clock_0.865662.jpg": (
                "red",
                STINGRAY,
            ),
            "n01531178/1.jpg": ("green", GOLDFINCH),
            "README.txt": (None, None),
        },
    ),
    "imagenet-sketch": (
        {},
        "sketch",
        {
            "n01440764/sketch_0.JPEG": ("red", TENCH),
            "n15075141/sketch_1.JPEG": ("green", "n15075141"),
        },
    ),
}


@pytest.mark.parametrize(
    "inside", [True, False], ids=["with its top folder", "without"]
)
@pytest.mark.parametrize("source", FOLDERS)
def test_folders_of_imagenet_classes(source, inside, tmp_path, painter, imagenet):
    options, top, files = FOLDERS[source]
    for path, (colour, _) in files.items():
        path = tmp_path / "data" / (top if inside else "") / path
        if colour:
            paint(path, colour)
        else:
            path.write_text("no image")
    data = made(source, tmp_path / "out", path=str(tmp_path / "data"), **options)
    expected = [(colour, name) for colour, name in files.values() if name]
    assert sorted(labelled(data)) == sorted(expected)
    assert data.scoring.non_default() == {}
    # The first is answered well, the second taken for the first; classes of ImageNet that the
    # set has not are no answers.
    foreign = [name for name in imagenet if name not in data.class_names]
    says = {
        colour: {expected[0][1]: 5.0, **dict.fromkeys(foreign, 9.0)}
        for colour, _ in expected
    }
    answered = painter.ask(data, imagenet, says)
    assert answered.names == [expected[0][1]] * len(expected)
    assert answered.score == {
        "metric": "accuracy",
        "value": 1 / len(expected),
        "n": len(expected),
        "k": 1,
    }


@pytest.mark.parametrize("source", FOLDERS)
def test_an_unknown_class_folder_is_named(source, tmp_path):
    options, top, files = FOLDERS[source]
    paint_all(
        tmp_path / top, {path: "red" for path, (colour, _) in files.items() if colour}
    )
    place = tmp_path / top / ("val" if source == "imagenet" else "") / "n99999999"
    paint(place / "1.jpg", "red")
    with pytest.raises(
        StockpotError, match=rf"{place}: no class of this data set, whose folders"
    ):
        made(source, tmp_path / "out", path=str(tmp_path), **options)


def test_class_folders_without_images_are_named(tmp_path):
    (tmp_path / "imagenet-a/n01498041").mkdir(parents=True)
    with pytest.raises(
        StockpotError, match="imagenet-a: no images in folders n01498041"
    ):
        made("imagenet-a", tmp_path / "out", path=str(tmp_path))


def imagenet_val(folder: Path) -> Path:
    """Five tenches and goldfish, numbered in another order than their folders are."""
    files = {
        f"{TENCH}/ILSVRC2012_val_00000002.JPEG": "red",
        f"{TENCH}/ILSVRC2012_val_00000004.JPEG": "green",
        f"{TENCH}/ILSVRC2012_val_00000005.JPEG": "yellow",
        f"{GOLDFISH}/ILSVRC2012_val_00000001.JPEG": "blue",
        f"{GOLDFISH}/ILSVRC2012_val_00000003.JPEG": "black",
    }
    return paint_all(folder, {f"val/{path}": colour for path, colour in files.items()})


# All is taken for a great white shark (2).
SHARKS = {colour: SHARK for colour in COLOURS}


def test_reassessed_labels_are_accepted(tmp_path, painter, imagenet):
    imagenet_val(tmp_path / "data")
    # By number: 1 blue, 2 red, 3 black (none), 4 green, 5 yellow.
    (tmp_path / "real.json").write_text(json.dumps([[1, 2], [2], [], [0], [0, 7]]))
    options = {
        "path": str(tmp_path / "data"),
        "label_file": str(tmp_path / "real.json"),
    }
    data = made("imagenet", tmp_path / "out", part="val", **options)
    assert labelled(data) == [
        ("red", TENCH),
        ("green", TENCH),
        ("yellow", TENCH),
        ("blue", GOLDFISH),
    ]
    assert data.scoring.accepted == [[2], [0], [0, 7], [1, 2]]
    answered = painter.ask(data, imagenet, SHARKS)
    assert answered.correct == [True, False, False, True]
    assert answered.score == {"metric": "accuracy", "value": 0.5, "n": 4, "k": 2}


def test_multilabel_answers_are_the_mean_over_classes(tmp_path, painter, imagenet):
    imagenet_val(tmp_path / "data")
    name = "ILSVRC2012_val_{:08}.JPEG".format
    found = {
        "initial_annots": {
            name(1): {"correct": [GOLDFISH], "unclear": [SHARK], "wrong": [TENCH]},
            name(2): {"correct": [TENCH, SHARK]},
            name(3): {"correct": [SHARK]},
            name(4): {"wrong": [SHARK], "correct": [TENCH]},
            name(5): {"correct": [TENCH]},
            "n01440764/1.jpeg": {"correct": [TENCH]},
        },
        "problematic_images": {name(3): {"why": "a drawing"}},
        "imagenet_m": [],
    }
    (tmp_path / "human.json").write_text(json.dumps(found))
    options = {
        "path": str(tmp_path / "data"),
        "label_file": str(tmp_path / "human.json"),
    }
    data = made("imagenet", tmp_path / "out", part="val", **options)
    assert dict(zip(shown(data), data.scoring.accepted)) == {
        "red": [0, 2],
        "green": [0],
        "yellow": [0],
        "blue": [1, 2],
    }
    answered = painter.ask(data, imagenet, SHARKS)
    assert dict(zip(shown(data), answered.correct)) == {
        "red": True,
        "green": False,
        "yellow": False,
        "blue": True,
    }
    # One of three tenches, the one goldfish.
    assert answered.score["metric"] == "mean-class"
    assert answered.score["k"] is None
    assert answered.score["value"] == pytest.approx((1 / 3 + 1) / 2)


def test_the_interval_of_the_mean_over_classes_is_that_of_resampled_examples():
    from stockpot.metrics import MetricInput, resampled, score

    rng = np.random.default_rng(0)
    labels, correct = 2 * rng.integers(0, 5, 400), rng.random(400) < 0.3
    correct[labels == 2] = True
    answers = MetricInput(labels, labels, correct)
    by_hand = [
        np.mean(
            [
                correct[rows][labels[rows] == label].mean()
                for label in np.unique(labels[rows])
            ]
        )
        for rows in (rng.integers(0, 400, 400) for _ in range(2000))
    ]
    found = resampled("mean-class", answers, 4000)
    assert found.mean() == pytest.approx(score("mean-class", answers).value, abs=0.005)
    assert found.std() == pytest.approx(np.std(by_hand), rel=0.1)


@pytest.mark.parametrize(
    ("part", "text", "message"),
    [
        (
            "train",
            "[]",
            r"datasets\.own\.label_file: only the images of part: val have them",
        ),
        ("val", None, r"datasets\.own\.label_file: no file .*real\.json"),
        ("val", "{}", r"real\.json: not readable \(KeyError: 'initial_annots'\)"),
        ("val", "[[0]", r"real\.json: not readable \(JSONDecodeError"),
        ("val", "[]", "own: no images in this part of imagenet"),
    ],
)
def test_wrong_answers_are_named(part, text, message, tmp_path):
    imagenet_val(tmp_path / "data")
    paint(tmp_path / f"data/train/{TENCH}/1.JPEG", "red")
    if text is not None:
        (tmp_path / "real.json").write_text(text)
    with pytest.raises(StockpotError, match=message):
        made(
            "imagenet",
            tmp_path / "out",
            path=str(tmp_path / "data"),
            part=part,
            label_file=str(tmp_path / "real.json"),
        )


# ObjectNet.

# Of these, the folder is not the class; the ImageNet classes are those of the names.
OBJECTS = {
    "alarm_clock": ("green", "alarm_clock", ["n02708093", "n03196217"]),
    "chair": ("blue", "chair", ["n02791124", "n03376595", "n04099969"]),
    "bicycle": ("yellow", "bicycle", ["n02835271", "n03792782"]),
    "still_camera": ("black", "still_camera", ["n03976467", "n04069434"]),
    "full_sized_towel": ("cyan", "bath_towel", ["n02808304"]),
    "t-shirt": ("pink", "t_shirt", ["n03595614"]),
}


def framed(path: Path, colour: str) -> None:
    """ObjectNet's images have a red frame; here two pixels wide."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", (44, 36), (255, 0, 0))
    image.paste(COLOURS[colour], (2, 2, 42, 34))
    image.save(path)


@pytest.fixture
def objectnet(tmp_path):
    folder = tmp_path / "objectnet-1.0"
    for name, (colour, _, _) in OBJECTS.items():
        framed(folder / "images" / name / f"{colour}.png", colour)
    framed(folder / "images/air_freshener/1.png", "white")
    (folder / "mappings").mkdir()
    return tmp_path


def test_objectnet_merges_and_is_cropped(objectnet, painter, imagenet):
    data = made("objectnet", objectnet / "out", path=str(objectnet))
    assert sorted(labelled(data)) == sorted(
        (c, name) for c, name, _ in OBJECTS.values()
    )
    assert len(data.class_names) == 113
    for image, colour in zip(data.images, shown(data)):
        assert np.abs(image.astype(int) - COLOURS[colour]).max() <= 1, (
            f"a frame around {colour}"
        )
    for _, name, wnids in OBJECTS.values():
        assert set(data.scoring.merges[name]) == set(wnids)
    entry = {"own": {"source": "objectnet"}}
    assert len(head_classes(entry, "own", Path)) == 125
    assert set(head_classes(entry, "own", Path)) <= set(imagenet)
    # The sum, and the mean, over its classes would make a chair of the clock.
    says = {
        "green": {"n03196217": 9, "n02791124": 6, "n03376595": 6, "n04099969": 6},
        "blue": {"n04099969": 9, "n02708093": 8, "n03196217": 8},
        "yellow": {
            "n03792782": 4,
            "n02808304": 3,
            "n01440764": 12,
        },  # a tench is no answer
        "black": {"n04069434": 9},
        "cyan": {"n03595614": 9},
        "pink": {"n02808304": 9},
    }
    answered = painter.ask(data, imagenet, says)
    assert dict(zip(shown(data), answered.names)) == {
        "green": "alarm_clock",
        "blue": "chair",
        "yellow": "bicycle",
        "black": "still_camera",
        "cyan": "t_shirt",
        "pink": "bath_towel",
    }
    assert answered.score == {"metric": "accuracy", "value": 4 / 6, "n": 6, "k": 4}


def test_the_models_classes_must_be_imagenets(objectnet, painter):
    data = made("objectnet", objectnet / "out", path=str(objectnet))
    with pytest.raises(
        StockpotError, match="'n02708093' is not among the model's 113 classes"
    ):
        painter.ask(data, data.class_names, {})


# CIFAR.

CIFAR10 = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
]


def cifar_images(n: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)


def record(labels: list[int], image: np.ndarray) -> bytes:
    """The labels, then 1,024 values each of red, green and blue, row by row."""
    return bytes(labels) + b"".join(
        image[:, :, channel].tobytes() for channel in range(3)
    )


def test_cifar10_from_its_binary_files(tmp_path, painter):
    folder, images = tmp_path / "cifar-10-batches-bin", cifar_images(7)
    folder.mkdir()
    for batch in range(5):
        (folder / f"data_batch_{batch + 1}.bin").write_bytes(
            record([9 - batch], images[batch])
        )
    test = record([3], images[5]) + record([8], images[6])
    (folder / "test_batch.bin").write_bytes(test)
    train = made("cifar10", tmp_path / "train", path=str(tmp_path), part="train")
    assert train.class_names == CIFAR10
    assert train.labels.tolist() == [9, 8, 7, 6, 5]
    assert (train.images == images[:5]).all()
    data = made("cifar10", tmp_path / "test", path=str(folder), part="test")
    assert [data.class_names[label] for label in data.labels] == ["cat", "ship"]
    assert (data.images == images[5:]).all()

    (folder / "test_batch.bin").write_bytes(test[:-5])
    line = r"test_batch\.bin: 6141 bytes are no whole number of images of 3073"
    with pytest.raises(StockpotError, match=line):
        made("cifar10", tmp_path / "cut", path=str(folder), part="test")
    (folder / "data_batch_3.bin").unlink()
    with pytest.raises(
        StockpotError, match=r"own\.path: .* holds no data_batch_3\.bin"
    ):
        made("cifar10", tmp_path / "gone", path=str(folder), part="train")


def test_cifar100_has_the_fine_labels(tmp_path):
    folder, images = tmp_path / "cifar-100-binary", cifar_images(3)
    folder.mkdir()
    (folder / "train.bin").write_bytes(record([4, 99], images[0]))
    (folder / "test.bin").write_bytes(
        record([11, 0], images[1]) + record([1, 2], images[2])
    )
    data = made("cifar100", tmp_path / "out", path=str(tmp_path), part="test")
    assert [data.class_names[label] for label in data.labels] == ["apple", "baby"]
    assert (data.images == images[1:]).all()
    train = made("cifar100", tmp_path / "train", path=str(tmp_path), part="train")
    assert [train.class_names[label] for label in train.labels] == ["worm"]
    assert len(train.class_names) == 100
    assert train.class_names[1] == "aquarium_fish"
    entry = {"source": "cifar100", "part": "test"}
    assert (
        sources.module("cifar100").texts(entry, Path)["aquarium_fish"]
        == "aquarium fish"
    )


def test_cifar_is_resized_for_the_model(tmp_path, painter):
    """Coloured images, to be answered; the classes are the model's own, in another order."""
    images = np.zeros((2, 32, 32, 3), np.uint8)
    images[:] = np.array([COLOURS["red"], COLOURS["green"]])[:, None, None]
    folder = tmp_path / "datasets"
    folder.mkdir()
    np.save(folder / "cifar10.1_v6_data.npy", images)
    np.save(folder / "cifar10.1_v6_labels.npy", np.array([6, 1], np.int32))
    module = sources.module("cifar10-1")
    spec = encoded_spec("cifar10-1", 48, path=str(tmp_path))
    spec |= module.facts(spec, Path, "key")
    prepare(tmp_path / "large", spec)
    assert np.load(tmp_path / "large/images.npy").shape == (2, 48, 48, 3)
    data = made("cifar10-1", tmp_path / "out", path=str(tmp_path))
    assert labelled(data) == [("red", "frog"), ("green", "automobile")]
    answered = painter.ask(data, CIFAR10[::-1], {"red": "frog", "green": "truck"})
    assert answered.names == ["frog", "truck"]
    assert answered.score["k"] == 1


def test_cifar10_2_from_its_file(tmp_path):
    images, labels = cifar_images(2), np.array([9, 0])
    file = tmp_path / "cifar102_test.npz"
    np.savez(file, images=images, labels=labels, label_names=np.array(CIFAR10))
    data = made("cifar10-2", tmp_path / "out", path=str(tmp_path))
    assert data.labels.tolist() == [9, 0]
    assert (data.images == images).all()
    for change, line in (
        (
            {"images": images[:, :, :, 0]},
            r"uint8 \[2, 32, 32\], not uint8 \[2, 32, 32, 3\]",
        ),
        ({"images": images / 255}, "images are float64"),
        ({"labels": labels[:1]}, "for 1 labels"),
        ({"labels": np.array([{}, []], object)}, "not readable .*allow_pickle=False"),
    ):
        np.savez(file, **{"images": images, "labels": labels, **change})
        with pytest.raises(StockpotError, match=rf"cifar102_test\.npz: .*{line}"):
            made("cifar10-2", tmp_path / "wrong", path=str(tmp_path))
    np.savez(file, images=images)
    with pytest.raises(
        StockpotError, match=r"cifar102_test\.npz: not readable \(KeyError"
    ):
        made("cifar10-2", tmp_path / "wrong", path=str(tmp_path))


def test_pickled_arrays_are_never_read(tmp_path):
    for name in ("data", "labels"):
        np.save(tmp_path / f"cifar10.1_v6_{name}.npy", np.array([print, 1], object))
    with pytest.raises(
        StockpotError, match=r"v6_data\.npy: not readable .*allow_pickle=False"
    ):
        made("cifar10-1", tmp_path / "out", path=str(tmp_path))


# FMoW and iWildCam.


def write_csv(file: Path, header: str, *rows: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([header, *rows]) + "\n")


FMOW = (
    "split,img_filename,img_path,spatial_reference,epsg,category,visible,img_width,img_height,"
    "country_code,cloud_cover,timestamp,lat,lon,region"
)
# split, category, country, time: the image has the number of the row.
SCENES = [
    ("seq", "zoo", "ITA", "2016-05-01T00:00:00Z"),
    ("test", "zoo", "JPN", "2016-01-01T00:00:00Z"),  # 1: the first moment of test
    (
        "test",
        "zoo",
        "JPN",
        "2015-12-31T23:59:59Z",
    ),  # too late for id-test, too early for test
    ("val", "airport", "KEN", "2013-01-01T00:00:00Z"),  # 3: the first moment of val
    ("val", "airport", "KEN", "2012-12-31T23:59:59Z"),  # 4: the last of id-val
    ("seq", "zoo", "ITA", "2012-05-01T00:00:00Z"),
    ("test", "barn", "JPN", "2017-07-01T10:00:00Z"),  # 6
    ("test", "barn", "KEN", "2017-07-01T10:00:00Z"),  # 7
    ("test", "tower", "XKX", "2017-07-01T10:00:00Z"),  # 8: of no region
    ("test", "tower", "KEN", "2013-01-01T00:30:00+01:00"),  # 9: 2012 in UTC
    ("train", "tower", "KEN", "2010-01-01T00:30:00Z"),  # 10
    ("val", "tower", "USA", "2016-01-01T00:30:00+01:00"),  # 11: 2015 in UTC
    ("train", "tower", "KEN", "2013-02-01T00:30:00Z"),
    ("test", "tower", "BRA", "2012-02-01T00:30:00Z"),  # 13
]
PARTS = {
    "train": [10],
    "id-val": [4],
    "id-test": [9, 13],
    "val": [3, 11],
    "test": [1, 6, 7, 8],
}
PAINTED = {
    1: "red",
    6: "green",
    7: "blue",
    8: "yellow",
    9: "cyan",
    13: "pink",
    3: "black",
    11: "white",
}


@pytest.fixture
def fmow(tmp_path):
    folder = tmp_path / "data/fmow_v1.1"
    rows = [
        f"{split},x.jpg,x/x.jpg,wgs,326,{category},1,9,9,{country},0,{time},0,0,Europe"
        for split, category, country, time in SCENES
    ]
    write_csv(folder / "rgb_metadata.csv", FMOW, *rows)
    write_csv(
        folder / "country_code_mapping.csv",
        "name,alpha-2,alpha-3,region,sub-region",
        "Japan,JP,JPN,Asia,Eastern Asia",
        "Kenya,KE,KEN,Africa,Sub-Saharan Africa",
        "Italy,IT,ITA,Europe,Southern Europe",
        "Brazil,BR,BRA,Americas,Latin America",
        "United States,US,USA,Americas,Northern America",
        "Antarctica,AQ,ATA,,",
    )
    for number, (split, *_) in enumerate(SCENES):
        if split != "seq":
            paint(folder / f"images/rgb_img_{number}.png", PAINTED.get(number, "black"))
    return tmp_path / "data"


@pytest.mark.parametrize("part", PARTS)
def test_fmow_parts_are_those_of_split_and_year(part, fmow, tmp_path):
    data = made("fmow", tmp_path / "out", path=str(fmow), part=part)
    expected = [(PAINTED.get(row, "black"), SCENES[row][1]) for row in PARTS[part]]
    assert labelled(data) == expected
    worst = part in ("val", "test")
    assert data.scoring.metric == ("worst-group" if worst else "accuracy")


def test_fmow_is_scored_in_its_worst_region(fmow, tmp_path, painter):
    data = made("fmow", tmp_path / "out", path=str(fmow), part="test")
    # Right: one of two in Asia, the one in Africa; wrong: the one of no region.
    says = {"red": "zoo", "green": "zoo", "blue": "barn", "yellow": "zoo"}
    answered = painter.ask(data, data.class_names, says)
    assert answered.correct == [True, False, True, False]
    assert answered.score == {"metric": "worst-group", "value": 0.5, "n": 2, "k": 1}
    # Asia, Asia, Africa and none.
    assert data.scoring.groups == [0, 0, 2, -1]
    plain = made(
        "fmow", tmp_path / "plain", path=str(fmow), part="test", metric="accuracy"
    )
    answered = painter.ask(plain, plain.class_names, says)
    assert answered.score == {"metric": "accuracy", "value": 0.5, "n": 4, "k": 2}
    said = {"blue": "zoo"} | {
        colour: says[colour] for colour in ("red", "green", "yellow")
    }
    answered = painter.ask(data, data.class_names, said)
    assert answered.score == {"metric": "worst-group", "value": 0.0, "n": 1, "k": 0}


def test_fmow_of_another_form_is_named(fmow, tmp_path):
    file = fmow / "fmow_v1.1/rgb_metadata.csv"
    text = file.read_text()
    for old, new, line in (
        ("category", "label", "rgb_metadata.csv: not readable .*'category'"),
        (",barn,", ",bern,", "rgb_img_6.png: its class 'bern' is none of the 62"),
        (
            "2017-07-01T10:00:00Z",
            "last year",
            "rgb_metadata.csv: not readable .*'last year'",
        ),
    ):
        file.write_text(text.replace(old, new))
        with pytest.raises(StockpotError, match=line):
            made("fmow", tmp_path / "out", path=str(fmow), part="test")


WILD = (
    ",split,location_remapped,location,sequence_remapped,seq_id,y,category_id,datetime,filename,"
    "image_id"
)


def wild(folder: Path, rows: list[tuple[str, int, str]]) -> Path:
    """rows: split, y, colour; the file has the name of the colour."""
    write_csv(
        folder / "iwildcam_v2.0/metadata.csv",
        WILD,
        *(
            f"{i},{split},0,1,0,id,{y},71,2013-06-05 05:44:19.000,{colour}.jpg,id"
            for i, (split, y, colour) in enumerate(rows)
        ),
    )
    for _, _, colour in rows:
        paint(folder / f"iwildcam_v2.0/train/{colour}.jpg", colour)
    return folder


def test_iwildcam_is_scored_by_macro_f1(tmp_path, painter):
    from sklearn.metrics import f1_score

    rows = [
        ("train", 0, "white"),
        ("test", 1, "red"),
        ("test", 1, "green"),
        ("id_test", 2, "blue"),
        ("test", 153, "yellow"),
        ("test", 181, "black"),
        ("test", 0, "cyan"),
        ("val", 2, "pink"),
    ]
    data = made(
        "iwildcam", tmp_path / "out", path=str(wild(tmp_path / "d", rows)), part="test"
    )
    peccary, one, other = "tayassu pecari", "mazama temama (153)", "mazama temama (181)"
    assert labelled(data) == [
        ("red", peccary),
        ("green", peccary),
        ("yellow", one),
        ("black", other),
        ("cyan", "empty"),
    ]
    names = sources.module("iwildcam").texts(
        {"source": "iwildcam", "part": "test"}, Path
    )
    assert names[peccary] == "white-lipped peccary"
    assert names["empty"] == "empty"
    assert len(data.class_names) == 182
    dog = data.class_names[2]
    says = {"red": peccary, "green": one, "yellow": one, "black": dog, "cyan": "empty"}
    answered = painter.ask(data, data.class_names, says)
    # peccary: 2*1/(2+1); one: 2*1/(1+2); other: 0; empty: 1. The dog, never a label, is no class.
    assert answered.score["metric"] == "macro-f1"
    assert answered.score["value"] == pytest.approx((2 / 3 + 2 / 3 + 0 + 1) / 4)
    predicted = answered.found.predicted.numpy()
    assert answered.score["value"] == pytest.approx(
        f1_score(data.labels, predicted, average="macro", labels=np.unique(data.labels))
    )
    for part, colours in (
        ("id-test", ["blue"]),
        ("val", ["pink"]),
        ("train", ["white"]),
    ):
        own = made("iwildcam", tmp_path / part, path=str(tmp_path / "d"), part=part)
        assert shown(own) == colours


def test_a_label_that_iwildcam_has_not_is_named(tmp_path):
    wild(tmp_path / "d", [("val", 99999, "red")])
    with pytest.raises(
        StockpotError, match=r"metadata\.csv: red\.jpg has y '99999', not 0 to 181"
    ):
        made("iwildcam", tmp_path / "out", path=str(tmp_path / "d"), part="val")


# Sets of video frames.

VID = "imagenet_vid_ytbb_robust/imagenet-vid-robust"
AIRPLANE, ZEBRA, BICYCLE, BEAR = 0, 29, 3, 2


@pytest.fixture
def vid(tmp_path):
    """Two sets: one of an anchor and two others, one of an anchor alone with two labels."""
    folder, first, second = tmp_path / VID, "val/V_00/", "val/V_01/"
    colours = {
        first + "000432.JPEG": "red",
        first + "000442.JPEG": "green",
        first + "000433.JPEG": "blue",
        second + "000077.JPEG": "yellow",
    }
    labels = {
        first + "000432.JPEG": [AIRPLANE],
        first + "000442.JPEG": [AIRPLANE, BICYCLE],
        first + "000433.JPEG": [AIRPLANE],
        second + "000077.JPEG": [ZEBRA, BEAR],
    }
    sets = {
        second + "000077.JPEG": [],
        first + "000442.JPEG": [first + "000432.JPEG", first + "000433.JPEG"],
    }
    paint_all(folder, colours)
    (folder / "metadata").mkdir()
    for name, content in (("labels", labels), ("pmsets", sets)):
        (folder / f"metadata/{name}.json").write_text(json.dumps(content))
    return tmp_path


AIRLINER, TANDEM, BLACK_BEAR = "n02690373", "n02835271", "n02133161"
VIDEO_ANSWERS = [
    # pm-0 and pm-10, by hand: the anchors are green and yellow.
    ({"red": AIRLINER, "green": TANDEM, "blue": AIRLINER, "yellow": BLACK_BEAR}, 2, 2),
    ({"red": TANDEM, "green": AIRLINER, "blue": AIRLINER, "yellow": BLACK_BEAR}, 2, 1),
    ({"red": AIRLINER, "green": AIRLINER, "blue": TANDEM, "yellow": AIRLINER}, 1, 0),
    (
        {"red": AIRLINER, "green": BLACK_BEAR, "blue": AIRLINER, "yellow": BLACK_BEAR},
        1,
        1,
    ),
]


@pytest.mark.parametrize(("says", "pm0", "pm10"), VIDEO_ANSWERS)
def test_frames_of_imagenet_vid_have_their_own_labels(
    says, pm0, pm10, vid, painter, imagenet
):
    anchors = made("imagenet-vid-robust", vid / "pm-0", path=str(vid), frames="pm-0")
    assert labelled(anchors) == [("green", "n02691156"), ("yellow", "n02391049")]
    answered = painter.ask(anchors, imagenet, says)
    assert answered.score == {"metric": "accuracy", "value": pm0 / 2, "n": 2, "k": pm0}
    folder = str(vid / VID)
    data = made("imagenet-vid-robust", vid / "pm-10", path=folder, frames="pm-10")
    assert shown(data) == ["green", "red", "blue", "yellow"]
    assert data.scoring.accepted == [[0, 3], [0], [0], [29, 2]]
    answered = painter.ask(data, imagenet, says)
    assert answered.score == {
        "metric": "accuracy",
        "value": pm10 / 2,
        "n": 2,
        "k": pm10,
    }


def test_a_frame_without_labels_is_named(vid):
    file = vid / VID / "metadata/labels.json"
    labels = json.loads(file.read_text())
    for change, line in (
        (
            {"val/V_00/000433.JPEG": []},
            r"000433\.JPEG: its labels are \[\], not one or more",
        ),
        (
            {"val/V_00/000433.JPEG": [30]},
            r"its labels are \[30\], not one or more of 0 to 29",
        ),
        (None, r"labels\.json: not readable \(KeyError: 'val/V_00/000442.JPEG'\)"),
    ):
        file.write_text(json.dumps(labels | change if change else {}))
        with pytest.raises(StockpotError, match=line):
            made("imagenet-vid-robust", vid / "out", path=str(vid), frames="pm-10")
    file.unlink()
    with pytest.raises(StockpotError, match=r"path: .* holds no metadata/labels\.json"):
        made("imagenet-vid-robust", vid / "out", path=str(vid), frames="pm-10")


ANCHOR_TEXTS = [
    "good",
    "unsure",
    "bad",
    "person",
    "bird",
    "cow",
    "none",
    "car",
    "potted plant",
]
PAIR_TEXTS = [
    "similar",
    "correct",
    "dissimilar",
    "problematic",
    "incorrect",
    "dont know",
    "deformation",
    "background-change",
    "occlusion-increased",
    "blur-increase",
    "bad-anchor",
    "hm",
]
# Anchor, its texts, its label in the CSV file, where none and car are the other way round.
ANCHORS = [
    ("/home/u/frames/a_b_100/frame-20.jpg", ["good", "person"], 1),
    ("b_200/frame-5.jpg", ["good"], 22),
    ("c_300/frame-5.jpg", ["good", "bad"], 1),
    ("d_400/frame-5.jpg", ["unsure", "good"], 1),
    ("e_500/frame-5.jpg", ["person"], 1),
    ("f_600/frame-5.jpg", ["good"], 1),  # bad by a pair
    ("g_700/frame-5.jpg", ["good"], 6),
    ("h_800/frame-5.jpg", ["good", "potted plant", "bird"], 1),
]
# Neighbour, its texts.
PAIRS = [
    ("a_b_100/frame-20.jpg", "a_b_100/frame-30.jpg", ["similar", "correct", "hm"]),
    ("a_b_100/frame-20.jpg", "a_b_100/frame-10.jpg", ["similar"]),
    ("a_b_100/frame-20.jpg", "a_b_100/frame-31.jpg", ["similar"]),  # too far
    ("a_b_100/frame-20.jpg", "a_b_100/frame-21.jpg", ["correct"]),
    ("a_b_100/frame-20.jpg", "b_200/frame-21.jpg", ["similar"]),  # another video
    *(
        ("a_b_100/frame-20.jpg", f"a_b_100/frame-{21 + i}.jpg", ["similar", text])
        for i, text in enumerate(PAIR_TEXTS[2:10], 1)
    ),
    ("b_200/frame-5.jpg", "b_200/frame-6.jpg", ["similar"]),
    ("f_600/frame-5.jpg", "f_600/frame-6.jpg", ["similar"]),
    ("f_600/frame-5.jpg", "f_600/frame-7.jpg", ["similar", "bad-anchor"]),
]
YTBB = "imagenet_vid_ytbb_robust/ytbb-robust/ytbb_videos"
YTBB_FRAMES = {
    "a_b_100/frame-20.jpg": "red",
    "a_b_100/frame-10.jpg": "green",
    "a_b_100/frame-30.jpg": "blue",
    "b_200/frame-5.jpg": "yellow",
    "b_200/frame-6.jpg": "black",
    "g_700/frame-5.jpg": "cyan",
    "h_800/frame-5.jpg": "pink",
}


@pytest.fixture
def ytbb(tmp_path):
    def annotated(texts, rows):
        found = [
            {"key": k, "notes": "", "labels": [texts.index(t) for t in own]}
            for k, own in rows
        ]
        return json.dumps({"labels": texts, "annotations": found})

    paint_all(tmp_path / YTBB, YTBB_FRAMES)
    folder = tmp_path / "metadata"
    folder.mkdir()
    anchors = annotated(ANCHOR_TEXTS, [(key, texts) for key, texts, _ in ANCHORS])
    (folder / "anchor_labels.json").write_text(anchors)
    pairs = annotated(PAIR_TEXTS, [(f"{a},{b}", texts) for a, b, texts in PAIRS])
    (folder / "pmk_labels.json").write_text(pairs)
    rows = [(*key.split("/")[-2].rsplit("_", 1), label) for key, _, label in ANCHORS]
    with open(
        folder / "ytbb_robustness_test_anchors_full.csv", "w", newline=""
    ) as file:
        csv.writer(file).writerows([("ytid", "time_ms", "label"), *rows])
    return tmp_path


PERSON, BIRD, CAR, PLANT = "n10148035", "n01531178", "n02701002", "n11939491"
YTBB_ANSWERS = [
    # pm-0 of red, yellow, cyan, pink; pm-10 of those with green, blue; with black.
    (
        {
            "red": BIRD,
            "green": PERSON,
            "blue": BIRD,
            "yellow": CAR,
            "black": CAR,
            "pink": PLANT,
        },
        3,
        3,
    ),
    (
        {
            "red": BIRD,
            "green": PERSON,
            "blue": CAR,
            "yellow": CAR,
            "black": CAR,
            "pink": BIRD,
        },
        3,
        2,
    ),
    (
        {
            "red": BIRD,
            "green": CAR,
            "blue": BIRD,
            "yellow": CAR,
            "black": BIRD,
            "pink": CAR,
        },
        2,
        0,
    ),
]


@pytest.mark.parametrize(("says", "pm0", "pm10"), YTBB_ANSWERS)
def test_frames_of_ytbb_have_their_anchors_labels(
    says, pm0, pm10, ytbb, painter, imagenet
):
    says = {colour: {name: 9.0, CAR: 1.0} for colour, name in says.items()}
    says["cyan"] = {CAR: 1.0}  # a cow: the class that nothing stands for is no answer
    options = {"path": str(ytbb), "annotations": str(ytbb / "metadata")}
    anchors = made("ytbb-robust", ytbb / "pm-0", frames="pm-0", **options)
    assert labelled(anchors) == [
        ("red", "bird"),
        ("yellow", "car"),
        ("cyan", "cow"),
        ("pink", "bird"),
    ]
    assert anchors.scoring.accepted == [[1, 0], [23], [6], [1, 9]]
    answered = painter.ask(anchors, imagenet, says, rest=0.5)
    assert answered.score == {"metric": "accuracy", "value": pm0 / 4, "n": 4, "k": pm0}
    assert answered.names[2] == "car"
    logits = answered.found.logits
    assert [i for i in range(24) if (logits[:, i] == 0).all()] == [6, 8, 14, 18, 22]
    data = made("ytbb-robust", ytbb / "pm-10", frames="pm-10", **options)
    assert shown(data) == ["red", "green", "blue", "yellow", "black", "cyan", "pink"]
    assert data.scoring.videos == [0, 0, 0, 1, 1, 2, 3]
    answered = painter.ask(data, imagenet, says)
    assert answered.score == {
        "metric": "accuracy",
        "value": pm10 / 4,
        "n": 4,
        "k": pm10,
    }


def test_ytbb_merges_into_a_head_of_imagenet(imagenet):
    entry = {"own": {"source": "ytbb-robust", "frames": "pm-0"}}
    wanted = head_classes(entry, "own", Path)
    assert len(wanted) == 231
    assert set(wanted) <= set(imagenet)


def test_annotations_of_ytbb_that_lack_are_named(ytbb):
    options = {"path": str(ytbb), "frames": "pm-0"}
    with pytest.raises(
        StockpotError, match=r"own\.annotations: .*metadata holds no anchor_labels"
    ):
        made(
            "ytbb-robust", ytbb / "out", **{**options, "path": str(ytbb / YTBB / "..")}
        )
    options["annotations"] = str(ytbb / "metadata")
    file = ytbb / "metadata/ytbb_robustness_test_anchors_full.csv"
    text = file.read_text()
    file.write_text(text.replace("b,100,", "b,101,"))
    with pytest.raises(
        StockpotError, match=r"full\.csv: no label of a_b_100/frame-20\.jpg"
    ):
        made("ytbb-robust", ytbb / "out", **options)
    file.write_text(text.replace("label", "class"))
    with pytest.raises(StockpotError, match=r"full\.csv: not readable .*'label'"):
        made("ytbb-robust", ytbb / "out", **options)
    (ytbb / "metadata/pmk_labels.json").write_text('{"annotations": []}')
    with pytest.raises(
        StockpotError, match=r"pmk_labels\.json: not readable .*'labels'"
    ):
        made("ytbb-robust", ytbb / "out", **options)


def test_annotations_of_ytbb_may_lie_with_its_data(ytbb):
    (ytbb / "metadata").rename(ytbb / YTBB / "../metadata")
    data = made(
        "ytbb-robust", ytbb / "out", path=str((ytbb / YTBB).parent), frames="pm-0"
    )
    assert len(data) == 4


# Lists of files.


def cars(folder):
    from scipy.io import savemat

    def annotations(file, rows):
        kinds = [(name, "f8") for name in ("bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2")]
        found = np.zeros((1, len(rows)), [*kinds, ("class", "f8"), ("fname", "O")])
        for place, (name, number) in enumerate(rows):
            found[0, place]["fname"], found[0, place]["class"] = name, number
        file.parent.mkdir(exist_ok=True)
        savemat(file, {"annotations": found})

    annotations(
        folder / "devkit/cars_train_annos.mat", [("00001.jpg", 14), ("00002.jpg", 1)]
    )
    annotations(folder / "cars_test_annos_withlabels.mat", [("00001.jpg", 196)])
    annotations(folder / "devkit/cars_test_annos.mat", [("00001.jpg", 1)])
    return {
        "cars_train/00001.jpg": "red",
        "cars_train/00002.jpg": "green",
        "cars_test/00001.jpg": "blue",
    }


def dtd(folder):
    (folder / "labels").mkdir()
    for name, line in (
        ("train1", "banded/banded_0002.jpg\nzigzagged/z.jpg\n"),
        ("val1", "banded/b.jpg\n"),
        ("test1", "zigzagged/z.jpg"),
        ("test10", "banded/b.jpg\nzigzagged/z.jpg"),
    ):
        (folder / f"labels/{name}.txt").write_text(line)
    return {
        "images/banded/banded_0002.jpg": "red",
        "images/zigzagged/z.jpg": "green",
        "images/banded/b.jpg": "blue",
    }


def sun(folder):
    for name, line in (
        ("Training_01", "/a/abbey/sun_1.jpg\n/c/church/outdoor/sun_2.jpg\n"),
        ("Testing_01", "/a/abbey/sun_3.jpg\n"),
        ("Testing_10", "/c/church/outdoor/sun_2.jpg\n"),
        ("Training_10", ""),
    ):
        (folder / f"{name}.txt").write_text(line)
    return {
        "SUN397/a/abbey/sun_1.jpg": "red",
        "SUN397/c/church/outdoor/sun_2.jpg": "green",
        "SUN397/a/abbey/sun_3.jpg": "blue",
    }


def food(folder):
    (folder / "meta").mkdir()
    lists = {
        "train": {"waffles": ["waffles/2"], "apple_pie": ["apple_pie/1"]},
        "test": {"waffles": ["waffles/3"]},
    }
    for part, images in lists.items():
        (folder / f"meta/{part}.json").write_text(json.dumps(images))
    return {
        "images/apple_pie/1.jpg": "red",
        "images/waffles/2.jpg": "green",
        "images/waffles/3.jpg": "blue",
    }


CLASS_TEXTS = {
    "14": "Audi TTS Coupe 2012",
    "1": "AM General Hummer SUV 2000",
    "196": "smart fortwo Convertible 2012",
}
CHURCH = "/c/church/outdoor"
LISTED = {
    "cars": (
        cars,
        "stanford_cars",
        {
            "train": [("red", CLASS_TEXTS["14"]), ("green", CLASS_TEXTS["1"])],
            "test": [("blue", CLASS_TEXTS["196"])],
        },
        "cars_test_annos_withlabels.mat",
    ),
    "dtd": (
        dtd,
        "dtd",
        {
            "train": [("red", "banded"), ("green", "zigzagged")],
            "val": [("blue", "banded")],
            "test": [("green", "zigzagged")],
            "test 10": [("blue", "banded"), ("green", "zigzagged")],
        },
        "labels/test1.txt",
    ),
    "sun397": (
        sun,
        "",
        {
            "train": [("red", "/a/abbey"), ("green", CHURCH)],
            "test": [("blue", "/a/abbey")],
            "test 10": [("green", CHURCH)],
        },
        None,
    ),
    "food101": (
        food,
        "food-101",
        {
            "train": [("red", "apple_pie"), ("green", "waffles")],
            "test": [("blue", "waffles")],
        },
        "meta/test.json",
    ),
}


@pytest.mark.parametrize("source", LISTED)
def test_sets_with_lists_of_files(source, tmp_path, painter):
    make, top, parts, _ = LISTED[source]
    folder = tmp_path / "data" / top
    folder.mkdir(parents=True)
    paint_all(folder, make(folder))
    for part, expected in parts.items():
        name, *partition = part.split()
        options = {"partition": int(partition[0])} if partition else {}
        for path in (tmp_path / "data", folder):
            out = tmp_path / f"{part} {path.name}"
            data = made(source, out, path=str(path), part=name, **options)
            assert labelled(data) == expected
    right, wrong = [(c, name) for c, name in parts["train"]]
    data = made(source, tmp_path / "again", path=str(folder), part="train")
    answered = painter.ask(
        data, data.class_names, {right[0]: right[1], wrong[0]: right[1]}
    )
    assert answered.names == [right[1]] * 2
    assert answered.score["value"] == 0.5


@pytest.mark.parametrize("source", [name for name, case in LISTED.items() if case[-1]])
def test_a_missing_list_is_named(source, tmp_path):
    make, _, _, file = LISTED[source]
    paint_all(tmp_path, make(tmp_path))
    (tmp_path / file).unlink()
    with pytest.raises(
        StockpotError, match=rf"datasets\.own\.path: {tmp_path} holds no "
    ):
        made(source, tmp_path / "out", path=str(tmp_path), part="test")


@pytest.mark.parametrize(
    ("source", "file", "content", "line"),
    [
        (
            "dtd",
            "labels/test1.txt",
            "bended/1.jpg",
            "bended/1.jpg: its class 'bended' is none of",
        ),
        (
            "sun397",
            "Testing_01.txt",
            "/a/abby/1.jpg",
            "a/abby/1.jpg: its class '/a/abby' is none",
        ),
        ("food101", "meta/test.json", '["waffles"]', "test.json: not readable"),
        (
            "food101",
            "meta/test.json",
            '{"soup": ["soup/1"]}',
            "its class 'soup' is none of",
        ),
        (
            "cars",
            "cars_test_annos_withlabels.mat",
            "no",
            "withlabels.mat: not readable",
        ),
        ("dtd", "labels/test1.txt", "banded/9.jpg", "banded/9.jpg: cannot be read"),
    ],
)
def test_a_wrong_list_is_named(source, file, content, line, tmp_path):
    paint_all(tmp_path, LISTED[source][0](tmp_path))
    (tmp_path / file).write_text(content)
    with pytest.raises(StockpotError, match=line):
        made(source, tmp_path / "out", path=str(tmp_path), part="test")


def test_partitions_of_sun397_may_lie_in_their_folder(tmp_path):
    paint_all(tmp_path, sun(tmp_path))
    inside = tmp_path / "SUN397"
    (inside / "Partitions").mkdir()
    for file in tmp_path.glob("T*.txt"):
        file.rename(inside / "Partitions" / file.name)
    data = made("sun397", tmp_path / "out", path=str(inside), part="test")
    assert labelled(data) == [("blue", "/a/abbey")]
    with pytest.raises(
        StockpotError, match=rf"own\.path: {tmp_path} holds no Testing_01\.txt"
    ):
        made("sun397", tmp_path / "out", path=str(tmp_path), part="test")


def test_a_class_of_cars_out_of_range_is_named(tmp_path):
    from scipy.io import savemat

    paint_all(tmp_path, cars(tmp_path))
    found = np.array([[(0, "x.jpg")]], [("class", "f8"), ("fname", "O")])
    savemat(tmp_path / "cars_test_annos_withlabels.mat", {"annotations": found})
    with pytest.raises(StockpotError, match="x.jpg has class 0.*, not 1 to 196"):
        made("cars", tmp_path / "out", path=str(tmp_path), part="test")


@pytest.mark.parametrize(
    "name", [n for n in sources.names() if hasattr(sources.module(n), "SET")]
)
def test_what_a_set_knows_is_asked_of_it(name):
    """A module defines what differs; classes that stand for several are never lost."""
    module = sources.module(name)
    assert all(
        callable(getattr(module, question)) for question in sources.ANSWERED_BY_SET
    )
    entry = {"source": name, "path": "."}
    assert module.merges(entry, Path) == module.SET.merged
    assert list(module.texts(entry, Path)) == module.classes(entry, Path)
