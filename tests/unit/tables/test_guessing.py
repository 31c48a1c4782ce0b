"""A zero-shot model that is no better than guessing is told of."""

import pandas as pd
import pytest

from stockpot.tables.escape import markdown
from stockpot.tables.guessing import guessing_sentences
from stockpot.tables.measurements import measure
from stockpot.tables.notes import notes


@pytest.mark.parametrize(
    ("k", "guesses"), [(20, True), (28, True), (60, False), (0, True)]
)
def test_a_zero_shot_model_that_guesses_is_told(k, guesses, tmp_path):
    """20 of 100 among 5 classes is what guessing gives; 28 is not certainly more."""
    guessing_cells = pd.DataFrame(
        [
            ("zero-shot", "zero-shot", "", 0.0, "test", 100, k, 5, "fp32"),
            ("base", "end-to-end", "", 0.0, "test", 100, 20, 5, "fp32"),
        ],
        columns=[
            "model",
            "kind",
            "sweep",
            "alpha",
            "dataset",
            "n",
            "k",
            "classes",
            "precision",
        ],
    )
    table = measure(guessing_cells, {"test": "reference"}, 0.95)
    none = pd.DataFrame(
        columns=["other_dataset", "dataset", "shared_images", "n"]
    ).astype({"shared_images": int})
    found = notes({}, none, table, pd.DataFrame(columns=["dataset", "piece_start"]))
    told = [sentence for sentence in found if "no better than guessing" in sentence]
    expected = (
        f"zero-shot is no better than guessing on test: {k:.1f} % of 100 images are right, and "
        "guessing among 5 classes gives 20.0 %. The prompts, the class names or the model do not "
        "fit these images."
    )
    assert told == [expected] * guesses
    (tmp_path / "main_table.md").write_text(
        "".join(f"\n{markdown(sentence)}\n" for sentence in found)
    )
    assert guessing_sentences(tmp_path / "main_table.md") == told
    assert guessing_sentences(tmp_path / "gone.md") == []
