"""Lines that say how a long run is doing."""

import logging
import time

log = logging.getLogger(__name__)

EVERY = 60  # seconds between two lines within an epoch


class Heartbeat:
    """Rate and time left, of the steps since this process began.

    steps: of the whole run; done: those that were done before; heard: does this process write?
    """

    def __init__(self, steps: int, done: int, epochs: int, heard: bool = True):
        self.level = logging.INFO if heard else logging.DEBUG
        self.steps, self.done, self.epochs = steps, done, epochs
        self.images, self.first = 0, done
        self.began = self.spoke = time.monotonic()

    def step(self, images: int, epoch: int, loss: float) -> None:
        """One more step, of so many images, in the epoch of this place."""
        self.done, self.images = self.done + 1, self.images + images
        if time.monotonic() - self.spoke >= EVERY:
            self.spoke = time.monotonic()
            log.log(
                self.level,
                "epoch %d/%d  step %d/%d  loss %.4f  %s",
                epoch + 1,
                self.epochs,
                self.done,
                self.steps,
                loss,
                self.pace(),
            )

    def epoch(self, row: dict) -> None:
        """The end of an epoch. row: as in the history."""
        self.spoke = time.monotonic()
        log.log(
            self.level,
            "epoch %d/%d  loss %.4f  held-out %.2f %%  %s",
            row["epoch"],
            self.epochs,
            row["loss"],
            100 * row["held_out_k"] / row["held_out_n"],
            self.pace(),
        )

    def pace(self) -> str:
        seconds = max(time.monotonic() - self.began, 1e-9)
        left = seconds / max(self.done - self.first, 1) * (self.steps - self.done)
        return f"{self.images / seconds:.0f} images/s  {_time(left)} left"


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return (
        f"{minutes} min"
        if minutes < 120
        else f"{minutes // 60} h {minutes % 60:02d} min"
    )
