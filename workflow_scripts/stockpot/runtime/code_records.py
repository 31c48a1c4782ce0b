"""Tell which version of the code made an artefact, and which digest Snakemake compares.

The config may name stages that are kept, as in ``keep: [finetune]``. Their artefacts are taken as
they are if nothing but the code has changed since. Snakemake compares the parameters of a job with
those of the run that made its outputs, and the digest of the code is one of them. A job of a kept
stage is given the digest that it ran with, not that of the present code. If such a job has to run
for another reason, Snakemake remembers the old digest although the present code made the artefact.
Therefore every job writes a record when it is done: which code ran, and which digest was compared.
"""

import time
from pathlib import Path
from typing import Any

from .atomic_files import writing
from .sealed import unsealed, write_sealed
from .snakemake_records import read_record as read_snakemake_record

RESULTS = Path("results")


class CodeVersion(str):
    """A digest of code as Snakemake compares and remembers it, with that of the code that runs.

    The text itself is the digest that is compared. A job gets both as one text, "running compared".

    Attributes:
        running: Digest of the code as it is now.
    """

    running: str

    def __new__(
        cls,
        compared: str,
        running: str,
    ) -> "CodeVersion":
        """Make the text from the digest that is compared.

        Args:
            compared: Digest that Snakemake compares and remembers.
            running: Digest of the code as it is now.

        Returns:
            The text with both digests.
        """
        version = super().__new__(cls, compared)
        version.running = running
        return version

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """Give jobs plain text: they unpickle it before this package can be imported."""
        if self == self.running:
            return str, (self.running,)
        both_digests = f"{self.running} {self}"
        return str, (both_digests,)


def is_of_present_code(digest: str) -> bool:
    """Tell whether a digest that is compared is that of the code as it is now.

    Args:
        digest: From ``digest_if_kept`` or ``digest_if_not_kept``.

    Returns:
        False if other code made the artefact.
    """
    if isinstance(digest, CodeVersion):
        return digest == digest.running
    return True


def digest_if_kept(
    running: str,
    rule: str,
    artefact: str,
    output: str,
) -> str:
    """Return the digest by which an artefact of a kept stage is compared.

    Args:
        running: Digest of the code as it is now.
        rule: Rule of the job.
        artefact: Id of the artefact.
        output: A file of the artefact.

    Returns:
        The digest that Snakemake remembers. It comes from our record, or from Snakemake's own note
        if the artefact is older than these records; ``running`` if neither says who made it.
    """
    record = read_record(rule, artefact)
    if record:
        return CodeVersion(record["compared"], running)
    note = read_snakemake_record(output)
    if note and note.code:
        return CodeVersion(note.code, running)
    return running


def digest_if_not_kept(
    running: str,
    rule: str,
    artefact: str,
) -> str:
    """Return the digest by which an artefact of a stage that is not kept is compared.

    This is the digest of the code as it is now, unless the artefact was made again while its stage
    was kept. Then Snakemake remembers the digest of the code that made the artefact before.

    Args:
        running: Digest of the code as it is now.
        rule: Rule of the job.
        artefact: Id of the artefact.

    Returns:
        A digest that Snakemake finds equal to the remembered one exactly if the present code made
        the artefact.
    """
    record = read_record(rule, artefact)
    if not record or record["code"] == record["compared"]:
        return running
    if record["code"] == running:
        # The present code made it, although Snakemake remembers another digest.
        return CodeVersion(record["compared"], running)
    if record["compared"] == running:
        # Other code made it, but Snakemake remembers the digest of the present code. The sign at
        # the end makes the two differ.
        return CodeVersion(f"{running}+", running)
    return running


def record_file(
    rule: str,
    artefact: str,
    results: Path = RESULTS,
) -> Path:
    """Return the path of the record of an artefact.

    Args:
        rule: Rule of the job that makes it.
        artefact: Id of the artefact.
        results: Folder of the results.

    Returns:
        A path below the results; the file need not exist.
    """
    return results / "made_by" / rule / f"{artefact}.json"


def read_record(
    rule: str,
    artefact: str,
    results: Path = RESULTS,
) -> dict[str, Any] | None:
    """Read the record of an artefact.

    Args:
        rule: Rule of the job that made it.
        artefact: Id of the artefact.
        results: Folder of the results.

    Returns:
        ``code``: digest of the code that made it; ``compared``: the digest that Snakemake was
        given; ``made``: the day. None if there is no record, or if it is damaged.
    """
    path = record_file(rule, artefact, results)
    try:
        return unsealed(path.read_bytes(), path)
    except (OSError, ValueError):
        return None


def write_record(
    log_file: Path,
    code: str,
) -> None:
    """Record which code has just made an artefact.

    Args:
        log_file: Log of the job, results/logs/<rule>/<artefact>.log.
        code: Parameter ``code`` of the job: one digest, or two as in ``CodeVersion``.

    Raises:
        StockpotError: If the record cannot be written.
    """
    # Logs of jobs that belong to one study lie elsewhere. Their stages can never be kept.
    if log_file.parents[1].name != "logs":
        return
    running, _, compared = code.partition(" ")
    rule = log_file.parent.name
    results = log_file.parents[2]
    path = record_file(rule, log_file.stem, results)
    content = {
        "code": running,
        "compared": compared or running,
        "made": time.strftime("%Y-%m-%d"),
    }
    with writing(path):
        write_sealed(path, content)
