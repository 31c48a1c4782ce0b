"""Tests test sets that lack classes: among which classes models answer, and what the plan says."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stockpot.datasets import sources
from stockpot.datasets.dataset import Dataset, read_dataset
from stockpot.datasets.prepare import prepare
from stockpot.planning import build_plan
from stockpot.runtime.errors import StockpotError
from tests.support.data_specs import encoded_spec
from tests.support.paths import ROOT
from tests.support.solid_colours import Painter, labelled, paint_all

CLASSES = ["cat", "dog", "fox"]
SHIFT = {"dog/1.png": "red", "dog/2.png": "green", "fox/3.png": "blue"}


@pytest.fixture(scope="module")
def painter(tmp_path_factory):
    return Painter(tmp_path_factory.mktemp("coloured"))


@pytest.fixture
def study_of_three_classes(config, tmp_path):
    """A study of three classes, of whose images the shift has two."""
    few = {"held_out": 1, "test": 1}
    for name in CLASSES:
        paint_all(tmp_path / "all", {f"{name}/{i}.png": "red" for i in range(4)})
    for role, part in (
        ("train", "train"),
        ("held_out", "held-out"),
        ("reference", "test"),
    ):
        path = str(tmp_path / "all")
        config["datasets"][part] = {
            "source": "folder",
            "path": path,
            "split": {"part": part, **few},
        }
        config["data"][role] = part
    config["data"] |= {"shifts": ["other"], "corrupted": []}
    config["baselines"]["models"] = {}
    paint_all(tmp_path / "other", SHIFT)
    config["datasets"]["other"] = {"source": "folder", "path": str(tmp_path / "other")}
    return config


def plan_of(config: dict) -> build_plan.Plan:
    def locate(path: str) -> Path:
        return Path(path) if Path(path).is_absolute() else ROOT / path

    return build_plan.build(config, locate)


def spec_of(plan: build_plan.Plan, name: str) -> dict:
    (found,) = (d.spec for d in plan.datasets.values() if d.spec["name"] == name)
    return found


def prepared_dataset(plan: build_plan.Plan, name: str, folder: Path) -> Dataset:
    """The data set as a job prepares it."""
    found = spec_of(plan, name)
    extra = encoded_spec(found["source"], side=32)
    # Images of one colour are equal.
    prepare(
        folder, {**extra, **found, "image_size": 32, "duplicates": "keep"}, threads=1
    )
    return read_dataset(folder)


def write_shift_as_parquet(config: dict, folder: Path) -> None:
    """The shift's images in a file whose schema names all classes."""
    rows = [
        (folder / "other" / file, CLASSES.index(file.split("/")[0]))
        for file in sorted(SHIFT)
    ]
    table = pa.table(
        {
            "image": [file.read_bytes() for file, _ in rows],
            "label": [label for _, label in rows],
        }
    )
    features = {"label": {"_type": "ClassLabel", "names": CLASSES}}
    described = json.dumps({"info": {"features": features}})
    pq.write_table(
        table.replace_schema_metadata({"huggingface": described}), folder / "a.parquet"
    )
    config["datasets"]["other"] = {
        "source": "parquet",
        "path": str(folder / "a.parquet"),
    }


@pytest.mark.process
@pytest.mark.parametrize("container", ["folder", "parquet"])
@pytest.mark.parametrize(
    ("among", "right"), [("all", [False, True, True]), ("own", [True] * 3)]
)
def test_one_rule_whatever_the_container(
    container, among, right, study_of_three_classes, painter, tmp_path
):
    if container == "parquet":
        write_shift_as_parquet(study_of_three_classes, tmp_path)
    study_of_three_classes["datasets"]["other"]["classes"] = among
    data = prepared_dataset(plan_of(study_of_three_classes), "other", tmp_path / "out")
    assert [name for _, name in labelled(data)] == ["dog", "dog", "fox"]
    assert data.class_names == (CLASSES if among == "all" else ["dog", "fox"])
    # Red is a cat above all, which only a model that may answer so can get wrong.
    says = {"red": {"cat": 9.0, "dog": 5.0}, "green": "dog", "blue": "fox"}
    assert painter.ask(data, CLASSES, says).correct == right


