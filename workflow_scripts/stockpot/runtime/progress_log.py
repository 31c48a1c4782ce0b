"""Log how far a long training run is, how fast it is, and how much time is left."""

import logging
import time
from typing import Any

log = logging.getLogger(__name__)

LINE_INTERVAL_S = 60  # seconds between two lines within an epoch


class ProgressLogger:
    """Logs the progress of a training run.

    Rates cover the steps since this process began.

    Attributes:
        level: Level of the log lines.
        steps: Number of steps of the whole run.
        done: Steps done so far, in this process and before.
        epochs: Number of epochs of the whole run.
        images: Images seen in this process.
        steps_before: Steps that were done before this process.
        started_at: When this process began, in seconds of ``time.monotonic``.
        last_line_at: When the last line was logged, likewise.
    """

    def __init__(
        self,
        steps: int,
        done: int,
        epochs: int,
        *,
        heard: bool = True,
    ):
        """Begin to measure.

        Args:
            steps: Number of steps of the whole run.
            done: Steps that were done before this process began.
            epochs: Number of epochs of the whole run.
            heard: Whether this process writes to the log; of several processes only one does.
        """
        self.level = logging.INFO if heard else logging.DEBUG
        self.steps = steps
        self.done = done
        self.epochs = epochs
        self.images = 0
        self.steps_before = done
        self.started_at = time.monotonic()
        self.last_line_at = self.started_at

    def step(
        self,
        images: int,
        epoch: int,
        loss: float,
    ) -> None:
        """Count a step, and log a line if the last one is ``LINE_INTERVAL_S`` seconds old.

        Args:
            images: Number of images of the step.
            epoch: Index of the epoch, from 0.
            loss: Mean loss in this epoch so far.
        """
        self.done += 1
        self.images += images
        if time.monotonic() - self.last_line_at < LINE_INTERVAL_S:
            return
        self.last_line_at = time.monotonic()
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

    def epoch(self, row: dict[str, Any]) -> None:
        """Log the end of an epoch.

        Args:
            row: The entry of the epoch in the history: epoch (from 1), loss, held_out_k (images of
                the held-out set that the model gets right) of held_out_n.
        """
        self.last_line_at = time.monotonic()
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
        """Estimate speed and time left from the steps of this process.

        Returns:
            For example "120 images/s  6 min left".
        """
        seconds = max(time.monotonic() - self.started_at, 1e-9)
        steps_here = max(self.done - self.steps_before, 1)
        seconds_left = seconds / steps_here * (self.steps - self.done)
        return f"{self.images / seconds:.0f} images/s  {_duration(seconds_left)} left"


def _duration(seconds: float) -> str:
    """Write a duration in a unit that gives at most three digits."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"
