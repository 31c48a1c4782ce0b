"""The list of classes that a checkpoint says of itself, where it says one."""

import json
from collections.abc import Mapping

from .pickles import Record

# Under these names training programs keep their classes, beside the tensors or a level below.
LISTS = ("class_names", "classes", "classnames", "class_list", "labels", "label_names")
TO_INDEX = ("class_to_idx", "label2id")
FROM_INDEX = ("idx_to_class", "id2label")
BELOW = ("args", "config", "hparams", "hyper_parameters", "metadata", "meta", "info")


def class_names_of(content: object) -> list[str] | None:
    """Classes in the order of the head's rows.

    Args:
        content: What a pickle describes: a dict or a ``Record`` that holds entries.

    Returns:
        None where it says nothing, or nothing that is certain to be such a list.
    """
    entries = _entries(content)
    for mapping in (entries, *(_entries(entries.get(name)) for name in BELOW)):
        for name in (*LISTS, *TO_INDEX, *FROM_INDEX):
            found = _listed(name, mapping.get(name))
            if found:
                return found
    return None


def class_names_in_metadata(metadata: Mapping[str, str] | None) -> list[str] | None:
    """The same of the metadata of a safetensors file; our own has its card there."""
    for name, text in (metadata or {}).items():
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if name == "card" and isinstance(value, dict):
            name = "class_names"
            value = value.get(name)
        found = _listed(name, value)
        if found:
            return found
    return None


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
    is_text = all(isinstance(label, str) for label in names)
    is_list = len(names) > 1 and is_text and len(set(names)) == len(names)
    return names if is_list else None


def _by_index(labels: Mapping) -> list:
    """Labels of the indices 0, 1, ...; JSON has the indices as texts."""
    indices = {int(key): label for key, label in labels.items() if str(key).isdigit()}
    is_whole = len(indices) == len(labels) and sorted(indices) == list(range(len(indices)))
    return [indices[i] for i in range(len(indices))] if is_whole else []
