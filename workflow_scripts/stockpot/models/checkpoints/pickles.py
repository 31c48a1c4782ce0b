"""Pickles read as data: what a pickle would build is written down, never built.

A pickle is a program for a stack machine. The standard library's ``pickletools`` takes it apart
into opcodes; ``_StackMachine`` follows those that the protocols from 2 on consist of. No opcode
leads to an import or a call.
"""

import mmap
import pickletools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from .layout import Span
from .pickle_allowlist import check_named

# A model has ten thousand steps; each may take a hundred bytes of memory. Lists of a million paths
# beside the tensors of a large file are legitimate.
MOST_OPCODES = 2_000_000
BYTES_PER_OPCODE = 16

# Opcodes that push one constant.
CONSTANTS = {
    "NONE": None,
    "NEWTRUE": True,
    "NEWFALSE": False,
    "EMPTY_TUPLE": (),
}
# Opcodes that push their argument, a number or a text.
LITERALS = {
    "BININT",
    "BININT1",
    "BININT2",
    "LONG1",
    "LONG4",
    "BINFLOAT",
    "BINUNICODE",
    "SHORT_BINUNICODE",
    "BINUNICODE8",
    "BINSTRING",
    "SHORT_BINSTRING",
}
# Opcodes that push bytes: how many bytes opcode and length take before the bytes themselves.
BYTES_OFFSETS = {
    "SHORT_BINBYTES": 2,
    "BINBYTES": 5,
    "BINBYTES8": 9,
    "BYTEARRAY8": 9,
}
# Opcodes that make a tuple of this many values.
TUPLE_LENGTHS = {
    "TUPLE1": 1,
    "TUPLE2": 2,
    "TUPLE3": 3,
}

# What pickles are read from. Its ``read`` must not allocate more than there is.
Stream = BinaryIO | mmap.mmap

# Python hashes larger integers modulo a prime, so that any number of them can share one hash.
LARGEST_KEY = 1 << 60


@dataclass(frozen=True)
class Global:
    """The name of a class or function.

    Attributes:
        path: The dotted path, such as "collections.OrderedDict".
    """

    path: str


@dataclass(eq=False)
class Record:
    """An object that a pickle describes.

    Attributes:
        maker: The class or function that would make it; "" where that is a described object.
        arguments: The arguments of the maker.
        state: What would be set with ``__setstate__``.
        entries: What would be set by key.
        items: What would be appended.
    """

    maker: str
    arguments: tuple
    state: object = None
    entries: dict = field(default_factory=dict)
    items: list = field(default_factory=list)


class Key:
    """Stands for a key of a dict that could not be looked up, or not in time."""


def refuse_persistent(identity: object) -> object:
    """Refuse a persistent id, by which a pickle refers to something outside of itself.

    Args:
        identity: The id.

    Raises:
        ValueError: Always.
    """
    raise ValueError("its pickle refers to something outside of itself")


