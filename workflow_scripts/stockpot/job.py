"""What every script does around its one call: log, threads, one-line errors."""

import logging
import os
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path

from .errors import StockpotError


@contextmanager
def job(snakemake):
    """Send all output of the process to the rule's log; end a user's error with one line.

    The redirection is at the level of file descriptors, so text from compiled code arrives
    too. Any other exception leaves its traceback in the log.
    """
    path = Path(str(snakemake.log[0]))
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", buffering=1) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.WARNING,
        format="%(asctime)s  %(message)s",
        datefmt="%H:%M:%S",
    )
    logging.getLogger("stockpot").setLevel(logging.INFO)
    logging.getLogger("root").setLevel(logging.ERROR)
    try:
        yield snakemake.params.spec
    except StockpotError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        os._exit(1)
    except Exception:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    logging.getLogger("stockpot").info("done")
