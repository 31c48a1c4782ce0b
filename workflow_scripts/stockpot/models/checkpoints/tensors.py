"""From what a pickle describes to tensors by flat name, as a module's ``state_dict`` has them."""

import math
from collections.abc import Iterator

from .containers import DescribedFile, StorageId, read_encoded, read_span
from .layout import Span, Storage, Tensor
from .pickle_allowlist import (
    BYTES_FROM_TEXT,
    ITEM_BYTES,
    ORDERED_DICT,
    OTHER_TENSOR_MAKERS,
    PARAMETER_MAKERS,
    SET_MAKERS,
    STORAGE_FROM_BYTES,
    TENSOR_MAKERS,
    TORCHSCRIPT_PREFIX,
)
from .pickles import Global, Record

MAX_DEPTH = 40
MIN_ITEM_LIMIT = 200_000  # items that are looked at, however small the file is

# Sizes, strides and offsets are below this, so that no product of two overflows anything.
SIZE_LIMIT = 1 << 48
MAX_AXES = 16


class Tensors:
    """The tensors of a described object. Each storage is read once, whoever shares it."""

    def __init__(self, described: DescribedFile):
        """Take the described object.

        Args:
            described: The object, and where its storages are.
        """
        self._described = described
        self._storages: dict[int, Storage] = {}
        # Every item takes a byte of the file, so more are looked at only if some are repeatedly.
        self._item_limit = MIN_ITEM_LIMIT + len(described.mapped)
        self._item_count = 0

    def named(self) -> Iterator[tuple[str, Tensor]]:
        """Walk through dicts, modules and scripted modules within each other.

        Lists and the state of other objects (transforms, optimizers) hold no named tensors.

        Returns:
            Name and tensor of each; keys of the levels are joined by dots.

        Raises:
            ValueError: A tensor is not within its storage, or the nesting has no end.
        """
        self._item_count = 0
        return self._walk(self._described.content, ())

    def _walk(
        self,
        value: object,
        path: tuple[str, ...],
    ) -> Iterator[tuple[str, Tensor]]:
        maker = value.maker if type(value) is Record else ""
        if maker in TENSOR_MAKERS + PARAMETER_MAKERS:
            yield ".".join(path), self.rebuild(value)
            return
        if maker.startswith(OTHER_TENSOR_MAKERS):
            raise ValueError(
                f"{'.'.join(path)[:100]!a} is made by {maker[:60]}: quantised, sparse or "
                "empty tensors are not read; save it as a plain tensor"
            )
        children = _children(value)
        self._item_count += 1 + len(children)
        if len(path) > MAX_DEPTH or self._item_count > self._item_limit:
            raise ValueError("it is nested without end")
        for key, child in children.items():
            can_hold_tensors = type(child) in (dict, Record)
            if can_hold_tensors and type(key) in (str, int):
                yield from self._walk(child, (*path, str(key)))

    def rebuild(self, record: Record) -> Tensor:
        """Find the tensor or parameter that a record describes.

        Args:
            record: What one of ``TENSOR_MAKERS`` or ``PARAMETER_MAKERS`` would make.

        Returns:
            The tensor: a view of its storage.

        Raises:
            ValueError: It is described in another way, or not within its storage.
        """
        # A parameter's first argument is its tensor.
        while type(record) is Record and record.maker in PARAMETER_MAKERS:
            record = record.arguments[0] if record.arguments else None
        match record:
            case Record(
                maker, (source, int(offset), tuple(size), tuple(stride), *rest)
            ):
                if maker in TENSOR_MAKERS:
                    dtype = _own_dtype(maker, rest)
                    storage = self._storage(source)
                    return _view(storage, dtype or storage.dtype, offset, size, stride)
        raise ValueError("a tensor in it is described in another way")

    def _storage(self, source: object) -> Storage:
        """The storage of a tensor, read once; ``source`` stays alive as part of the content."""
        if id(source) not in self._storages:
            self._storages[id(source)] = self._read_storage(source)
        return self._storages[id(source)]

    def _read_storage(self, source: object) -> Storage:
        match source:
            case StorageId():
                return self._described.storage(source)
            case Record(maker, (Span() as content,)) if maker == STORAGE_FROM_BYTES:
                return read_span(content, self._described.mapped)
            case Record(maker, (content,)) if maker == STORAGE_FROM_BYTES:
                return read_encoded(_decoded(content))
        raise ValueError("a tensor in it has no storage")