@pytest.mark.parametrize(("among", "words"), [("all", "all"), ("own", "those")])
def test_the_plan_says_which(among, words, study_of_three_classes):
    study_of_three_classes["datasets"]["other"]["classes"] = among
    plan = plan_of(study_of_three_classes)
    note = f"2 of 3 classes, answers among {words}"
    assert (
        f"data.shifts.0: other, 3 images of {note}; accuracies to ± 57 points"
        in plan.summary
    )
    assert plan.class_notes == {"other": note}


def test_a_whole_set_needs_no_word(study_of_three_classes, tmp_path):
    paint_all(tmp_path / "other", {"cat/4.png": "blue"})
    assert plan_of(study_of_three_classes).class_notes == {}


@pytest.mark.process
def test_the_order_of_another_set_is_the_studys(study_of_three_classes, tmp_path):
    """The classes of a list in another order, with one that the study lacks and no image has."""
    (tmp_path / "classes.txt").write_text("fox\ncow\ndog\ncat\n")
    write_shift_as_parquet(study_of_three_classes, tmp_path)
    rows = pq.read_table(tmp_path / "a.parquet").column("image").to_pylist()
    pq.write_table(
        pa.table({"image": rows, "label": [2, 2, 0]}), tmp_path / "a.parquet"
    )
    study_of_three_classes["datasets"]["other"]["classes"] = str(
        tmp_path / "classes.txt"
    )
    data = prepared_dataset(plan_of(study_of_three_classes), "other", tmp_path / "out")
    assert data.class_names == CLASSES
    assert data.labels.tolist() == [1, 1, 2]
    listed = study_of_three_classes["datasets"]["other"] | {"classes": "own"}
    study_of_three_classes["datasets"]["other"] = listed | {
        "class_list": str(tmp_path / "classes.txt")
    }
    data = prepared_dataset(plan_of(study_of_three_classes), "other", tmp_path / "own")
    assert data.class_names == ["fox", "dog"]
    assert data.labels.tolist() == [1, 1, 0]


def test_training_sets_keep_their_own_classes(study_of_three_classes):
    plan = plan_of(study_of_three_classes)
    assert "among" not in spec_of(plan, "train")
    assert (
        spec_of(plan, "held-out")["among"] == spec_of(plan, "test")["among"] == CLASSES
    )


@pytest.mark.parametrize("role", ["train", "held_out", "reference", "shifts.0"])
def test_a_set_of_one_class_is_refused(role, study_of_three_classes, tmp_path):
    paint_all(
        tmp_path / "one", {"dog/1.png": "red", "dog/2.png": "red", "dog/3.png": "red"}
    )
    study_of_three_classes["datasets"]["one"] = {
        "source": "folder",
        "path": str(tmp_path / "one"),
    }
    if role == "shifts.0":
        study_of_three_classes["data"]["shifts"] = ["one"]
    elif role == "train":
        study_of_three_classes["data"]["train"] = "one"
        study_of_three_classes["datasets"]["test"] |= {
            "split": None,
            "path": str(tmp_path / "other"),
        }
    else:
        study_of_three_classes["data"][role] = "one"
    line = r"all images of one are of one class, 'dog'|class.* not among the 1"
    with pytest.raises(StockpotError, match=line):
        plan_of(study_of_three_classes)


