"""Read what Snakemake has noted about the jobs that made files, and about unfinished jobs.

Snakemake writes a note per output file into ``.snakemake/metadata``, and an empty file per output
into ``.snakemake/incomplete`` while its job runs.
"""

import ast
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .regular_files import open_regular

NOTES = Path(".snakemake")
# Notes of these formats and later ones hold parameters that can be compared, and inputs.
FORMAT_WITH_PARAMETERS = 6
FORMAT_WITH_INPUTS = 4
# Characters. Those of an analysis of hundreds of runs take a second to read.
LONGEST_PARAMETERS = 50_000
# Characters of a file name. Snakemake cuts a longer name into folders.
LONGEST_NAME = 254


@dataclass(frozen=True)
class Record:
    """How a file was made.

    Attributes:
        inputs: Sorted files that the job read; None in a note of an early format.
        parameters: Parameters of the job as Snakemake writes and compares them; None likewise.
        checksums: Input -> checksum, of small files.
    """

    inputs: list[str] | None
    parameters: frozenset[str] | None
    checksums: dict[str, str]

    @property
    def is_short(self) -> bool:
        """Whether the parameters take only a moment to read."""
        length = sum(map(len, self.parameters or ()))
        return length <= LONGEST_PARAMETERS

    @property
    def code(self) -> str:
        """Digest of the code that made the file; empty where there is none."""
        # It is the only text among the parameters of a job.
        for value in self._values():
            if isinstance(value, str):
                return value
        return ""

    @property
    def spec(self) -> dict[str, Any]:
        """Specification that the script was given; empty where there is none."""
        for value in self._values():
            if isinstance(value, dict):
                return value
        return {}

    def _values(self) -> list[object]:
        return [_parse_value(text) for text in sorted(self.parameters or ())]


def read_record(
    output: str,
    notes: Path = NOTES,
) -> Record | None:
    """Read what Snakemake noted when a file was made.

    Args:
        output: The file, as the rules call it.
        notes: Folder of Snakemake.

    Returns:
        The record, or None if there is no readable one.
    """
    try:
        with open_regular(notes / "metadata" / _note_name(output)) as file:
            note = json.load(file)
        version = note.get("record_format_version", 0)
        parameters = None
        if version >= FORMAT_WITH_PARAMETERS:
            parameters = frozenset(note["params"])
        inputs = note["input"] if version >= FORMAT_WITH_INPUTS else None
        return Record(inputs, parameters, note.get("input_checksums") or {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def unfinished(notes: Path = NOTES) -> set[str]:
    """List the files whose jobs began and did not end.

    Args:
        notes: Folder of Snakemake.

    Returns:
        Names of notes, for ``is_unfinished``.
    """
    folder = notes / "incomplete"
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)) for path in files}


def is_unfinished(
    output: str,
    names: set[str],
) -> bool:
    """Tell whether the job of a file began and did not end.

    Args:
        output: The file, as the rules call it.
        names: Names of notes, from ``unfinished``.

    Returns:
        True if the file is among them.
    """
    return _note_name(output) in names


def _note_name(output: str) -> str:
    """Return the path of the note of a file, which Snakemake derives from the name of the file."""
    encoded_name = urlsafe_b64encode(output.encode()).decode()
    chunks = []
    for offset in range(0, len(encoded_name), LONGEST_NAME):
        chunks.append(encoded_name[offset : offset + LONGEST_NAME])
    # All chunks except the last are folders, which Snakemake marks by "@".
    folders = [f"@{chunk}" for chunk in chunks[:-1]]
    return "/".join([*folders, chunks[-1]])


def _parse_value(text: str) -> object:
    """Return the parameter that has this text; the text itself if it is no Python literal."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
