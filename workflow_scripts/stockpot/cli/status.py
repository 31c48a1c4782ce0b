"""Print the state of every training run and checkpoint of the study that was given last."""

import argparse
from pathlib import Path

from ..runtime.status import main


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``stockpot status``.

    Args:
        parser: The parser of this sub-command.
    """
    parser.add_argument(
        "--results",
        default="results",
        type=Path,
        help="the folder to look at",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="also those of other studies",
    )


def run(options: argparse.Namespace) -> None:
    """Print a line per run.

    Args:
        options: Parsed options of this sub-command.
    """
    main(options.results, all_studies=options.all)
