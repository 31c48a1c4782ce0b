"""Which classes the samples of a study show."""

import numpy as np


def test_an_unknown_class_leaves_a_gap_in_the_samples():
    from stockpot.datasets.dataset import Dataset
    from stockpot.drawing.contact_sheet import contact_sheet

    images = np.zeros((3, 8, 8, 3), np.uint8)
    whole = Dataset("whole", images, np.array([1, 0, 1]), ["a", "b"], "1")
    part = Dataset("part", images[:1], np.array([0]), ["b"], "2")
    _, data = contact_sheet([whole, part])
    assert data.to_dict("records") == [
        {"dataset": "whole", "class": "a", "row": 1},
        {"dataset": "whole", "class": "b", "row": 0},
        {"dataset": "part", "class": "b", "row": 0},
    ]


def test_samples_show_the_classes_that_most_sets_have():
    """Also of one that stands for several; a class without images is not shown."""
    from stockpot.datasets.dataset import Dataset, Scoring
    from stockpot.drawing.contact_sheet import contact_sheet

    names = [f"n{i}" for i in range(1000)]
    some = np.array([500, 7, 900, 500, 20])
    images = np.zeros((5, 8, 8, 3), np.uint8)
    whole = Dataset("whole", images, some, names, "1")
    clocks = Scoring(merges={"clock": ["n900", "n3"], "fish": ["n7"]})
    merged = Dataset(
        "merged", images[:2], np.array([1, 0]), ["clock", "fish"], "2", clocks
    )
    figure, data = contact_sheet(
        [whole, merged], columns=3, texts={"n900": "analog clock"}
    )
    assert list(zip(data["dataset"], data["class"], data["row"])) == [
        ("whole", "n7", 1),
        ("whole", "n900", 2),
        ("merged", "n3", 1),
        ("merged", "n7", 0),
        ("merged", "n900", 1),
    ]
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert "analog\nclock" in titles
