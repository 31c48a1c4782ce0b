"""What becomes of entries of config.yaml that another file changes or takes away."""

from .datasets import sources
from .datasets.classes import ADVERSARIAL, CORRUPTED
from .merging import methods

MAPS = (
    "datasets", "tasks", "checkpoints", "exports", "finetune.runs", "finetune.search.space",
    "soups", "standard.models", "statistics.knots", "analyses", "figures",
)  # fmt: skip


def without_nulls(config: dict, path: str = "") -> dict:
    """The config without entries set to null: how a file takes away what config.yaml has.

    A map of named things that is null altogether becomes empty.
    """
    kept = {}
    for key, value in config.items():
        place = f"{path}.{key}".strip(".")
        if isinstance(value, dict):
            kept[key] = without_nulls(value, place)
        elif value is not None:
            kept[key] = value
        elif place in MAPS:
            kept[key] = {}
    return kept


def without_leftovers(config: dict, base: dict) -> dict:
    """The config without what ``base`` says of an entry that is of another kind now.

    Snakemake merges files key by key, so a data set of another source, or a soup of another
    method, under a name of config.yaml would keep options that it cannot have.
    """
    shared = {ADVERSARIAL: ["pool", "images"], CORRUPTED: ["of", "severity"]}
    common = ["ingredients", "backbones", "allow_different_starts"]
    kinds = {
        "datasets": ("source", lambda n: shared.get(n) or sources.options(n), sources.names()),
        "soups": ("method", lambda n: [*common, *methods.options(n)], methods.names()),
    }
    config = dict(config)
    for section, (key, options, names) in kinds.items():
        entries = config.get(section)
        if not isinstance(entries, dict):
            continue
        config[section] = dict(entries)
        for name, entry in entries.items():
            old = base[section].get(name)
            kind = entry.get(key) if isinstance(entry, dict) else None
            if old and kind != old[key] and kind in (*names, *shared):
                allowed = {key, *options(kind)}
                config[section][name] = {
                    k: v for k, v in entry.items() if k in allowed or old.get(k) != v
                }
    return config
