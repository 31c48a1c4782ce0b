"""Lay config files over each other: entries that another file changes or removes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..datasets import sources
from ..datasets.classes import ADVERSARIAL, CORRUPTED
from ..merging import methods
from .renamed_keys import is_old_key

# Maps of named things. One that is set to null as a whole is empty.
NULLABLE_MAPS = (
    "datasets",
    "tasks",
    "checkpoints",
    "exports",
    "finetune.runs",
    "finetune.search.space",
    "soups",
    "baselines.models",
    "statistics.breakpoints",
    "analyses",
    "figures",
)
# Options of the data sets that no source reads, as they are made of other sets.
_DERIVED_SET_OPTIONS = {
    ADVERSARIAL: ["pool", "images"],
    CORRUPTED: ["dataset", "severity"],
}
_SOUP_OPTIONS = ["ingredients", "towers_only", "allow_different_lineages"]


def lay_over(
    base: dict[str, Any],
    change: dict[str, Any],
) -> dict[str, Any]:
    """Lay one config over another, map by map.

    An entry that ``base`` removes with null and ``change`` gives as {} is there again, with
    its defaults.

    Args:
        base: A config.
        change: What is said on top of it.

    Returns:
        A new config.
    """
    result = dict(base)
    # Lists are replaced as a whole: an item has no name to merge it by.
    for key, value in change.items():
        if not isinstance(value, dict):
            result[key] = value
            continue
        old = base.get(key)
        result[key] = lay_over(old if isinstance(old, dict) else {}, value)
    return result


def without_nulls(
    config: dict[str, Any],
    defaults: dict[str, Any] | None = None,
    path: str = "",
) -> dict[str, Any]:
    """Remove the entries that are null: this is how a file removes what another one has.

    A map of named things that is null as a whole becomes empty. A section that is null becomes
    that of the defaults. A null of a key that has another name now stays, as it removed nothing:
    the check of the config names the new one.

    Args:
        config: A config, or a part of one.
        defaults: The same part of the defaults.
        path: Key path of the part.

    Returns:
        A new config.
    """
    if not isinstance(defaults, dict):
        defaults = {}
    kept = {}
    for key, value in config.items():
        key_path = f"{path}.{key}".strip(".")
        default = defaults.get(key)
        if isinstance(value, dict):
            kept[key] = without_nulls(value, default, key_path)
        elif value is not None:
            kept[key] = value
        elif is_old_key(key_path):
            kept[key] = None
        elif key_path in NULLABLE_MAPS:
            kept[key] = {}
        # An entry of a map of named things is removed, even if the defaults have it.
        elif path not in NULLABLE_MAPS and isinstance(default, dict):
            kept[key] = without_nulls(default, {}, key_path)
    return kept


@dataclass(frozen=True)
class _Kinds:
    """The kinds that the entries of a section can be of.

    Attributes:
        key: The key that says which kind an entry is of.
        names: All kinds.
        options: Kind -> the keys that its entries may have, beside ``key``.
    """

    key: str
    names: list[str]
    options: Callable[[str], list[str]]


def drop_stale_options(
    config: dict[str, Any],
    base: dict[str, Any],
) -> dict[str, Any]:
    """Remove what ``base`` says of an entry that is of another kind now.

    Files are merged key by key, so a data set of another source, or a soup of another method,
    under a name of ``base`` would keep options that it cannot have.

    Args:
        config: The config after a file was laid over ``base``.
        base: The config before.

    Returns:
        A new config.
    """
    sections = {
        "datasets": _Kinds(
            key="source",
            names=[*sources.names(), *_DERIVED_SET_OPTIONS],
            options=_source_options,
        ),
        "soups": _Kinds(
            key="method",
            names=methods.names(),
            options=_method_options,
        ),
    }
    config = dict(config)
    for section, kinds in sections.items():
        entries = config.get(section)
        if not isinstance(entries, dict):
            continue
        before = base.get(section)
        old_entries = before if isinstance(before, dict) else {}
        config[section] = {
            name: _without_stale(entry, old_entries.get(name), kinds)
            for name, entry in entries.items()
        }
    return config


def _source_options(source: str) -> list[str]:
    return _DERIVED_SET_OPTIONS.get(source) or list(sources.options(source))


def _method_options(method: str) -> list[str]:
    return [*_SOUP_OPTIONS, *methods.options(method)]


def _without_stale(
    entry: Any,
    old_entry: Any,
    kinds: _Kinds,
) -> Any:
    """One entry without the options of its former kind."""
    if not isinstance(entry, dict) or not isinstance(old_entry, dict):
        return entry
    kind = entry.get(kinds.key)
    old_kind = old_entry.get(kinds.key)
    is_known = isinstance(kind, str) and kind in kinds.names
    if not is_known or old_kind is None or kind == old_kind:
        return entry
    allowed = {kinds.key, *kinds.options(kind)}
    # A key that the new file itself gives stays, so that the check can name it.
    return {
        key: value
        for key, value in entry.items()
        if key in allowed or old_entry.get(key) != value
    }
