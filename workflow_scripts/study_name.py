"""Print the name of the study that a command of Snakemake with these arguments runs.

python workflow_scripts/study_name.py --configfile study.yaml
"""

import argparse
import sys
from pathlib import Path

from stockpot.config.read import read_study
from stockpot.runtime.errors import StockpotError

ROOT = Path(__file__).resolve().parents[1]


def study_name(arguments: list[str]) -> str:
    """The study's name. StockpotError where a config file cannot be read or names no study."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", type=Path, default=[])
    parser.add_argument("--config", "-C", nargs="*", default=[])
    known, _ = parser.parse_known_args(arguments)
    settings = dict(setting.split("=", 1) for setting in known.config if "=" in setting)
    command_line = {"study": settings["study"]} if "study" in settings else {}
    name = read_study(ROOT, known.configfile, command_line).as_written().get("study")
    if not isinstance(name, str):
        raise StockpotError("config: 'study' is a required property: name of the study")
    return name


if __name__ == "__main__":
    try:
        print(study_name(sys.argv[1:]))
    except StockpotError as error:
        sys.exit(f"error: {error}")
