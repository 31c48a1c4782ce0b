"""The error for a key under its old name says the new one."""

import copy

import pytest

from stockpot.config.renamed_keys import ANY, RENAMED_KEYS
from stockpot.config.schema import complete, lines

# Where a study chooses the names -> an entry; the embedded study's own entries serve elsewhere.
ENTRIES = {
    f"finetune.search.space.{ANY}": {},
}


def entry_at(config: dict, where: str) -> tuple[dict, list[str]]:
    """The map at a key path, made where the config has none, and its path without ``ANY``."""
    path = []
    parts = where.split(".") if where else []
    for depth, part in enumerate(parts, 1):
        entry = ENTRIES.get(".".join(parts[:depth]))
        name = part
        if part == ANY:
            name = (
                "of-a-test" if entry is not None or not config else next(iter(config))
            )
        if entry is not None:
            config[name] = copy.deepcopy(entry)
        path.append(name)
        config = config.setdefault(name, {})
    return config, path


@pytest.mark.parametrize("row", RENAMED_KEYS, ids=lambda row: f"{row.where}.{row.old}")
def test_the_error_for_an_old_key_says_the_new_one(config, schema, row):
    schema = complete(schema)
    entry, path = entry_at(config, row.where)
    entry[row.old] = None
    found = [
        line for line in lines(config, schema) if f"unknown key {row.old!r}" in line
    ]
    (line,) = found
    place, _, rest = line.partition(": ")
    allowed, _, hint = rest.partition("allowed are ")[2].partition("; ")
    assert place == (".".join(path) or "config")
    assert row.new in allowed.split(", ")
    assert hint == f"{row.old!r} is now called {row.new!r}"
