"""Print the name of the study of a config; files and settings are given as to Snakemake."""

import argparse
from pathlib import Path

from ..config.paths import CHECKOUT
from ..config.read import read_study
from ..runtime.errors import StockpotError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``stockpot study-name``.

    Args:
        parser: The parser of this sub-command.
    """
    add_config_arguments(parser)


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that give a config to Snakemake.

    Args:
        parser: The parser of a sub-command.
    """
    parser.add_argument(
        "--configfile",
        "--configfiles",
        help="config files",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
    )
    parser.add_argument(
        "--config",
        "-C",
        help="settings on top of the files",
        nargs="*",
        default=[],
        metavar="KEY=VALUE",
    )


def run(options: argparse.Namespace) -> None:
    """Print the name.

    Args:
        options: Parsed options of this sub-command.

    Raises:
        StockpotError: If a config file cannot be read, or names no study.
    """
    # Other settings do not matter here, so they are not checked.
    settings = {}
    for setting in options.config:
        key, separator, value = setting.partition("=")
        if key == "study" and separator:
            settings[key] = value
    study = read_study(CHECKOUT, options.configfile, settings)
    name = study.as_written().get("study")
    if not isinstance(name, str):
        raise StockpotError("config: 'study' is a required property: name of the study")
    print(name)
