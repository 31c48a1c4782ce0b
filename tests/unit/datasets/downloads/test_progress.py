"""Tests the progress of a transfer on a terminal and in a log."""

import logging
import sys

from stockpot.datasets.downloads import progress
from stockpot.datasets.downloads.progress import Progress
from tests.support.misbehaving_server import (
    SHA,
)


def test_progress_is_a_line_of_the_log_every_few_seconds(caplog):
    caplog.set_level(logging.INFO)
    clock = iter([0, 5, 10, 11, 30, 40, 41, 50])
    with Progress("file", clock=lambda: next(clock)) as shown:
        for done in (1e6, 2e6, 21e6, 22e6, 31e6, 5e6, 6e6):
            shown.show(done, 101e6)
        shown.show(15e6)
    assert caplog.messages == [
        "file: 21.0MB of 101MB, 2.00MB/s, 00:40 left",
        "file: 31.0MB of 101MB, 500kB/s, 02:20 left",
        "file: 15.0MB, 1.00MB/s",
    ]


def test_progress_is_a_bar_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Progress("file") as shown:
        for done in (50, 10, 100):
            shown.show(done, 200)
        assert shown.bar.n == 100
        assert shown.bar.initial == 50
    assert "file:  50%" in capsys.readouterr().err


def test_a_download_shows_its_progress(remote, fetch_file, monkeypatch):
    shown = []
    monkeypatch.setattr(progress.Progress, "show", lambda self, *at: shown.append(at))
    remote.plan = [{"cut": 100_000}, {}]
    assert fetch_file() == SHA
    assert shown[-1] == (300_000, 300_000)
    assert (100_000, 300_000) in shown
