"""From what a pickle describes to tensors by flat name, as a module's ``state_dict`` has them."""

import math
from collections.abc import Iterator

from .containers import Described, StorageId, read_encoded, read_span
from .known import (
    ENCODED,
    ITEM_BYTES,
    ORDERED,
    OTHER_TENSORS,
    PARAMETERS,
    SCRIPTED,
    SETS,
    STORED,
    TENSORS,
)
from .layout import Span, Storage, Tensor
from .pickles import Global, Record

DEEPEST = 40
LEAST_ITEMS = 200_000  # that are looked at, however small the file is
LARGEST, MOST_AXES = 1 << 48, 16


class Tensors:
    """The tensors of a described object. Each storage is read once, whoever shares it."""

    def __init__(self, described: Described):
        self._described = described
        self._stored: dict[int, Storage] = {}

    def named(self) -> Iterator[tuple[str, Tensor]]:
        """(name, tensor) of dicts, modules and scripted modules within each other.

        Lists and the state of other objects (transforms, optimizers) hold no named tensors.
        Raises ValueError for a tensor that is not within its storage, for nesting without end.
        """
        # Every item takes a byte of the file, so more are looked at only if some are repeatedly.
        most = LEAST_ITEMS + len(self._described.mapped)
        items = 0

        def walk(value: object, path: tuple[str, ...]) -> Iterator[tuple[str, Tensor]]:
            nonlocal items
            if type(value) is Record and value.maker in TENSORS + PARAMETERS:
                yield ".".join(path), self.rebuild(value)
                return
            if type(value) is Record and value.maker.startswith(OTHER_TENSORS):
                raise ValueError(
                    f"{'.'.join(path)[:100]!a} is made by {value.maker[:60]}: quantised, sparse or "
                    "empty tensors are not read; save it as a plain tensor"
                )
            children = _children(value)
            items += 1 + len(children)
            if len(path) > DEEPEST or items > most:
                raise ValueError("it is nested without end")
            for key, child in children.items():
                if type(child) in (dict, Record) and type(key) in (str, int):
                    yield from walk(child, (*path, str(key)))

        return walk(self._described.content, ())

    def rebuild(self, record: Record) -> Tensor:
        """The tensor or parameter that a record describes: a view of its storage."""
        while type(record) is Record and record.maker in PARAMETERS:
            record = record.arguments[0] if record.arguments else None
        match record:
            case Record(
                maker, (source, int(offset), tuple(size), tuple(stride), *rest)
            ) if maker in TENSORS:
                dtype = ""
                if maker.endswith("_v3"):
                    dtype = _dtype(rest.pop(2) if len(rest) > 2 else None)
                # After requires_grad and hooks: bits that make a tensor the conjugate of its
                # storage.
                if any(rest[2:]):
                    raise ValueError("a tensor in it is a conjugate or negative view")
                return _view(self._storage(source), dtype, offset, size, stride)
        raise ValueError("a tensor in it is described in another way")

    def _storage(self, source: object) -> Storage:
        if id(source) not in self._stored:
            self._stored[id(source)] = self._read_storage(source)
        return self._stored[id(source)]

    def _read_storage(self, source: object) -> Storage:
        match source:
            case StorageId():
                return self._described.storage(source)
            case Record(maker, (Span() as content,)) if maker == STORED:
                return read_span(content, self._described.mapped)
            case Record(maker, (content,)) if maker == STORED:
                return read_encoded(_decoded(content))
        raise ValueError("a tensor in it has no storage")


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


def _decoded(content: object) -> bytes:
    match content:
        case Record(maker, (str(characters), "latin1")) if maker == ENCODED:
            return characters.encode("latin1")
    raise ValueError("a storage in it is something else")


def _dtype(value: object) -> str:
    name = value.path.removeprefix("torch.") if type(value) is Global else ""
    if name not in ITEM_BYTES:
        raise ValueError(f"a tensor in it is of an unknown type, {name[:60]!a}")
    return name


def _view(
    storage: Storage, dtype: str, offset: int, size: tuple, stride: tuple
) -> Tensor:
    """dtype: of the tensor, where it is not that of its storage."""
    possible = all(
        type(n) is int and 0 <= n < LARGEST for n in (offset, *size, *stride)
    )
    if not possible or len(size) != len(stride) or len(size) > MOST_AXES:
        raise ValueError("a tensor in it has an impossible shape")
    dtype = dtype or storage.dtype
    available = len(storage) // ITEM_BYTES[dtype]
    numel = math.prod(size)
    last = (
        offset + sum((n - 1) * step for n, step in zip(size, stride))
        if numel
        else offset - 1
    )
    # The second: a stride of 0 makes much of little.
    if last >= available or numel > available:
        raise ValueError(
            f"a tensor of shape {list(size)} in it is larger than its storage"
        )
    return Tensor(storage, dtype, offset, size, stride)
