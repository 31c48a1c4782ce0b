"""The one kind of error that is the user's to mend."""


class StockpotError(Exception):
    """A wrong config, file or run: one line naming the key or file, the value, what is allowed."""
