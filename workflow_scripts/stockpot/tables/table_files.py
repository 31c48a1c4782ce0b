"""Tables as CSV files that are checked when a later job reads them.

A CSV file has no place for a digest, so the digest is in a small hidden file beside it.
"""

from pathlib import Path

from ..runtime.digest import sha256_file
from ..runtime.sealed import damaged, unreadable, unsealed, write_sealed


def seal_table(path: str | Path) -> None:
    """Note the digest of a table that was just written.

    Args:
        path: The CSV file.

    Raises:
        StockpotError: If the digest cannot be written.
    """
    path = Path(path)
    write_sealed(
        _seal(path),
        {"sha256": sha256_file(path)},
        depth=5,
    )


def check_table(path: str | Path) -> None:
    """Check that a table is as it was written.

    Without a digest beside it, nothing is known of it and it is taken as it is.

    Args:
        path: The CSV file.

    Raises:
        StockpotError: If it, or its digest, is not as it was written.
    """
    path = Path(path)
    seal = _seal(path)
    try:
        # A table that somebody put there by hand has no seal.
        expected = unsealed(seal.read_bytes(), seal)["sha256"]
    except FileNotFoundError:
        return
    except OSError as error:
        raise unreadable(seal, error, path, seal) from error
    except (ValueError, KeyError) as error:
        raise damaged(seal, str(error), path, seal) from error
    if sha256_file(path) != expected:
        raise damaged(path, "its content is not what was written", path, seal)


def _seal(path: Path) -> Path:
    """The file with the digest of a table."""
    return path.with_name(f".{path.name}.seal")
