"""Signals that ask a process to stop."""

import os
import signal
import time

import pytest

from stockpot.runtime import stop_requests
from stockpot.runtime.stop_requests import catch_stop_signals

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("interrupt_is_heard")]


def test_one_wish_may_arrive_twice_and_a_later_one_is_not_waited_for(monkeypatch):
    def wish_again_and_again():
        with catch_stop_signals() as wish:
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGINT)
            assert wish.signal == signal.SIGINT
            monkeypatch.setattr(stop_requests, "REPEATED_SIGNAL_GRACE_S", 0)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)

    with pytest.raises(KeyboardInterrupt):
        wish_again_and_again()


def test_what_is_ignored_stays_so():
    """As Ctrl-C is by what runs in the background."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with catch_stop_signals() as wish:
        os.kill(os.getpid(), signal.SIGINT)
        assert not wish.signal
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN


def test_handlers_are_put_back():
    before = [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)]
    with catch_stop_signals():
        assert [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)] != before
    assert [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)] == before
