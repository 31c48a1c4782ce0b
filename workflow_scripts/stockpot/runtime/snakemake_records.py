"""What Snakemake has noted of the jobs that made files, and of those that did not finish."""

import ast
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path

from .regular_files import open_regular

NOTES = Path(".snakemake")
# Notes of this format and later ones hold parameters that can be compared.
FORMAT_WITH_PARAMETERS = 6
FORMAT_WITH_INPUTS = 4
LONGEST_PARAMETERS = (
    50_000  # characters; of analyses of hundreds of runs they take a second
)
LONGEST_NAME = 254  # of a file; a longer one is cut into folders


@dataclass(frozen=True)
class Record:
    """How a file was made.

    Attributes:
        inputs: Files that the job read, sorted; None in a note of an early format.
        parameters: Its parameters as Snakemake writes and compares them; None likewise.
        checksums: Input -> checksum, of small files.
    """

    inputs: list[str] | None
    parameters: frozenset[str] | None
    checksums: dict[str, str]

    @property
    def is_short(self) -> bool:
        """Is it noted with parameters that take a moment to read?"""
        return sum(map(len, self.parameters or ())) <= LONGEST_PARAMETERS

    @property
    def code(self) -> str:
        """Digest of the code that made the file, "" where there is none."""
        return next((value for value in self._values() if isinstance(value, str)), "")

    @property
    def spec(self) -> dict:
        """What the script was told."""
        return next((value for value in self._values() if isinstance(value, dict)), {})

    def _values(self) -> list[object]:
        return [_value(text) for text in sorted(self.parameters or ())]


def read_record(output: str, notes: Path = NOTES) -> Record | None:
    """What was noted when a file was made.

    Args:
        output: The file, as the rules call it.
        notes: Folder of Snakemake.

    Returns:
        None where nothing can be read of it.
    """
    try:
        with open_regular(notes / "metadata" / _note_name(output)) as file:
            note = json.load(file)
        version = note.get("record_format_version", 0)
        parameters = (
            frozenset(note["params"]) if version >= FORMAT_WITH_PARAMETERS else None
        )
        inputs = note["input"] if version >= FORMAT_WITH_INPUTS else None
        return Record(inputs, parameters, note.get("input_checksums") or {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def unfinished(notes: Path = NOTES) -> set[str]:
    """Names of the notes of files whose jobs began and did not end; see ``is_unfinished``."""
    folder = notes / "incomplete"
    return {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
    }


def is_unfinished(output: str, names: set[str]) -> bool:
    """Is a file among those that ``unfinished`` found?"""
    return _note_name(output) in names


def _note_name(output: str) -> str:
    """Snakemake's name of the note of a file."""
    name = urlsafe_b64encode(output.encode()).decode()
    parts = [name[i : i + LONGEST_NAME] for i in range(0, len(name), LONGEST_NAME)]
    return "/".join([*(f"@{part}" for part in parts[:-1]), parts[-1]])


def _value(text: str) -> object:
    """The parameter that has this text; the text itself where it is no literal of Python."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
