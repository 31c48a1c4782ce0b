"""Parameters of jobs that Snakemake's report does not print, or that Snakemake does not compare."""

import hashlib
import json


class Unshown(dict):
    """A dictionary whose text is a digest.

    Snakemake writes ``str`` of parameters into a script of its report, without escaping. Class
    names and settings are among them, so a name could end that script and begin another.
    """

    def __str__(self) -> str:
        text = json.dumps(self, sort_keys=True, default=repr)
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:16]}"

    def __format__(self, specification: str) -> str:
        return format(str(self), specification)

    def __reduce__(self):
        """Jobs get a plain dictionary: they unpickle it before this package can be imported."""
        return dict, (dict(self),)


class Unrecorded:
    """Data that a job is given, and that is no reason to run it again.

    Snakemake remembers and compares only parameters of Python's own types.
    """

    def __init__(self, content: dict):
        self.content = content

    def __str__(self) -> str:
        return ""

    def __reduce__(self):
        """Jobs get a plain dictionary."""
        return dict, (self.content,)
