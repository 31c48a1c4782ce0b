"""Turn signals that stop a process into requests, which a run grants between two steps."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# Sent by a scheduler (preempted, or out of time) and by Ctrl-C.
SIGNALS = (signal.SIGTERM, signal.SIGINT)
# Seconds in which a repeated signal counts as the same request: schedulers and torchrun may both
# pass it on.
REPEATED_SIGNAL_GRACE_S = 5


class StopRequest:
    """A request to stop.

    Attributes:
        signal: Number of the signal that arrived; 0 if none has.
        arrived_at: When it arrived, in seconds of ``time.monotonic``.
    """

    signal: int = 0
    arrived_at: float = 0.0


@contextmanager
def catch_stop_signals() -> Iterator[StopRequest]:
    """Within the block, note SIGTERM and SIGINT instead of ending the process.

    A signal that is repeated after ``REPEATED_SIGNAL_GRACE_S`` seconds or more ends the process
    as it would without this block. Signals that the process ignores stay ignored.

    Yields:
        The request, which the block has to look at between two steps.
    """
    request = StopRequest()

    def note_signal(
        number: int,
        frame: FrameType | None,
    ) -> None:
        if not request.signal:
            request.arrived_at = time.monotonic()
            request.signal = number
        elif time.monotonic() - request.arrived_at >= REPEATED_SIGNAL_GRACE_S:
            restore_handlers()
            os.kill(os.getpid(), number)

    def restore_handlers() -> None:
        for number, handler in previous_handlers.items():
            signal.signal(number, handler)

    previous_handlers = {}
    # A process in the background of a shell ignores SIGINT, so that Ctrl-C does not reach it.
    handled = [
        number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN
    ]
    for number in handled:
        previous_handlers[number] = signal.signal(number, note_signal)
    try:
        yield request
    finally:
        restore_handlers()
