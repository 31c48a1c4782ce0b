"""Print the state of every training run and checkpoint below a results folder, a line each.

python workflow_scripts/status.py [--results folder] [--all]
"""

import os
import sys

from stockpot.runtime.status import main, options

if __name__ == "__main__":
    asked_for = options(sys.argv[1:])
    try:
        main(asked_for.results, asked_for.all)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as head, has seen enough; nothing is to be flushed at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
