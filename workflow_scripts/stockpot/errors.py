"""What ends a job without being a fault of the code."""


class StockpotError(Exception):
    """A wrong config, file or run: one line naming the key or file, the value, what is allowed."""


class Stopped(Exception):
    """The job was asked to stop, and what it has done is saved."""
