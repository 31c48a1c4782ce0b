"""The last whole files of an artefact, which stay while it is made again.

Snakemake takes the outputs of a job away before it runs the job again. A second name of the same
files, in the folder ``last`` beside them, costs no space and keeps them until the new ones are
whole: weights that took days are not lost to Ctrl-C in the first minute of a retraining.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

LAST = "last"


def keep_last(folder: str | Path, names: tuple[str, ...]) -> None:
    """Give whole files their second name, in the place of the files that had it before.

    Where the file system has no hard links, nothing is kept.

    Args:
        folder: That they lie in.
        names: Of the files.
    """
    new = Path(folder) / f".{LAST}-new"
    old = Path(folder) / f".{LAST}-old"
    with suppress(OSError):
        for left in (new, old):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        new.mkdir()
        for name in names:
            os.link(Path(folder) / name, new / name)
        with suppress(FileNotFoundError):
            os.rename(new.with_name(LAST), old)
        os.rename(new, new.with_name(LAST))
        shutil.rmtree(old, ignore_errors=True)
