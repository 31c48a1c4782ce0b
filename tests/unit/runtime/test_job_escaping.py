"""A message of a log is one line, whatever texts are in it."""

import logging
import sys

import pytest

from stockpot.runtime.job import LogFormatter
from tests.support.nasty_names import NASTY


@pytest.mark.parametrize("text", NASTY)
def test_a_log_has_a_line_per_message(text):
    record = logging.makeLogRecord({"msg": "left out %s", "args": (text,)})
    line = LogFormatter("%(message)s").format(record)
    assert line.isprintable()
    assert len(line) <= 500
    assert line.startswith("left out ")
    try:
        raise KeyError(text)
    except KeyError:
        fault = logging.makeLogRecord({"msg": "fault", "exc_info": sys.exc_info()})
    told = LogFormatter("%(message)s").format(fault).split("\n")
    assert all(line.isprintable() for line in told)
    assert told[1].startswith("Traceback")