def read_pickle(
    stream: Stream,
    persistent: Callable[[object], object] = refuse_persistent,
    base: int = 0,
    file_size: int = 0,
) -> object:
    """Read the pickle at the stream's position, which then is at the pickle's end.

    Args:
        stream: The file, or bytes in memory.
        persistent: Gives what a persistent id stands for.
        base: Where in the file the stream begins.
        file_size: Bytes of the whole file; a larger one may have more steps.

    Returns:
        The described object. In it objects are ``Record``, classes and functions ``Global``, sets
        lists, and bytes ``Span``.

    Raises:
        ValueError: The pickle is broken, or names a way to run commands.
    """
    # Broken pickles take values from an empty stack or use them in ways that Python refuses.
    max_steps = max(MOST_OPCODES, file_size // BYTES_PER_OPCODE)
    machine = _StackMachine(persistent, base)
    try:
        return machine.run(pickletools.genops(stream), max_steps)
    except (LookupError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"a broken pickle: {error}") from error


class _StackMachine:
    """Follows the opcodes of one pickle.

    Attributes:
        stack: Values that are not yet part of another one.
        marks: Lengths of the stack at which an opcode has set a mark.
        memo: Values by the number under which later opcodes ask for them again.
    """

    def __init__(self, persistent: Callable[[object], object], base: int):
        self.persistent = persistent
        self.base = base
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def run(
        self,
        opcodes: Iterable[tuple[pickletools.OpcodeInfo, Any, int]],
        max_steps: int,
    ) -> object:
        """Follow all opcodes.

        Args:
            opcodes: Opcode, its argument, and its position in the stream.
            max_steps: The most opcodes that are followed.

        Returns:
            The described object.

        Raises:
            ValueError: An opcode does not fit, or there are too many.
        """
        # STOP ends a pickle; what follows it in the stream is not read.
        for step, (opcode, argument, position) in enumerate(opcodes):
            if step > max_steps:
                raise ValueError(f"its pickle has more than {max_steps} steps")
            name = opcode.name
            if name == "STOP":
                return self.stack.pop()
            if name in LITERALS:
                self.stack.append(argument)
            elif name in BYTES_OFFSETS:
                start = self.base + position + BYTES_OFFSETS[name]
                self.stack.append(Span(start, start + len(argument)))
            elif name in CONSTANTS:
                self.stack.append(CONSTANTS[name])
            elif name in TUPLE_LENGTHS:
                self._make_tuple(TUPLE_LENGTHS[name])
            elif name in _ACTIONS:  # below this class
                _ACTIONS[name](self, argument)
            else:
                raise ValueError(f"its pickle uses {name}, which no model needs")
        raise ValueError("its pickle has no end")

    def _pop_above_mark(self) -> list:
        """Take the values above the last mark from the stack."""
        mark = self.marks.pop()
        values = self.stack[mark:]
        del self.stack[mark:]
        return values

    def _make_tuple(self, length: int) -> None:
        values = self.stack[-length:]
        if len(values) != length:
            raise ValueError("a broken pickle: its stack is empty")
        self.stack[-length:] = [tuple(values)]

    # The actions of single opcodes follow. Each gets the argument of its opcode.

    def _ignore(self, _: None) -> None:
        """Opcodes that concern the file and not the object."""

    def _mark(self, _: None) -> None:
        self.marks.append(len(self.stack))

    def _drop(self, _: None) -> None:
        self.stack.pop()

    def _drop_above_mark(self, _: None) -> None:
        self._pop_above_mark()

    def _duplicate(self, _: None) -> None:
        self.stack.append(self.stack[-1])

    def _push_empty_list(self, _: None) -> None:
        self.stack.append([])

    def _push_empty_dict(self, _: None) -> None:
        self.stack.append({})

    def _make_list(self, _: None) -> None:
        self.stack.append(self._pop_above_mark())

    def _make_long_tuple(self, _: None) -> None:
        self.stack.append(tuple(self._pop_above_mark()))

    def _make_dict(self, _: None) -> None:
        keys_and_values = self._pop_above_mark()
        entries: dict = {}
        self.stack.append(entries)
        _set_entries(entries, keys_and_values)

    def _append_one(self, _: None) -> None:
        item = self.stack.pop()
        _list_of(self.stack[-1]).append(item)

    def _append_several(self, _: None) -> None:
        items = self._pop_above_mark()
        _list_of(self.stack[-1]).extend(items)

    def _set_one(self, _: None) -> None:
        value = self.stack.pop()
        key = self.stack.pop()
        _set_entries(self.stack[-1], [key, value])

    def _set_several(self, _: None) -> None:
        keys_and_values = self._pop_above_mark()
        _set_entries(self.stack[-1], keys_and_values)

    def _remember(self, number: int) -> None:
        self.memo[number] = self.stack[-1]

    def _remember_next(self, _: None) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def _recall(self, number: int) -> None:
        self.stack.append(self.memo[number])

    def _push_global(self, module_and_name: str) -> None:
        module, _, name = module_and_name.partition(" ")
        self.stack.append(Global(check_named(module, name)))

    def _push_global_from_stack(self, _: None) -> None:
        name = _only(str, self.stack.pop())
        module = _only(str, self.stack.pop())
        self.stack.append(Global(check_named(module, name)))

    def _make_object(self, _: None) -> None:
        arguments = _only(tuple, self.stack.pop())
        maker = _maker(self.stack.pop())
        self.stack.append(Record(maker, arguments))

    def _make_object_with_keywords(self, _: None) -> None:
        self.stack.pop()  # the keyword arguments
        # Nothing that is read as a tensor has any.
        self._make_object(None)

    def _set_state(self, _: None) -> None:
        state = self.stack.pop()
        _only(Record, self.stack[-1]).state = state

    def _push_persistent(self, _: None) -> None:
        self.stack.append(self.persistent(self.stack.pop()))


_ACTIONS: dict[str, Callable[[_StackMachine, Any], None]] = {
    "PROTO": _StackMachine._ignore,
    "FRAME": _StackMachine._ignore,
    "MARK": _StackMachine._mark,
    "POP": _StackMachine._drop,
    "POP_MARK": _StackMachine._drop_above_mark,
    "DUP": _StackMachine._duplicate,
    "EMPTY_LIST": _StackMachine._push_empty_list,
    "EMPTY_SET": _StackMachine._push_empty_list,
    "EMPTY_DICT": _StackMachine._push_empty_dict,
    "LIST": _StackMachine._make_list,
    "FROZENSET": _StackMachine._make_list,
    "TUPLE": _StackMachine._make_long_tuple,
    "DICT": _StackMachine._make_dict,
    "APPEND": _StackMachine._append_one,
    "APPENDS": _StackMachine._append_several,
    "ADDITEMS": _StackMachine._append_several,
    "SETITEM": _StackMachine._set_one,
    "SETITEMS": _StackMachine._set_several,
    "BINPUT": _StackMachine._remember,
    "LONG_BINPUT": _StackMachine._remember,
    "MEMOIZE": _StackMachine._remember_next,
    "BINGET": _StackMachine._recall,
    "LONG_BINGET": _StackMachine._recall,
    "GLOBAL": _StackMachine._push_global,
    "STACK_GLOBAL": _StackMachine._push_global_from_stack,
    "REDUCE": _StackMachine._make_object,
    "NEWOBJ": _StackMachine._make_object,
    "NEWOBJ_EX": _StackMachine._make_object_with_keywords,
    "BUILD": _StackMachine._set_state,
    "BINPERSID": _StackMachine._push_persistent,
}


def _only(kind: type, value: object) -> Any:
    """The value, if it is of this type and of no subclass."""
    if type(value) is not kind:
        raise ValueError(
            f"its pickle uses a {type(value).__name__} as a {kind.__name__}"
        )
    return value


def _maker(value: object) -> str:
    """The name of the class or function that makes an object."""
    if type(value) is Record:
        return ""
    return _only(Global, value).path


def _list_of(target: object) -> list:
    """The list that APPEND extends."""
    if type(target) is Record:
        return target.items
    return _only(list, target)


def _entries_of(target: object) -> dict:
    """The dict that SETITEM changes."""
    if type(target) is Record:
        return target.entries
    return _only(dict, target)


def _set_entries(target: object, keys_and_values: list) -> None:
    """Set entries of a dict or a described object; keys and values alternate."""
    entries = _entries_of(target)
    # An odd number of them raises ValueError below.
    keys = keys_and_values[::2]
    values = keys_and_values[1::2]
    for key, value in zip(keys, values, strict=True):
        entries[_key(key)] = value


def _key(key: object) -> object:
    """A text or a small number as it is; of other keys it matters only that they differ."""
    if type(key) is str:
        return key
    if type(key) is int and abs(key) < LARGEST_KEY:
        return key
    return Key()
