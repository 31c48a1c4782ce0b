"""The lists of classes that a checkpoint says of itself, where it says any."""

import json
import unicodedata
from collections.abc import Mapping

from .pickles import Record

# Under these names training programs keep their classes, beside the tensors or a level below.
LISTS = ("class_names", "classes", "classnames", "class_list", "labels", "label_names")
TO_INDEX = ("class_to_idx", "label2id")
FROM_INDEX = ("idx_to_class", "id2label")
BELOW = ("args", "config", "hparams", "hyper_parameters", "metadata", "meta", "info")


def class_lists_of(content: object) -> dict[str, list[str]]:
    """All lists of classes, each in the order of the head's rows.

    Args:
        content: What a pickle describes: a dict or a ``Record`` that holds entries.

    Returns:
        Key, as "classes" or "args.classes" -> its list; nothing that is not certain to be one.
    """
    entries = _entries(content)
    lists = {}
    for level in ("", *BELOW):
        mapping = _entries(entries.get(level)) if level else entries
        for name in (*LISTS, *TO_INDEX, *FROM_INDEX):
            listed = _listed(name, mapping.get(name))
            if listed:
                lists[f"{level}.{name}" if level else name] = listed
    return lists


def class_lists_in_metadata(metadata: Mapping[str, str] | None) -> dict[str, list[str]]:
    """The same of the metadata of a safetensors file; our own has its card there."""
    lists = {}
    for name, text in sorted((metadata or {}).items()):
        key = name
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if name == "card" and isinstance(value, dict):
            name = "class_names"
            value = value.get(name)
        listed = _listed(name, value)
        if listed:
            lists[key] = listed
    return lists


def _entries(value: object) -> Mapping:
    if type(value) is Record:
        # A Namespace has its values in its state, an AttributeDict among its entries.
        state = value.state if type(value.state) is dict else {}
        return value.entries or state
    return value if type(value) is dict else {}


def _listed(name: str, value: object) -> list[str] | None:
    if name in LISTS:
        names = list(value) if isinstance(value, (list, tuple)) else []
    elif name in TO_INDEX:
        names = _by_index({index: label for label, index in _entries(value).items()})
    elif name in FROM_INDEX:
        names = _by_index(_entries(value))
    else:
        return None
    if len(names) < 2 or not all(isinstance(label, str) for label in names):
        return None
    # As the study has its names: some systems write "ä" as two characters.
    names = [unicodedata.normalize("NFC", label) for label in names]
    return names if len(set(names)) == len(names) else None


def _by_index(labels: Mapping) -> list:
    """Labels of the indices 0, 1, ...; JSON has the indices as texts."""
    indices = {int(key): label for key, label in labels.items() if str(key).isdigit()}
    is_whole = len(indices) == len(labels) and sorted(indices) == list(
        range(len(indices))
    )
    return [indices[i] for i in range(len(indices))] if is_whole else []
