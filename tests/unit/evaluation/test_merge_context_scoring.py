"""What is selected by is the data set's metric."""

import pytest

from stockpot.datasets.dataset import read_dataset
from stockpot.evaluation.evaluate_models import score_predictions
from stockpot.evaluation.evaluator import Evaluator
from stockpot.evaluation.merge_context import FolderContext
from stockpot.evaluation.store import Store
from stockpot.merging.recipe import single
from stockpot.models.card import read_card as read_model_card
from tests.support.scored_datasets import EVALUATION_SPEC


@pytest.mark.parametrize("name", ["plain", "f1", "groups", "videos"])
def test_what_is_selected_by_is_the_data_sets_metric(
    name, scored_sets, zero_shot, tmp_path
):
    data = read_dataset(scored_sets[name])
    context = FolderContext(EVALUATION_SPEC, [zero_shot], data, [], tmp_path)
    sha = read_model_card(zero_shot).sha256
    found = score_predictions(
        data,
        Evaluator(Store(tmp_path), [zero_shot], EVALUATION_SPEC).predictions(
            single(sha), data
        )[1],
    )
    k, n = context.held_out(single(sha))
    assert k / n == pytest.approx(found["value"])
    if data.scoring.metric == "accuracy":
        assert (k, n) == (found["k"], found["n"])
        assert isinstance(k, int)
