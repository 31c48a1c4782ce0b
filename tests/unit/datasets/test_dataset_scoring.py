"""How a data set is scored is checked, kept, and part of its fingerprint."""

import numpy as np
import pytest

from stockpot.datasets.dataset import Scoring, read_dataset, write_dataset
from stockpot.runtime.errors import StockpotError

IMAGES, LABELS = np.zeros((3, 4, 4, 3), np.uint8), np.array([0, 1, 0])


@pytest.mark.parametrize(
    ("scoring", "message"),
    [
        (Scoring(groups=[0, 1]), "^own: 2 groups for 3 images$"),
        (Scoring(accepted=[[0]]), "^own: 1 accepted for 3 images$"),
        (Scoring(videos=[1]), "^own: 1 videos for 3 images$"),
        (Scoring("worst-group"), "^own: worst-group needs a group for every image$"),
        (Scoring("macro-f1", videos=[0, 0, 1]), "^own: videos are scored by accuracy"),
        (
            Scoring("worst-group", groups=[0, 1, 1], videos=[0, 0, 1]),
            "scored by accuracy",
        ),
    ],
)
def test_scoring_that_no_answer_can_be_given_to_is_refused(tmp_path, scoring, message):
    with pytest.raises(StockpotError, match=message):
        write_dataset(tmp_path / "own", "own", IMAGES, LABELS, ["a", "b"], {}, scoring)
    assert not (tmp_path / "own/dataset.json").exists()


def test_scoring_counts_in_the_fingerprint_and_comes_back(tmp_path):
    scorings = [
        Scoring(),
        Scoring("macro-f1"),
        Scoring(groups=[0, 1, 0]),
        Scoring(videos=[0, 1, 0]),
        Scoring(accepted=[[0], [1], [0, 1]]),
        Scoring(merges={"a": ["x", "y"]}),
    ]
    prints = set()
    for i, scoring in enumerate(scorings):
        write_dataset(tmp_path / str(i), "own", IMAGES, LABELS, ["a", "b"], {}, scoring)
        found = read_dataset(tmp_path / str(i))
        assert found.scoring == scoring
        prints.add(found.fingerprint)
    assert len(prints) == len(scorings)
