"""Keep the last complete files of an artefact while it is made again.

Snakemake removes the outputs of a job before it runs the job again. A second name of the same
files, in the folder ``last`` beside them, costs no space and keeps them until the new ones are
complete. So weights that took days are not lost to Ctrl-C in the first minute of a retraining.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

LAST = "last"


def keep_last(
    folder: str | Path,
    names: tuple[str, ...],
) -> None:
    """Give complete files their second name, in place of the files that had it before.

    If the file system has no hard links, nothing is kept.

    Args:
        folder: The folder of the files.
        names: Names of the files.
    """
    folder = Path(folder)
    last = folder / LAST
    new = folder / f".{LAST}-new"
    old = folder / f".{LAST}-old"
    with suppress(OSError):
        # A process that was killed may have left these folders.
        for leftover in (new, old):
            shutil.rmtree(leftover, ignore_errors=True)
        new.mkdir()
        for name in names:
            os.link(folder / name, new / name)
        # A folder cannot be replaced in one step, so the old one is moved away first. A crash
        # between the two leaves both.
        with suppress(FileNotFoundError):
            os.rename(last, old)
        os.rename(new, last)
        shutil.rmtree(old, ignore_errors=True)
