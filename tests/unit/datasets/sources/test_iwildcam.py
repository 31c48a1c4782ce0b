"""Tests iWildCam, which is scored by macro F1."""

from pathlib import Path

import numpy as np
import pytest

from stockpot.datasets import sources
from stockpot.runtime.errors import StockpotError
from tests.support.csv_files import write_csv
from tests.support.solid_colours import labelled, paint, prepared_dataset, shown_colours

WILD = (
    ",split,location_remapped,location,sequence_remapped,seq_id,y,category_id,datetime,filename,"
    "image_id"
)


def write_iwildcam(folder: Path, rows: list[tuple[str, int, str]]) -> Path:
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
    data = prepared_dataset(
        "iwildcam",
        tmp_path / "out",
        path=str(write_iwildcam(tmp_path / "d", rows)),
        part="test",
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
        own = prepared_dataset(
            "iwildcam", tmp_path / part, path=str(tmp_path / "d"), part=part
        )
        assert shown_colours(own) == colours


def test_a_label_that_iwildcam_has_not_is_named(tmp_path):
    write_iwildcam(tmp_path / "d", [("val", 99999, "red")])
    with pytest.raises(
        StockpotError, match=r"metadata\.csv: red\.jpg has y '99999', not 0 to 181"
    ):
        prepared_dataset(
            "iwildcam", tmp_path / "out", path=str(tmp_path / "d"), part="val"
        )
