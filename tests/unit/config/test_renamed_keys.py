"""The error for a key under its old name says the new one."""

import copy
import re

import pytest

from stockpot.config.renamed_keys import ANY, RENAMED_KEYS, RENAMED_VALUES
from stockpot.config.schema import schema_errors, with_plugin_options

# Where a study chooses the names -> an entry; the embedded study's own entries serve elsewhere.
ENTRIES = {
    f"analyses.{ANY}": {},
    f"checkpoints.{ANY}": {"path": "x.pt"},
    f"datasets.{ANY}": {"source": "folder"},
    f"finetune.search.space.{ANY}": {},
    f"soups.{ANY}": {"method": "uniform"},
    f"tasks.{ANY}": {"train": "train", "held_out": "held-out", "prompts": "p.txt"},
}
# New name of a plug-in's option -> what makes an entry one of that plug-in.
PLUGINS = {
    "granularity": {"method": "learned"},
    "batch_size": {"method": "learned"},
    "coefficients": {"method": "logit-ensemble"},
    "alpha_grid": {"method": "wise-ft"},
    "first_block": {"method": "lines"},
    "last_block": {"method": "lines"},
    "dataset": {"source": "corrupted"},
    "label_file": {"source": "imagenet"},
    "image_folder": {"source": "csv"},
    "max_pairs": {"analysis": "pairs"},
    "alpha_step": {"analysis": "pairs"},
    "max_barrier": {"analysis": "diagnosis"},
    "points_per_side": {"analysis": "landscape"},
}


def entry_at(config: dict, where: str) -> tuple[dict, list[str]]:
    """The map at a key path, made where the config has none, and its path without ``ANY``."""
    path = []
    parts = where.split(".") if where else []
    for depth, part in enumerate(parts, 1):
        entry = ENTRIES.get(".".join(parts[:depth]))
        if part == ANY:
            part = next(iter(config)) if entry is None else "of-a-test"
        if entry is not None:
            config[part] = copy.deepcopy(entry)
        path.append(part)
        config = config.setdefault(part, {})
    return config, path


def allowed_beside(config, schema, path, row) -> list[str]:
    """What the one line on the old word lists as allowed; it must end with the new word."""
    words = f"unknown key {row.old!r}; allowed are|{row.old!r} is not one of"
    pattern = f"{re.escape('.'.join(path) or 'config')}: (?:{words}) (.*); (.*)"
    found = [
        re.fullmatch(pattern, line)
        for line in schema_errors(config, with_plugin_options(schema))
    ]
    (match,) = [match for match in found if match]
    assert match[2] == f"{row.old!r} is now called {row.new!r}"
    return match[1].split(", ")


def title(row) -> str:
    return f"{row.where}.{row.old}"


@pytest.mark.parametrize("row", RENAMED_KEYS, ids=title)
def test_the_error_for_an_old_key_says_the_new_one(config, schema, row):
    entry, path = entry_at(config, row.where)
    # A distribution, as the space of a search has; what it is does not matter elsewhere.
    entry[row.old] = {"choice": [1]}
    entry |= PLUGINS.get(row.new, {}) if ANY in row.where else {}
    assert row.new in allowed_beside(config, schema, path, row)


@pytest.mark.parametrize("row", RENAMED_VALUES, ids=title)
def test_the_error_for_an_old_value_says_the_new_one(config, schema, row):
    where, _, key = row.where.rpartition(".")
    entry, path = entry_at(config, where)
    entry[key] = row.old
    assert row.new in allowed_beside(config, schema, [*path, key], row)


def test_every_old_word_of_a_place_is_told(config, schema):
    config["finetune"]["defaults"] |= {"clip": 1.0, "crop": 0.9}
    (line,) = schema_errors(config, with_plugin_options(schema))
    assert line.endswith(
        "; 'clip' is now called 'grad_clip_norm', 'crop' is now called 'min_crop_area'"
    )
