"""The empty file that says that a study's data sets have been compared."""

from contextlib import suppress
from pathlib import Path


def restore_compared(results: Path) -> None:
    """Put the file back where it was deleted, so that nothing is trained again for its sake.

    Jobs wait for it whatever its date; but if it has to be made anew, all of them run again. It
    hides no missing comparison: where an overlap.csv is missing, Snakemake makes that one first,
    then this file, and all jobs wait for it.

    Args:
        results: Folder of the results. Without classifiers in it nothing was trained yet.
    """
    file = results / "compared"
    classifiers = results / "classifiers"
    with suppress(OSError):  # what may not be written to is only looked at
        if not file.exists() and any(classifiers.iterdir()):
            file.touch()
