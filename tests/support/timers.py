"""What happens later in a test."""

import threading


def run_later(seconds: float, what) -> threading.Timer:
    timer = threading.Timer(seconds, what)
    timer.start()
    return timer
