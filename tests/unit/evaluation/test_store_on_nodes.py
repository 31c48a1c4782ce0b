"""Entries of the store that another node wrote are seen late."""

import time

import pytest
import torch

from stockpot.evaluation.predictions import predictions
from stockpot.evaluation.store import Store
from stockpot.evaluation.stored_predictions import answers
from stockpot.runtime import atomic_files as files
from stockpot.runtime.errors import StockpotError
from tests.support.timers import run_later


@pytest.fixture
def predictions_of_four():
    return predictions(torch.eye(4), torch.arange(4), keep_logits=True)


def test_an_entry_that_is_seen_late_is_waited_for(
    tmp_path, predictions_of_four, caplog
):
    caplog.set_level("INFO")
    run_later(0.7, lambda: Store(tmp_path).put("ab12", predictions_of_four, {}, "test"))
    assert answers(tmp_path, "ab12").correct.all()
    assert "waiting for" in caplog.text
    assert "another node" in caplog.text


def test_what_is_there_is_not_waited_for(tmp_path, predictions_of_four, caplog):
    caplog.set_level("INFO")
    Store(tmp_path).put("ab12", predictions_of_four, {}, "test")
    assert answers(tmp_path, "ab12").correct.all()
    assert caplog.text == ""


def test_an_entry_that_never_comes_ends_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "WAIT_LIMIT_S", 0.6)
    started = time.monotonic()
    with pytest.raises(
        StockpotError, match="ab12.*is gone or broken.*rm -f.*the same command"
    ) as found:
        _ = answers(tmp_path, "ab12").correct
    assert 0.5 < time.monotonic() - started < 3
    assert "\n" not in str(found.value)


def test_a_broken_entry_is_not_waited_for(tmp_path):
    Store(tmp_path).path("ab12").parent.mkdir()
    Store(tmp_path).path("ab12").write_bytes(b"broken")
    started = time.monotonic()
    with pytest.raises(StockpotError, match="gone or broken"):
        _ = answers(tmp_path, "ab12").correct
    assert time.monotonic() - started < 1
