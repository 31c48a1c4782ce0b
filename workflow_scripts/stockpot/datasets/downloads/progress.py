"""Where a long transfer is: a bar on a terminal, a line in the log every few seconds elsewhere."""

import logging
import sys
import time
from collections.abc import Callable

from tqdm import tqdm

from ..disk import readable

log = logging.getLogger(__name__)


class Progress:
    """Bytes done of a total, with the rate and the time left.

    what: the words before them. every: seconds between two lines of the log.
    """

    def __init__(
        self,
        what: str,
        every: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.what, self.every, self.clock = what, every, clock
        self.bar: tqdm | None = None
        self.last: tuple[float, int] | None = None

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_) -> None:
        if self.bar is not None:
            self.bar.close()

    def show(self, done: int, total: int | None = None) -> None:
        """``done`` bytes are there, of ``total`` if that is known; fewer than before is fine."""
        if sys.stderr.isatty():
            self._draw(done, total)
        else:
            self._write(done, total)

    def _draw(self, done: int, total: int | None) -> None:
        if self.bar is None:
            self.bar = tqdm(
                desc=self.what,
                initial=done,
                total=total,
                unit="B",
                unit_scale=True,
                miniters=1,
            )
        self.bar.total = total
        self.bar.update(done - self.bar.n)

    def _write(self, done: int, total: int | None) -> None:
        now = self.clock()
        if self.last is None or done < self.last[1]:
            self.last = now, done
        seconds = now - self.last[0]
        if seconds < self.every:
            return
        rate = (done - self.last[1]) / seconds
        of = f" of {readable(total)}" if total is not None else ""
        known = total is not None and rate > 0
        left = f", {tqdm.format_interval((total - done) / rate)} left" if known else ""
        log.info(
            "%s: %s%s, %s/s%s", self.what, readable(done), of, readable(rate), left
        )
        self.last = now, done
