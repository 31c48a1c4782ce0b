"""Print the state of every training run and checkpoint of the study that was given last."""

import argparse
from pathlib import Path

from ..runtime.status import main


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``stockpot status``."""
    parser.add_argument(
        "--results", default="results", type=Path, help="the folder to look at"
    )
    parser.add_argument(
        "--all", action="store_true", help="also those of other studies"
    )


def run(asked: argparse.Namespace) -> None:
    """Print a line per run."""
    main(asked.results, asked.all)
