"""The command ``stockpot``: what can be asked of a study without running it."""

import argparse
import os
import sys

from ..runtime.errors import StockpotError
from . import status, study_name, why

COMMANDS = {"status": status, "why": why, "study-name": study_name}


def main(arguments: list[str] | None = None) -> int:
    """Run one sub-command.

    Args:
        arguments: Those of the command line, by default the process's own.

    Returns:
        The exit status.
    """
    options = parsed(arguments)
    try:
        COMMANDS[options.command].run(options)
        sys.stdout.flush()
    except StockpotError as error:
        for line in str(error).splitlines():
            print(f"error: {line}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader, such as head, has seen enough. Python must find nothing to flush at exit.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
    return 0


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse a command line.

    Options that a sub-command does not know are ignored, because ``make`` gives the same options to
    this command and to Snakemake.

    Args:
        arguments: Those of the command line, by default the process's own.

    Returns:
        ``command`` and the options of that sub-command.

    Raises:
        SystemExit: If the command line is wrong, or asks for help.
    """
    parser = argparse.ArgumentParser(
        prog="stockpot",
        description=__doc__,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        summary = command.__doc__.splitlines()[0]
        command_parser = commands.add_parser(
            name,
            help=summary,
            description=summary,
            allow_abbrev=False,
        )
        command.add_arguments(command_parser)
    options, _ = parser.parse_known_args(arguments)
    return options
