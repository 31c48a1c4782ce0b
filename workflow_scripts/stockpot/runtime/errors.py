"""Exceptions that end a job although the code is right."""

from .escape import one_line

LONGEST_LINE = 500  # characters
LONGEST_ESCAPE = 6  # characters, as in "\u202e"


class StockpotError(Exception):
    """A wrong config, file or run. It is one line: the key or file, the value, what is allowed.

    If several mistakes are known at once, each has a line. Whatever a line quotes from a file or a
    name, it has no control characters and at most ``LONGEST_LINE`` characters.

    Attributes:
        advice: What to do, with a command for a shell. It ends the last line and is never
            shortened, because half a command is useless.
    """

    def __init__(
        self,
        *lines: str,
        advice: str = "",
    ):
        """Make the lines safe to print.

        Args:
            lines: What is wrong.
            advice: What to do.
        """
        safe_lines = [one_line(line, LONGEST_LINE) for line in lines]
        super().__init__(*safe_lines)
        # So long a limit never cuts it, even if every character is escaped.
        limit = LONGEST_ESCAPE * len(advice)
        self.advice = one_line(advice, limit)

    def __str__(self) -> str:
        """Return all lines with the advice."""
        text = "\n".join(self.args)
        if not self.advice:
            return text
        return f"{text}; {self.advice}"


class StoppedError(Exception):
    """The job was asked to stop, and what it has done is saved."""
