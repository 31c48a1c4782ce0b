"""A run that is asked to stop is told so between two steps."""

import os
import signal
import time
from contextlib import contextmanager

SIGNALS = (signal.SIGTERM, signal.SIGINT)
AT_ONCE = 5  # seconds; schedulers and torchrun may each pass on the same wish


class Wish:
    """The number of the signal that has asked, if one has."""

    signal: int = 0
    at: float = 0.0


@contextmanager
def wishes():
    """Within the block SIGTERM (a scheduler's: preempted, or out of time) and SIGINT (Ctrl-C) are
    wishes, to be granted between two steps; one that is repeated later is not waited for."""
    wish = Wish()

    def ask(number, frame):
        if wish.signal and time.monotonic() - wish.at >= AT_ONCE:
            restore()
            os.kill(os.getpid(), number)
        elif not wish.signal:
            wish.at, wish.signal = time.monotonic(), number

    def restore():
        for number, handler in before.items():
            signal.signal(number, handler)

    heard = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, ask) for number in heard}
    try:
        yield wish
    finally:
        restore()
