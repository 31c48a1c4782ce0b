"""The plan on disk, which jobs on other nodes read instead of looking at the data again."""

import types
import typing
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path

from ..runtime.digest import short
from ..runtime.sealed import unsealed, write_sealed
from .plan import Plan

TYPE = "type"


def save(plan: Plan, file: Path, config: dict) -> None:
    """Write the plan of a config.

    Args:
        plan: The plan.
        file: Where to.
        config: As its files give it.
    """
    write_sealed(file, {"config": short(config), "plan": to_json(plan)}, indent=None)


def saved(file: Path, config: dict) -> Plan | None:
    """The plan that was written for this config.

    Returns:
        None where there is none, or it is damaged, or another version of this code wrote it.
    """
    try:
        found = unsealed(file.read_bytes(), file)
        return read_plan(found["plan"]) if found["config"] == short(config) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def to_json(value) -> object:
    """Dataclasses as dicts that name their type; all else as it is."""
    if is_dataclass(value):
        named = {
            field.name: to_json(getattr(value, field.name)) for field in fields(value)
        }
        return {TYPE: type(value).__name__, **named}
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    return value


def read_plan(content: dict) -> Plan:
    """The plan from the content of its file.

    Raises:
        KeyError, TypeError: It is that of another version of this code.
    """
    return _read(Plan, content)


def _read(expected, value):
    """The value as an instance of a type that annotations name: dataclass, tuple, dict, list."""
    if is_dataclass(expected):
        cls = _kinds(expected)[value[TYPE]]
        hints = _hints(cls)
        given = {name: item for name, item in value.items() if name != TYPE}
        return cls(**{name: _read(hints[name], item) for name, item in given.items()})
    origin, arguments = typing.get_origin(expected), typing.get_args(expected)
    if origin is tuple:
        each = arguments[:1] * len(value) if arguments[-1] is ... else arguments
        return tuple(_read(kind, item) for kind, item in zip(each, value, strict=True))
    if origin is list:
        return [_read(arguments[0], item) for item in value]
    if origin is dict:
        return {key: _read(arguments[1], item) for key, item in value.items()}
    if not isinstance(value, origin_types(expected)):
        raise TypeError(f"{value!r} is no {expected}")
    return value


def origin_types(expected) -> tuple[type, ...]:
    """The types that a plain annotation allows."""
    if isinstance(expected, types.UnionType):
        return tuple(typing.get_args(expected))
    return (expected,)


@cache
def _hints(cls: type) -> dict:
    return typing.get_type_hints(cls)


@cache
def _kinds(cls: type) -> dict[str, type]:
    """Name -> the class and all that are derived from it."""
    kinds = {cls.__name__: cls}
    for derived in cls.__subclasses__():
        kinds |= _kinds(derived)
    return kinds
