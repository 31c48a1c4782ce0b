"""What becomes of entries of a config that another file changes or takes away."""

from ..datasets import sources
from ..datasets.classes import ADVERSARIAL, CORRUPTED
from ..merging import methods

MAPS = (
    "datasets",
    "tasks",
    "checkpoints",
    "exports",
    "finetune.runs",
    "finetune.search.space",
    "soups",
    "standard.models",
    "statistics.knots",
    "analyses",
    "figures",
)


def merged(base: dict, change: dict) -> dict:
    """``base`` with what ``change`` says on top, map by map.

    An entry that ``base`` takes away with null and ``change`` gives as {} is there again, with
    its defaults.
    """
    result = dict(base)
    for key, value in change.items():
        if isinstance(value, dict):
            old = base.get(key)
            result[key] = merged(old if isinstance(old, dict) else {}, value)
        else:
            result[key] = value
    return result


def without_nulls(config: dict, defaults: dict | None = None, path: str = "") -> dict:
    """The config without entries set to null: how a file takes away what another one has.

    A map of named things that is null altogether becomes empty, and a section becomes that of the
    defaults.
    """
    defaults = defaults if isinstance(defaults, dict) else {}
    kept = {}
    for key, value in config.items():
        place = f"{path}.{key}".strip(".")
        if isinstance(value, dict):
            kept[key] = without_nulls(value, defaults.get(key), place)
        elif value is not None:
            kept[key] = value
        elif place in MAPS:
            kept[key] = {}
        elif path not in MAPS and isinstance(defaults.get(key), dict):
            kept[key] = without_nulls(defaults[key], {}, place)
    return kept


def without_leftovers(config: dict, base: dict) -> dict:
    """The config without what ``base`` says of an entry that is of another kind now.

    Files are merged key by key, so a data set of another source, or a soup of another method,
    under a name of ``base`` would keep options that it cannot have.
    """
    shared = {ADVERSARIAL: ["pool", "images"], CORRUPTED: ["of", "severity"]}
    common = ["ingredients", "backbones", "allow_different_starts"]
    kinds = {
        "datasets": (
            "source",
            lambda n: shared.get(n) or sources.options(n),
            sources.names(),
        ),
        "soups": ("method", lambda n: [*common, *methods.options(n)], methods.names()),
    }
    config = dict(config)
    for section, (key, options, names) in kinds.items():
        entries = config.get(section)
        if not isinstance(entries, dict):
            continue
        config[section] = dict(entries)
        for name, entry in entries.items():
            before = base.get(section)
            old = before.get(name) if isinstance(before, dict) else None
            old_kind = old.get(key) if isinstance(old, dict) else None
            kind = entry.get(key) if isinstance(entry, dict) else None
            known = isinstance(kind, str) and kind in (*names, *shared)
            if known and old_kind is not None and kind != old_kind:
                allowed = {key, *options(kind)}
                config[section][name] = {
                    k: v for k, v in entry.items() if k in allowed or old.get(k) != v
                }
    return config
