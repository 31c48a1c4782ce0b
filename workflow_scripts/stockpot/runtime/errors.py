"""What ends a job without being a fault of the code."""

from .escape import one_line

LONGEST_LINE = 500  # characters


class StockpotError(Exception):
    """A wrong config, file or run: one line naming the key or file, the value, what is allowed.

    Several mistakes that are known at once are a line each. Whatever a line quotes from a file or
    a name, it has no control characters and at most ``LONGEST_LINE`` characters.

    Args:
        lines: What is wrong.
        advice: What to do, a command for a shell in it. It ends the last line, and is never
            shortened: half a command is none.
    """

    def __init__(self, *lines: str, advice: str = ""):
        super().__init__(*(one_line(line, LONGEST_LINE) for line in lines))
        self.advice = one_line(
            advice, 6 * len(advice)
        )  # as an escape has up to six characters

    def __str__(self) -> str:
        text = "\n".join(self.args)
        return f"{text}; {self.advice}" if self.advice else text


class Stopped(Exception):
    """The job was asked to stop, and what it has done is saved."""
