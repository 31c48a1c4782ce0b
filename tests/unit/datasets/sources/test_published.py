"""Tests what is known of published sets before their files are there."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from stockpot.config.schema import schema_errors, with_plugin_options
from stockpot.datasets import sources
from stockpot.runtime.errors import StockpotError
from tests.support.interpreter import python
from tests.support.paths import ROOT
from tests.support.solid_colours import paint, paint_all, prepared_dataset

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


def published_entries() -> list[tuple[dict, int]]:
    found = []
    for source, images in PUBLISHED.items():
        [(option, parts)] = (
            images.items() if isinstance(images, dict) else [("", {"": images})]
        )
        for part, n in parts.items():
            found.append(({"source": source} | ({option: part} if option else {}), n))
    return found


@pytest.mark.parametrize(("entry", "images"), published_entries(), ids=str)
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
    video = {"source": "imagenet-vid-robust"}
    assert identity(**video, frames="pm-0") == identity(**video, frames="pm-10")
    # Other labels, the same images.
    val = {"source": "imagenet", "part": "val"}
    assert identity(**val) == identity(**val, label_file="real.json")


@pytest.mark.parametrize("source", PUBLISHED)
def test_a_missing_folder_is_named(source, tmp_path):
    entry, _ = next(pair for pair in published_entries() if pair[0]["source"] == source)
    line = r"datasets\.own\.path: no folder .*nowhere; .*docs/guide/datasets\.md"
    with pytest.raises(StockpotError, match=line):
        prepared_dataset(out=tmp_path / "out", path=str(tmp_path / "nowhere"), **entry)


@pytest.mark.parametrize("source", PUBLISHED)
def test_another_layout_is_named(source, tmp_path):
    entry, _ = next(pair for pair in published_entries() if pair[0]["source"] == source)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/images.zip").write_bytes(b"")
    line = r"datasets\.own\.path: .*data holds no .*; docs/guide/datasets\.md has"
    with pytest.raises(StockpotError, match=line):
        prepared_dataset(out=tmp_path / "out", path=str(tmp_path / "data"), **entry)


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


@pytest.mark.process
def test_tables_of_published_sets_are_read_strictly(tmp_path):
    from stockpot.datasets.sources._published import read_csv

    file = tmp_path / "metadata.csv"
    file.write_bytes('\ufeffname,label\r\nä,"1"\r\n'.encode())
    assert list(read_csv(file, "label", "name")) == [["1", "ä"]]
    file.write_text('name,label\na,"1\nb,2\n')
    with pytest.raises(StockpotError, match=r"metadata\.csv: not readable \("):
        list(read_csv(file, "label"))
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(StockpotError, match=r"pipe\.csv: it is a pipe"):
        list(read_csv(tmp_path / "pipe.csv", "label"))


@pytest.mark.process
def test_other_kinds_of_images_are_refused_in_published_sets_too(tmp_path):
    from stockpot.datasets.sources._published import in_folders

    paint_all(tmp_path, {"n1/1.JPEG": "red"})
    assert in_folders(tmp_path, {"n1": "n1"}) == [("n1/1.JPEG", "n1")]
    (tmp_path / "n1/2.tif").write_bytes(b"x")
    with pytest.raises(
        StockpotError, match=r"n1/2\.tif: an image of a kind that is not read"
    ):
        in_folders(tmp_path, {"n1": "n1"})
