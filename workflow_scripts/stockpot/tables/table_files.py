"""Tables as CSV files that are checked when a later job reads them.

A CSV file has no place for a digest, so that is in a small hidden file beside it.
"""

from pathlib import Path

from ..runtime.digest import sha256_file
from ..runtime.sealed import damaged, unreadable, unsealed, write_sealed


def seal_table(path: str | Path) -> None:
    """Note the digest of a table that was just written.

    Raises StockpotError where that cannot be written.
    """
    path = Path(path)
    write_sealed(_seal(path), {"sha256": sha256_file(path)}, depth=5)


def check_table(path: str | Path) -> None:
    """Raises StockpotError for a table that is not as it was written; without a digest beside it,
    nothing is known of it."""
    path = Path(path)
    seal = _seal(path)
    try:
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
    return path.with_name(f".{path.name}.seal")
