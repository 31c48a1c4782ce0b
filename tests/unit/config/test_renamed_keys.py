"""The error for a key under its old name says the new one."""

import copy

import pytest

from stockpot import analyses
from stockpot.config.check import _search_space_problems
from stockpot.config.overlays import without_nulls
from stockpot.config.read import read_study
from stockpot.config.renamed_keys import ANY, RENAMED_KEYS, RENAMED_VALUES, is_old_key
from stockpot.config.schema import schema_errors, with_plugin_options
from stockpot.datasets import sources
from stockpot.merging import methods
from stockpot.training import variants
from tests.support.paths import ROOT

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
    "images_per_step": {"method": "learned"},
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
    "sweep": {"analysis": "frontier"},
    "sweeps": {"analysis": "joint"},
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


def errors_of(config, schema) -> list[str]:
    return schema_errors(config, with_plugin_options(schema))


def title(row) -> str:
    return f"{row.where}.{row.old}"


@pytest.mark.parametrize("row", RENAMED_KEYS, ids=title)
def test_the_error_for_an_old_key_says_the_new_one(config, schema, row):
    entry, path = entry_at(config, row.where)
    # A distribution, as the space of a search has; what it is does not matter elsewhere.
    entry[row.old] = {"choice": [1]}
    entry |= PLUGINS.get(row.new, {}) if ANY in row.where else {}
    place = ".".join(path) or "config"
    hint = f"; {row.old!r} is now called {row.new!r}"
    lines = errors_of(config, schema)
    (line,) = [line for line in lines if line.endswith(hint)]
    if row.where == "finetune.search.space":
        # Its keys are checked as words of a list.
        assert line.startswith(f"{place}: {row.old!r} is not one of ")
        assert line.endswith(hint)
    else:
        assert line == f"{place}: unknown key {row.old!r}{hint}"
    # The new name is a key there.
    entry[row.new] = entry.pop(row.old)
    for error in errors_of(config, schema):
        assert not error.startswith(f"{place}: unknown key"), error
        assert f"{row.new!r} is not one of" not in error, error


@pytest.mark.parametrize("row", RENAMED_VALUES[:-1], ids=title)
def test_the_error_for_an_old_value_says_the_new_one(config, schema, row):
    where, _, key = row.where.rpartition(".")
    entry, path = entry_at(config, where)
    entry[key] = row.old
    (line,) = errors_of(config, schema)
    assert line.startswith(f"{'.'.join([*path, key])}: {row.old!r} is not one of ")
    assert line.endswith(f"; {row.old!r} is now called {row.new!r}")


def test_an_old_value_that_a_search_draws_is_told(config, schema):
    config["finetune"]["search"]["space"]["initial_head"] = {"choice": ["start"]}
    problems = _search_space_problems(config, with_plugin_options(schema))
    assert len(problems) == 1
    assert problems[0].startswith("finetune.search.space.initial_head")
    assert problems[0].endswith("; 'start' is now called 'inherit'")


@pytest.mark.parametrize(
    "distribution",
    [
        {"either": [{"choice": [1.0]}]},
        {"mixture": [{"choice": [1.0]}, {"either": [{"choice": [1.0]}]}]},
        {"log_uniform": [0.1, 1.0], "either": [{"choice": [1.0]}]},
    ],
    ids=["alone", "nested", "beside another"],
)
def test_an_old_distribution_is_told_at_any_depth(config, schema, distribution):
    config["finetune"]["search"]["space"]["lr"] = distribution
    lines = errors_of(config, schema)
    assert any("'either' is now called 'mixture'" in line for line in lines), lines


@pytest.mark.parametrize("row", RENAMED_KEYS, ids=title)
def test_null_under_an_old_key_is_no_silent_nothing(row):
    """The user wants to remove what has another name now, so the key must reach the check."""
    *parts, key = [part for part in f"{row.where}.{row.old}".split(".") if part]
    config = {key: None}
    for part in reversed(parts):
        config = {"a" if part == ANY else part: config}
    kept = without_nulls(config)
    for part in parts:
        kept = kept["a" if part == ANY else part]
    # Other sources have images, and null takes theirs away.
    assert kept == ({} if key == "images" else {key: None})


def test_a_study_that_removes_baselines_by_their_old_name_is_told(tmp_path, schema):
    (tmp_path / "study.yaml").write_text("standard: null\nsweep: {of: null}\n")
    study = read_study(ROOT, [tmp_path / "study.yaml"])
    lines = errors_of(study.located(), schema)
    assert lines == [
        "config: unknown key 'standard'; 'standard' is now called 'baselines'",
        "sweep: unknown key 'of'; 'of' is now called 'targets'",
    ]


def test_an_old_key_does_not_hide_a_mistyped_one(config, schema):
    config["finetune"]["defaults"] |= {"clip": 1.0, "batch_sise": 8}
    (line,) = errors_of(config, schema)
    assert "'clip' is now called 'grad_clip_norm'" in line
    assert "did you mean 'batch_size'?" in line


def test_every_old_word_of_a_place_is_told(config, schema):
    config["finetune"]["defaults"] |= {"clip": 1.0, "crop": 0.9}
    (line,) = errors_of(config, schema)
    assert line.endswith(
        "; 'clip' is now called 'grad_clip_norm', 'crop' is now called 'min_crop_area'"
    )


def test_no_key_that_there_is_counts_as_an_old_one():
    """A null takes its value away as ever, whatever an old key of another place was called."""
    packages = {
        "soups": methods,
        "datasets": sources,
        "analyses": analyses,
        "finetune.runs": variants,
    }
    for section, package in packages.items():
        for name in package.names():
            for option in package.options(name):
                assert not is_old_key(f"{section}.a.{option}"), (name, option)
