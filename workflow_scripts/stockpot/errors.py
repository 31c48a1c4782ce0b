"""What ends a job without being a fault of the code."""

from .runtime.escape import one_line

LONGEST_LINE = 500  # characters


class StockpotError(Exception):
    """A wrong config, file or run: one line naming the key or file, the value, what is allowed.

    Several mistakes that are known at once are a line each. Whatever a line quotes from a file or
    a name, it has no control characters and at most ``LONGEST_LINE`` characters.
    """

    def __init__(self, *lines: str):
        super().__init__(*(one_line(line, LONGEST_LINE) for line in lines))

    def __str__(self) -> str:
        return "\n".join(self.args)


class Stopped(Exception):
    """The job was asked to stop, and what it has done is saved."""
