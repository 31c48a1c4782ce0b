"""The predictions that logits make."""

import numpy as np
import pytest
import torch

from stockpot.evaluation.predictions import predictions

pytestmark = pytest.mark.slow


def test_predictions_of_logits():
    logits = torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0], [-1.0, 3.0, 3.0]])
    found = predictions(logits, torch.tensor([0, 1, 2]), keep_logits=True)
    assert found.predicted.tolist() == [0, 0, 1], "ties go to the first class"
    assert found.correct.tolist() == [True, False, False]
    assert (found.n, found.k) == (3, 1)
    e = torch.tensor([2.0, 1.0, 0.0]).exp()
    assert found.confidence[0].item() == pytest.approx((e[0] / e.sum()).item())
    assert found.confidence[1].item() == pytest.approx(1 / 3)
    assert found.loss[0].item() == pytest.approx(-np.log((e[0] / e.sum()).item()))
    assert torch.equal(found.logits, logits)
    assert (
        predictions(logits, torch.tensor([0, 1, 2]), keep_logits=False).logits is None
    )
