"""Where a long transfer is: a bar on a terminal, a line in the log every few seconds elsewhere."""

import logging
import sys
import time
from collections.abc import Callable

from tqdm import tqdm

from ..disk import format_bytes

log = logging.getLogger(__name__)


class Progress:
    """Shows the bytes done of a total, with the rate and the time left.

    Attributes:
        title: The words before them.
        interval_s: Seconds between two lines of the log.
        clock: Seconds since some moment.
        bar: The bar, once it is shown.
        last_line: When the last line was written, and the bytes that were done then.
    """

    def __init__(
        self,
        title: str,
        interval_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare the display; nothing is shown yet.

        Args:
            title: The words before the numbers.
            interval_s: Seconds between two lines of the log.
            clock: Seconds since some moment.
        """
        self.title = title
        self.interval_s = interval_s
        self.clock = clock
        self.bar: tqdm | None = None
        self.last_line: tuple[float, int] | None = None

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_) -> None:
        if self.bar is not None:
            self.bar.close()

    def show(self, done: int, total: int | None = None) -> None:
        """Show how many bytes are there.

        Args:
            done: Bytes that are there; fewer than before is fine.
            total: Bytes that there will be, if that is known.
        """
        if sys.stderr.isatty():
            self._draw_bar(done, total)
        else:
            self._write_line(done, total)

    def _draw_bar(self, done: int, total: int | None) -> None:
        if self.bar is None:
            self.bar = tqdm(
                desc=self.title,
                initial=done,
                total=total,
                unit="B",
                unit_scale=True,
                miniters=1,
            )
        # The total may become known only with the first answer of a server.
        self.bar.total = total
        self.bar.update(done - self.bar.n)

    def _write_line(self, done: int, total: int | None) -> None:
        now = self.clock()
        # A transfer that started anew is measured anew.
        if self.last_line is None or done < self.last_line[1]:
            self.last_line = (now, done)
        last_time, last_done = self.last_line
        seconds = now - last_time
        if seconds < self.interval_s:
            return
        # Since the last line, not since the beginning: a rate that falls is seen at once.
        rate = (done - last_done) / seconds  # bytes per second
        of_total = ""
        time_left = ""
        if total is not None:
            of_total = f" of {format_bytes(total)}"
            if rate > 0:
                time_left = f", {tqdm.format_interval((total - done) / rate)} left"
        log.info(
            "%s: %s%s, %s/s%s",
            self.title,
            format_bytes(done),
            of_total,
            format_bytes(rate),
            time_left,
        )
        self.last_line = (now, done)
