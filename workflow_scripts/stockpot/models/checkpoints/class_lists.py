"""The lists of classes that a checkpoint holds beside its tensors, where it holds any."""

import json
import unicodedata
from collections.abc import Mapping

from .pickles import Record

# Under these names training programs keep their classes, beside the tensors or a level below:
# lists, and maps from a class to its index or from the index to the class.
LISTS = ("class_names", "classes", "classnames", "class_list", "labels", "label_names")
TO_INDEX = ("class_to_idx", "label2id")
FROM_INDEX = ("idx_to_class", "id2label")
NAMES = (*LISTS, *TO_INDEX, *FROM_INDEX)

# Maps of settings that may hold the classes.
SETTINGS = ("args", "config", "hparams", "hyper_parameters", "metadata", "meta", "info")


def class_lists_of(content: object) -> dict[str, list[str]]:
    """Find all lists of classes in a described object.

    Args:
        content: What a pickle describes: a dict or a ``Record`` that holds entries.

    Returns:
        Key, as "classes" or "args.classes" -> its list, in the order of the head's rows; nothing
        that is not certain to be one.
    """
    entries = _entries(content)
    class_lists = {}
    for name in NAMES:
        class_list = _class_list(name, entries.get(name))
        if class_list:
            class_lists[name] = class_list
    for settings_name in SETTINGS:
        settings = _entries(entries.get(settings_name))
        for name in NAMES:
            class_list = _class_list(name, settings.get(name))
            if class_list:
                class_lists[f"{settings_name}.{name}"] = class_list
    return class_lists


def class_lists_in_metadata(metadata: Mapping[str, str] | None) -> dict[str, list[str]]:
    """Find all lists of classes in the metadata of a safetensors file.

    Args:
        metadata: Name -> text, which may be JSON. Our own files have the card there.

    Returns:
        Name -> list of classes, in the order of the head's rows.
    """
    class_lists = {}
    for key, text in sorted((metadata or {}).items()):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            continue
        name = key
        if key == "card" and isinstance(value, dict):
            name = "class_names"
            value = value.get(name)
        class_list = _class_list(name, value)
        if class_list:
            class_lists[key] = class_list
    return class_lists


def _entries(value: object) -> Mapping:
    """What a dict or a described object holds by key."""
    if type(value) is Record:
        # An AttributeDict has its values among its entries, a Namespace in its state.
        if value.entries:
            return value.entries
        value = value.state
    if type(value) is dict:
        return value
    return {}


def _class_list(name: str, value: object) -> list[str] | None:
    """The classes in a value that a file has under this name; None where it is no list of them."""
    if name in LISTS:
        labels = list(value) if isinstance(value, (list, tuple)) else []
    elif name in TO_INDEX:
        label_of = {index: label for label, index in _entries(value).items()}
        labels = _by_index(label_of)
    elif name in FROM_INDEX:
        labels = _by_index(_entries(value))
    else:
        return None
    if len(labels) < 2:
        return None
    if not all(isinstance(label, str) for label in labels):
        return None
    # As the study has its names: some systems write "ä" as two characters.
    labels = [unicodedata.normalize("NFC", label) for label in labels]
    if len(set(labels)) != len(labels):
        return None
    return labels


def _by_index(labels: Mapping) -> list:
    """Labels of the indices 0, 1, ...; [] where one is missing. JSON has the indices as texts."""
    label_of = {}
    for key, label in labels.items():
        if str(key).isdigit():
            label_of[int(key)] = label
    indices = range(len(label_of))
    # Fewer than before: some key is no index, or "1" and "01" are both there.
    if len(label_of) != len(labels) or sorted(label_of) != list(indices):
        return []
    return [label_of[index] for index in indices]