def test_accents_are_compared_in_one_form(study_of_three_classes, tmp_path):
    (tmp_path / "all/cat").rename(tmp_path / "all/caf\u00e9")
    paint_all(tmp_path / "other", {"cafe\u0301/4.png": "blue"})
    plan = plan_of(study_of_three_classes)
    assert spec_of(plan, "other")["among"] == ["caf\u00e9", "dog", "fox"]
    data = prepared_dataset(plan, "other", tmp_path / "out")
    assert [name for _, name in labelled(data)].count("caf\u00e9") == 1
    paint_all(tmp_path / "other", {"caf\u00e9/5.png": "blue"})
    with pytest.raises(StockpotError, match="two folders are called 'café'.*Join them"):
        plan_of(study_of_three_classes)


def test_all_wrong_classes_are_named_at_once(study_of_three_classes, tmp_path):
    names = {
        f"{name}/1.png": "red"
        for name in ("dogg", "fo x", "a" * 200, *map(str, range(50)))
    }
    paint_all(tmp_path / "other", names)
    with pytest.raises(StockpotError) as raised:
        plan_of(study_of_three_classes)
    line = str(raised.value)
    assert "datasets.other: its 53 classes '0', '1', '10'" in line
    assert "and 47 others" in line
    assert len(line) <= 500
    assert "among the 3 classes of the training set train" in line
    for name in map(str, range(50)):
        (tmp_path / "other" / name / "1.png").unlink()
        (tmp_path / "other" / name).rmdir()
    with pytest.raises(StockpotError, match="'dogg' .did you mean 'dog'..*'fo x'"):
        plan_of(study_of_three_classes)


def test_classes_without_training_images_are_named(study_of_three_classes, tmp_path):
    (tmp_path / "all/dog/0.png").unlink()
    (tmp_path / "all/dog/1.png").unlink()
    with pytest.raises(
        StockpotError, match=r"train\.split: leaves nothing .* of dog \(2 images\)"
    ):
        plan_of(study_of_three_classes)


@pytest.mark.process
def test_classes_of_a_list_that_have_no_images_are_named(
    study_of_three_classes, tmp_path
):
    from stockpot.planning.data_roles import check_counts

    write_shift_as_parquet(study_of_three_classes, tmp_path)
    rows = pq.read_table(tmp_path / "a.parquet").column("image").to_pylist()
    pq.write_table(
        pa.table({"image": rows * 4, "label": [0, 0, 1] * 4}), tmp_path / "a.parquet"
    )
    (tmp_path / "classes.txt").write_text("dog\nfox\nring\nbar\n")
    split = study_of_three_classes["datasets"]["train"]["split"]
    entry = {"source": "parquet", "path": str(tmp_path / "a.parquet"), "split": split}
    study_of_three_classes["datasets"]["train"] = entry | {
        "classes": str(tmp_path / "classes.txt")
    }
    study_of_three_classes["data"] |= {"reference": "held-out", "held_out": "test"}
    for name in ("held-out", "test", "other"):
        study_of_three_classes["datasets"][name] |= {
            "source": "folder",
            "path": str(tmp_path / "other"),
        }
        study_of_three_classes["datasets"][name].pop("split", None)
    line = r"train\.classes: ring, bar of .*classes\.txt have no images"
    with pytest.raises(StockpotError, match=line):
        check_counts(
            study_of_three_classes,
            lambda path: Path(path) if Path(path).is_absolute() else ROOT / path,
        )


def test_while_planning_a_folder_is_listed_once(
    study_of_three_classes, monkeypatch, tmp_path
):
    """However many parts are made of it, and whoever asks; a later plan lists it anew."""
    from stockpot.datasets.sources import folder

    listed, listing = [], folder.listing
    monkeypatch.setattr(
        folder, "listing", lambda path: listed.append(path) or listing(path)
    )
    entries = [
        study_of_three_classes["datasets"][name]
        for name in ("train", "held-out", "test")
    ]
    for plan in (1, 2):
        with sources.cached_answers():
            for entry in entries:
                assert len(sources.classes_with_images(entry, Path)) == 2 + plan
                assert sum(sources.counts(entry, Path)) >= 2 + plan
        assert len(listed) == plan
        paint_all(tmp_path / "all", {f"new/{i}.png": "red" for i in range(4)})
