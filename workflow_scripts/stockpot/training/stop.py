"""A run that is asked to stop is told so between two steps."""

import signal
from contextlib import contextmanager


class Wish:
    """The number of the signal that has asked, if one has."""

    signal: int = 0


@contextmanager
def wishes():
    """Within the block SIGTERM (a scheduler's: preempted, or out of time) and SIGINT (Ctrl-C) are
    wishes, to be granted between two steps; a second one is not waited for."""
    wish, before = Wish(), {}

    def ask(number, frame):
        wish.signal = number
        restore()

    def restore():
        for number, handler in before.items():
            signal.signal(number, handler)

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield wish
    finally:
        restore()
