"""Tests FMoW: its parts, and its worst region."""

import pytest

from stockpot.runtime.errors import StockpotError
from tests.support.csv_files import write_csv
from tests.support.solid_colours import labelled, paint, prepared_dataset

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
def fmow_folder(tmp_path):
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
def test_fmow_parts_are_those_of_split_and_year(part, fmow_folder, tmp_path):
    data = prepared_dataset("fmow", tmp_path / "out", path=str(fmow_folder), part=part)
    expected = [(PAINTED.get(row, "black"), SCENES[row][1]) for row in PARTS[part]]
    assert labelled(data) == expected
    worst = part in ("val", "test")
    assert data.scoring.metric == ("worst-group" if worst else "accuracy")


def test_fmow_is_scored_in_its_worst_region(fmow_folder, tmp_path, painter):
    data = prepared_dataset(
        "fmow", tmp_path / "out", path=str(fmow_folder), part="test"
    )
    # Right: one of two in Asia, the one in Africa; wrong: the one of no region.
    says = {"red": "zoo", "green": "zoo", "blue": "barn", "yellow": "zoo"}
    answered = painter.ask(data, data.class_names, says)
    assert answered.correct == [True, False, True, False]
    assert answered.score == {"metric": "worst-group", "value": 0.5, "n": 2, "k": 1}
    # Asia, Asia, Africa and none.
    assert data.scoring.groups == [0, 0, 2, -1]
    plain = prepared_dataset(
        "fmow",
        tmp_path / "plain",
        path=str(fmow_folder),
        part="test",
        metric="accuracy",
    )
    answered = painter.ask(plain, plain.class_names, says)
    assert answered.score == {"metric": "accuracy", "value": 0.5, "n": 4, "k": 2}
    said = {"blue": "zoo"} | {
        colour: says[colour] for colour in ("red", "green", "yellow")
    }
    answered = painter.ask(data, data.class_names, said)
    assert answered.score == {"metric": "worst-group", "value": 0.0, "n": 1, "k": 0}


def test_fmow_of_another_form_is_named(fmow_folder, tmp_path):
    file = fmow_folder / "fmow_v1.1/rgb_metadata.csv"
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
            prepared_dataset(
                "fmow", tmp_path / "out", path=str(fmow_folder), part="test"
            )
