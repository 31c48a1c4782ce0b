"""Parameters of jobs that Snakemake's report does not print, or that Snakemake does not compare."""

import hashlib
import json
from typing import Any


class HiddenParameters(dict):
    """A dictionary whose text is a digest.

    Snakemake writes ``str`` of parameters into a script of its report, without escaping. Class
    names and hyperparameters are among them, so a name could end that script and begin another.
    """

    def __str__(self) -> str:
        """Return a digest of the content."""
        text = json.dumps(self, sort_keys=True, default=repr)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return f"sha256:{digest[:16]}"

    def __format__(self, specification: str) -> str:
        """Format the digest."""
        return format(str(self), specification)

    def __reduce__(self) -> tuple[type[dict], tuple[dict[str, Any]]]:
        """Give jobs a plain dictionary: they unpickle it before this package can be imported."""
        return dict, (dict(self),)


class UncomparedParameters:
    """Data for a job whose change is no reason to run the job again.

    Snakemake remembers and compares only parameters of Python's own types.

    Attributes:
        content: The data.
    """

    def __init__(self, content: dict[str, Any]):
        """Wrap data.

        Args:
            content: The data.
        """
        self.content = content

    def __str__(self) -> str:
        """Return no text, so that the report shows nothing."""
        return ""

    def __reduce__(self) -> tuple[type[dict], tuple[dict[str, Any]]]:
        """Give jobs a plain dictionary."""
        return dict, (self.content,)
