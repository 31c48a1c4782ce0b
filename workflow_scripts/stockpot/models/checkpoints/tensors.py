"""From what a pickle describes to tensors by flat name, as a module's ``state_dict`` has them."""

import math
from collections.abc import Iterator

import torch

from .containers import Described, StorageId, read_bytes
from .known import ENCODED, ORDERED, PARAMETERS, SCRIPTED, SETS, STORED, TENSORS
from .pickles import Record

DEEPEST, MOST = 40, 200_000
LARGEST, MOST_AXES = 1 << 48, 16


def named_tensors(described: Described) -> Iterator[tuple[str, torch.Tensor]]:
    """(name, tensor) of dicts, modules and scripted modules within each other.

    Lists and the state of other objects (transforms, optimizers) hold no named tensors.
    Raises ValueError for a tensor that is not within its storage, for nesting without end.
    """
    visits = 0

    def walk(value: object, path: tuple[str, ...]) -> Iterator[tuple[str, torch.Tensor]]:
        nonlocal visits
        visits += 1
        if len(path) > DEEPEST or visits > MOST:
            raise ValueError("it is nested without end")
        if type(value) is Record and value.maker in TENSORS + PARAMETERS:
            yield ".".join(path), rebuild(value, described)
            return
        for key, child in _children(value).items():
            if type(child) in (dict, Record):
                if type(key) not in (str, int):
                    raise ValueError("a dict in it has keys that are no names")
                yield from walk(child, (*path, str(key)))

    return walk(described.content, ())


def _children(value: object) -> dict:
    if type(value) is not Record:
        return value if type(value) is dict else {}
    if value.maker == ORDERED and value.arguments:
        raise ValueError("an OrderedDict in it is of Python 2")
    state = value.state if type(value.state) is dict else {}
    if value.maker.startswith(SCRIPTED):
        return state
    if value.maker == ORDERED or "_parameters" not in state:
        return value.entries
    parameters, buffers, modules = (
        _mapping(state.get(key, {})) for key in ("_parameters", "_buffers", "_modules")
    )
    unsaved = _members(state.get("_non_persistent_buffers_set", []))
    kept = {key: buffer for key, buffer in buffers.items() if key not in unsaved}
    return parameters | kept | modules


def _mapping(value: object) -> dict:
    found = value.entries if type(value) is Record and value.maker == ORDERED else value
    if type(found) is not dict:
        raise ValueError("a module in it keeps its tensors in another way")
    return found


def _members(value: object) -> list:
    match value:
        case Record(maker, (list(members),)) if maker in SETS:
            return members
        case Record(maker, ()) if maker in SETS:
            return []
        case list():
            return value
    raise ValueError("a module in it keeps its buffers in another way")


def rebuild(record: Record, described: Described) -> torch.Tensor:
    """The tensor or parameter that a record describes: a view of its storage."""
    while type(record) is Record and record.maker in PARAMETERS:
        record = record.arguments[0] if record.arguments else None
    match record:
        case Record(maker, (source, int(offset), tuple(size), tuple(stride), *rest)) if (
            maker in TENSORS
        ):
            # After requires_grad and hooks: bits that make a tensor the conjugate of its storage.
            if any(rest[2:]):
                raise ValueError("a tensor in it is a conjugate or negative view")
            return _view(_storage(source, described), offset, size, stride)
    raise ValueError("a tensor in it is described in another way")


def _storage(source: object, described: Described) -> torch.Tensor:
    match source:
        case StorageId():
            return described.storage(source)
        case Record(maker, (content,)) if maker == STORED:
            return read_bytes(_bytes(content))
    raise ValueError("a tensor in it has no storage")


def _bytes(content: object) -> bytes:
    match content:
        case bytes():
            return content
        case Record(maker, (str(characters), "latin1")) if maker == ENCODED:
            return characters.encode("latin1")
    raise ValueError("a storage in it is something else")


def _view(flat: torch.Tensor, offset: int, size: tuple, stride: tuple) -> torch.Tensor:
    possible = all(type(n) is int and 0 <= n < LARGEST for n in (offset, *size, *stride))
    if not possible or len(size) != len(stride) or len(size) > MOST_AXES:
        raise ValueError("a tensor in it has an impossible shape")
    numel = math.prod(size)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride)) if numel else offset - 1
    # The second: a stride of 0 makes much of little.
    if last >= len(flat) or numel > len(flat):
        raise ValueError(f"a tensor of shape {list(size)} in it is larger than its storage")
    return flat[offset:].as_strided(size, stride)
