"""The plan on disk, which jobs on other nodes read instead of looking at the data again."""

import types
import typing
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..runtime.digest import short
from ..runtime.sealed import unsealed, write_sealed
from .jobs import Config
from .plan import Plan

TYPE = "type"  # key under which a dataclass names itself


def save_plan(
    plan: Plan,
    file: Path,
    config: Config,
) -> None:
    """Write the plan of a config.

    Args:
        plan: The plan.
        file: Where to.
        config: As its files give it.

    Raises:
        OSError, StockpotError: The file cannot be written.
    """
    # The digest of the config tells whether the plan is that of a later reader.
    content = {"config": short(config), "plan": to_json(plan)}
    write_sealed(file, content, indent=None)


def load_plan(
    file: Path,
    config: Config,
) -> Plan | None:
    """Read the plan that was written for this config.

    Args:
        file: Where it was written.
        config: As its files give it.

    Returns:
        None where there is none, or it is damaged, or another version of this code wrote it.
    """
    try:
        content = unsealed(file.read_bytes(), file)
        # Another run has planned another config since.
        if content["config"] != short(config):
            return None
        return read_plan(content["plan"])
    # Whatever is wrong with the file, the plan can be made anew.
    except (OSError, ValueError, KeyError, TypeError):
        return None


def to_json(value: object) -> object:
    """Turn a plan into plain data.

    Args:
        value: A dataclass, or anything that one holds.

    Returns:
        Dataclasses as dictionaries that name their type, tuples as lists; all else as it is.
    """
    if is_dataclass(value):
        content: dict[str, object] = {TYPE: type(value).__name__}
        for field in fields(value):
            content[field.name] = to_json(getattr(value, field.name))
        return content
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    return value


def read_plan(content: dict[str, Any]) -> Plan:
    """Turn the content of a file into the plan.

    Args:
        content: As ``to_json`` made it.

    Returns:
        The plan.

    Raises:
        KeyError, TypeError, ValueError: It is that of another version of this code.
    """
    return _from_json(Plan, content)


def _from_json(
    expected: Any,
    value: Any,
) -> Any:
    """The value as an instance of a type that annotations name: dataclass, tuple, dict, list."""
    if expected is Any:
        return value
    if isinstance(expected, type) and is_dataclass(expected):
        return _dataclass_from_json(expected, value)
    arguments = typing.get_args(expected)
    container = typing.get_origin(expected)
    # JSON has lists for tuples, and only texts as keys, as the plan does.
    if container is tuple:
        return _tuple_from_json(arguments, value)
    if container is list:
        return [_from_json(arguments[0], item) for item in value]
    if container is dict:
        return {key: _from_json(arguments[1], item) for key, item in value.items()}
    # A file of another version of this code may have another type here.
    if not isinstance(value, _plain_types(expected)):
        raise TypeError(f"{value!r} is no {expected}")
    return value


def _dataclass_from_json(
    expected: type,
    value: dict[str, Any],
) -> Any:
    """An instance of the class that the value names, which is the expected one or derived."""
    cls = _classes_by_name(expected)[value[TYPE]]
    annotations = _annotations(cls)
    arguments = {}
    for name, item in value.items():
        if name != TYPE:
            arguments[name] = _from_json(annotations[name], item)
    return cls(**arguments)


def _tuple_from_json(
    arguments: tuple[Any, ...],
    value: list[Any],
) -> tuple[Any, ...]:
    """A tuple of a fixed number of items, or of any number of one type."""
    if arguments[-1] is ...:
        return tuple(_from_json(arguments[0], item) for item in value)
    pairs = zip(arguments, value, strict=True)
    return tuple(_from_json(item_type, item) for item_type, item in pairs)


def _plain_types(expected: Any) -> tuple[type, ...]:
    """The types that a plain annotation allows, those of a union without what they hold."""
    if not isinstance(expected, types.UnionType):
        return (expected,)
    allowed = []
    for argument in typing.get_args(expected):
        allowed.append(typing.get_origin(argument) or argument)
    return tuple(allowed)


# The annotations of a class are evaluated once, not for each of some thousand jobs.
@cache
def _annotations(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


@cache
def _classes_by_name(cls: type) -> dict[str, type]:
    """Name -> the class and all that are derived from it."""
    classes = {cls.__name__: cls}
    # Annotations name base classes, as DatasetJob; values are of derived ones.
    subclasses: list[type] = cls.__subclasses__()
    for derived in subclasses:
        classes |= _classes_by_name(derived)
    return classes
