"""Print the name of the study of a config; files and settings are given as to Snakemake."""

import argparse
from pathlib import Path

from ..config.paths import CHECKOUT
from ..config.read import read_study
from ..runtime.errors import StockpotError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``stockpot study-name``."""
    add_config_arguments(parser)


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that give a config to Snakemake."""
    files = {"nargs": "+", "type": Path, "default": [], "metavar": "FILE"}
    parser.add_argument("--configfile", "--configfiles", help="config files", **files)
    settings = {"nargs": "*", "default": [], "metavar": "KEY=VALUE"}
    parser.add_argument(
        "--config", "-C", help="settings on top of the files", **settings
    )


def run(asked: argparse.Namespace) -> None:
    """Print the name.

    Raises:
        StockpotError: A config file cannot be read, or names no study.
    """
    settings = dict(setting.split("=", 1) for setting in asked.config if "=" in setting)
    named = {key: name for key, name in settings.items() if key == "study"}
    name = read_study(CHECKOUT, asked.configfile, named).as_written().get("study")
    if not isinstance(name, str):
        raise StockpotError("config: 'study' is a required property: name of the study")
    print(name)