def _own_dtype(maker: str, rest: list) -> str:
    """The type of a tensor that is not that of its storage, else "".

    ``rest`` is what follows offset, size and stride in the arguments: requires_grad, hooks, the
    type if the maker has one, and bits that make a tensor the conjugate of its storage.
    """
    dtype = ""
    if maker.endswith("_v3"):
        dtype_argument = rest.pop(2) if len(rest) > 2 else None
        dtype = _dtype_name(dtype_argument)
    bits = rest[2:]
    if any(bits):
        raise ValueError("a tensor in it is a conjugate or negative view")
    return dtype


def _children(value: object) -> dict:
    """What may hold tensors in a dict or a module, by the key under which a state dict has it."""
    if type(value) is dict:
        return value
    if type(value) is not Record:
        return {}
    if value.maker == ORDERED_DICT and value.arguments:
        raise ValueError("an OrderedDict in it is of Python 2")
    state = value.state if type(value.state) is dict else {}
    # A scripted module has parameters and modules side by side in its state.
    if value.maker.startswith(TORCHSCRIPT_PREFIX):
        return state
    # What is neither a dict nor a module may still have entries: an AttributeDict.
    if value.maker == ORDERED_DICT or "_parameters" not in state:
        return value.entries
    return _module_children(state)


def _module_children(state: dict) -> dict:
    """Parameters, saved buffers and modules within a module."""
    parameters = _plain_dict(state.get("_parameters", {}))
    buffers = _plain_dict(state.get("_buffers", {}))
    modules = _plain_dict(state.get("_modules", {}))
    # As ``state_dict`` does, which leaves out buffers that can be computed again.
    unsaved = _set_members(state.get("_non_persistent_buffers_set", []))
    saved_buffers = {
        name: buffer for name, buffer in buffers.items() if name not in unsaved
    }
    return parameters | saved_buffers | modules


def _plain_dict(value: object) -> dict:
    """The entries of a dict or of an OrderedDict."""
    if type(value) is Record and value.maker == ORDERED_DICT:
        return value.entries
    if type(value) is dict:
        return value
    raise ValueError("a module in it keeps its tensors in another way")


def _set_members(value: object) -> list:
    """The members of a set, which protocol 2 makes from a list."""
    match value:
        case Record(maker, (list(members),)) if maker in SET_MAKERS:
            return members
        case Record(maker, ()) if maker in SET_MAKERS:
            return []
        case list():
            return value
    raise ValueError("a module in it keeps its buffers in another way")


def _decoded(content: object) -> bytes:
    """Bytes that protocol 2 has as text."""
    match content:
        case Record(maker, (str(characters), "latin1")) if maker == BYTES_FROM_TEXT:
            return characters.encode("latin1")
    raise ValueError("a storage in it is something else")


def _dtype_name(value: object) -> str:
    name = ""
    if type(value) is Global:
        name = value.path.removeprefix("torch.")
    if name not in ITEM_BYTES:
        raise ValueError(f"a tensor in it is of an unknown type, {name[:60]!a}")
    return name


def _view(
    storage: Storage,
    dtype: str,
    offset: int,
    size: tuple,
    stride: tuple,
) -> Tensor:
    """The tensor, if all its numbers lie within the storage."""
    are_sizes = all(_is_size(number) for number in (offset, *size, *stride))
    if not are_sizes or len(size) != len(stride) or len(size) > MAX_AXES:
        raise ValueError("a tensor in it has an impossible shape")
    available = len(storage) // ITEM_BYTES[dtype]
    numel = math.prod(size)
    # The place of the last number in the storage: offset + sum_i (n_i - 1) stride_i.
    last_number = offset - 1
    if numel:
        last_number = offset
        for length, step in zip(size, stride):
            last_number += (length - 1) * step
    # The second condition: with a stride of 0, many numbers share one place.
    if last_number >= available or numel > available:
        raise ValueError(
            f"a tensor of shape {list(size)} in it is larger than its storage"
        )
    return Tensor(
        storage,
        dtype,
        offset,
        size,
        stride,
    )


def _is_size(number: object) -> bool:
    return type(number) is int and 0 <= number < SIZE_LIMIT
