"""Which version of the code made an artefact, and whether it is kept though the code has changed.

A job writes a record when it is done. The config may name stages, ``keep: [finetune]``, whose
artefacts are taken as they are if nothing but the code has changed since. Snakemake compares the
parameters of a job with those that it ran with. So a job of such a stage is given the digest that
it ran with. If it has to run all the same, for another reason, its record says what made it.
"""

import time
from pathlib import Path

from .atomic_files import writing
from .sealed import unsealed, write_sealed
from .snakemake_records import read_record as read_note

RESULTS = Path("results")


class CodeVersion(str):
    """What Snakemake compares and remembers; jobs get it together with the code that they run.

    Attributes:
        running: Digest of the code as it is now.
    """

    running: str

    def __new__(cls, compared: str, running: str) -> "CodeVersion":
        version = super().__new__(cls, compared)
        version.running = running
        return version

    def __reduce__(self):
        """Jobs get plain text: they unpickle it before this package can be imported."""
        return str, (
            self.running if self == self.running else f"{self.running} {self}",
        )


def kept(running: str, rule: str, artefact: str, output: str) -> str:
    """The code that an artefact is to be compared by, as its stage is kept.

    Args:
        running: Digest of the code as it is now.
        rule: Of the job.
        artefact: Its id.
        output: A file of it.

    Returns:
        The digest that Snakemake remembers, by our record or, of what was made before there were
        records, by its own; ``running`` where neither says who made it.
    """
    record = read_record(rule, artefact)
    if record:
        return CodeVersion(record["compared"], running)
    note = read_note(output)
    return CodeVersion(note.code, running) if note and note.code else running


def not_kept(running: str, rule: str, artefact: str) -> str:
    """The code that an artefact is to be compared by, as its stage is not kept.

    That is the code as it is now, unless the artefact was made again while its stage was kept:
    Snakemake was then told of the code that made the one before, and remembers that.

    Args:
        running: Digest of the code as it is now.
        rule: Of the job.
        artefact: Its id.
    """
    record = read_record(rule, artefact)
    if not record or record["code"] == record["compared"]:
        return running
    if (
        record["code"] == running
    ):  # nothing has changed, by whatever name Snakemake knows it
        return CodeVersion(record["compared"], running)
    if record["compared"] == running:  # Snakemake would take it for what this code made
        return CodeVersion(f"{running}+", running)
    return running


def record_file(rule: str, artefact: str, results: Path = RESULTS) -> Path:
    return results / "made_by" / rule / f"{artefact}.json"


def read_record(rule: str, artefact: str, results: Path = RESULTS) -> dict | None:
    """code: digest of what made it; compared: what Snakemake was told; made: the day.

    None where there is no record, or a damaged one.
    """
    try:
        path = record_file(rule, artefact, results)
        return unsealed(path.read_bytes(), path)
    except (OSError, ValueError):
        return None


def write_record(log_file: Path, code: str) -> None:
    """Note who made what a job has just made.

    Args:
        log_file: Of the job, results/logs/<rule>/<artefact>.log.
        code: Its parameter of this name, see ``CodeVersion``.

    Raises:
        StockpotError: The record cannot be written.
    """
    if log_file.parents[1].name != "logs":
        return  # of a study's own file, which is never kept
    running, _, compared = code.partition(" ")
    path = record_file(log_file.parent.name, log_file.stem, log_file.parents[2])
    content = {
        "code": running,
        "compared": compared or running,
        "made": time.strftime("%Y-%m-%d"),
    }
    with writing(path):
        write_sealed(path, content)
