"""Keys of the config that once had another name, so that an error can say the new one."""

from collections.abc import Sequence
from typing import NamedTuple

# Stands for any name in a key path, such as that of a run.
ANY = "*"


class RenamedKey(NamedTuple):
    """A key, or a value of a key, that is called something else now.

    Args:
        where: Key path of the map that has the key, with ``ANY`` for a name that a study chooses;
            "" for the top level. For a value, the key path of its key.
        old: What it was called.
        new: What it is called now.
    """

    where: str
    old: str
    new: str


# A run takes its hyperparameters from these maps. A search draws them.
RUNS = ("finetune.defaults", f"finetune.runs.{ANY}")
DRAWN = "finetune.search.space"
SCRATCH = ("standard.defaults", f"standard.models.{ANY}", "adversary")

RENAMED_KEYS = (RenamedKey(f"{DRAWN}.{ANY}", "either", "mixture"),)


def renamed_hint(
    key_path: Sequence[str | int],
    words: Sequence[str],
) -> str:
    """Say what unknown words of one place are called now.

    Args:
        key_path: Where the words stand.
        words: Keys of the map at that key path, or a value that stands there.

    Returns:
        "; " and a clause per word that has another name now, or "".
    """
    clauses = []
    for word in words:
        for row in RENAMED_KEYS:
            if row.old == word and _is_place(row.where, key_path):
                clauses.append(f"{word!r} is now called {row.new!r}")
                break
    return f"; {', '.join(clauses)}" if clauses else ""


def _is_place(
    where: str,
    key_path: Sequence[str | int],
) -> bool:
    parts = where.split(".") if where else []
    if len(parts) != len(key_path):
        return False
    return all(
        part in (ANY, str(key)) for part, key in zip(parts, key_path, strict=True)
    )
