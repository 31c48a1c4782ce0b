"""Pickles read as data: what a pickle would build is written down, never built.

The standard library's ``pickletools`` takes the file apart into opcodes. Those that the protocols
from 2 on consist of are followed here; no opcode leads to an import or a call.
"""

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field

from .known import check_named
from .layout import Span

# A model has ten thousand steps; each may take a hundred bytes of memory. Lists of a million paths
# beside the tensors of a large file are legitimate.
MOST_OPCODES = 2_000_000
BYTES_PER_OPCODE = 16
VALUES = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
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
# How many bytes the opcode and the length take that stand before the bytes themselves.
BYTES = {"SHORT_BINBYTES": 2, "BINBYTES": 5, "BINBYTES8": 9, "BYTEARRAY8": 9}
# Python hashes larger integers modulo a prime, so that any number of them can share one hash.
LARGEST_KEY = 1 << 60
SIZES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass(frozen=True)
class Global:
    """The name of a class or function."""

    path: str


@dataclass(eq=False)
class Record:
    """An object that a pickle describes: what would make it, from what, and its state.

    entries: what is set by key; items: what is appended. maker: "" where a described object makes
    it and not a named one.
    """

    maker: str
    arguments: tuple
    state: object = None
    entries: dict = field(default_factory=dict)
    items: list = field(default_factory=list)


class Key:
    """Stands for a key of a dict that could not be looked up, or not in time."""


def refuse_persistent(identity: object) -> object:
    raise ValueError("its pickle refers to something outside of itself")


def read_pickle(
    stream,
    persistent: Callable[[object], object] = refuse_persistent,
    base: int = 0,
    file_size: int = 0,
) -> object:
    """The object of the pickle at the stream's position, which then is at the pickle's end.

    Objects become ``Record``, classes and functions ``Global``, sets lists, bytes ``Span``.

    Args:
        stream: Has ``read``, which must not allocate more than it has, and ``tell``.
        persistent: What a persistent id stands for.
        base: Where in the file the stream begins.
        file_size: Bytes of the whole file; a larger one may have more steps.

    Raises:
        ValueError: The pickle is broken, or names a way to run commands.
    """
    try:
        most = max(MOST_OPCODES, file_size // BYTES_PER_OPCODE)
        return _follow(pickletools.genops(stream), persistent, base, most)
    except (LookupError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"a broken pickle: {error}") from error


def _follow(opcodes, persistent, base: int, most: int) -> object:
    stack, marks, memo = [], [], {}

    def above_mark() -> list:
        start = marks.pop()
        taken = stack[start:]
        del stack[start:]
        return taken

    for count, (opcode, argument, at) in enumerate(opcodes):
        if count > most:
            raise ValueError(f"its pickle has more than {most} steps")
        name = opcode.name
        if name in LITERALS:
            stack.append(argument)
        elif name in BYTES:
            start = base + at + BYTES[name]
            stack.append(Span(start, start + len(argument)))
        elif name in VALUES:
            stack.append(VALUES[name])
        elif name in SIZES:
            stack[-SIZES[name] :] = [_exactly(SIZES[name], stack[-SIZES[name] :])]
        else:
            match name:
                case "PROTO" | "FRAME":
                    pass
                case "STOP":
                    return stack.pop()
                case "MARK":
                    marks.append(len(stack))
                case "POP":
                    stack.pop()
                case "POP_MARK":
                    above_mark()
                case "DUP":
                    stack.append(stack[-1])
                case "LIST":
                    stack.append(above_mark())
                case "DICT":
                    items = above_mark()
                    stack.append({})
                    _set_items(stack[-1], items)
                case "TUPLE":
                    stack.append(tuple(above_mark()))
                case "EMPTY_LIST" | "EMPTY_SET":
                    stack.append([])
                case "EMPTY_DICT":
                    stack.append({})
                case "FROZENSET":
                    stack.append(above_mark())
                case "APPEND":
                    item = stack.pop()
                    _list_of(stack[-1]).append(item)
                case "APPENDS" | "ADDITEMS":
                    items = above_mark()
                    _list_of(stack[-1]).extend(items)
                case "SETITEM":
                    value, key = stack.pop(), stack.pop()
                    _set_items(stack[-1], [key, value])
                case "SETITEMS":
                    items = above_mark()
                    _set_items(stack[-1], items)
                case "BINPUT" | "LONG_BINPUT":
                    memo[argument] = stack[-1]
                case "MEMOIZE":
                    memo[len(memo)] = stack[-1]
                case "BINGET" | "LONG_BINGET":
                    stack.append(memo[argument])
                case "GLOBAL":
                    module, _, attribute = argument.partition(" ")
                    stack.append(Global(check_named(module, attribute)))
                case "STACK_GLOBAL":
                    attribute, module = _only(str, stack.pop()), _only(str, stack.pop())
                    stack.append(Global(check_named(module, attribute)))
                case "REDUCE" | "NEWOBJ":
                    arguments = _only(tuple, stack.pop())
                    stack.append(Record(_maker(stack.pop()), arguments))
                case "NEWOBJ_EX":
                    stack.pop()  # arguments by name
                    arguments = _only(tuple, stack.pop())
                    stack.append(Record(_maker(stack.pop()), arguments))
                case "BUILD":
                    state = stack.pop()
                    _only(Record, stack[-1]).state = state
                case "BINPERSID":
                    stack.append(persistent(stack.pop()))
                case _:
                    raise ValueError(f"its pickle uses {name}, which no model needs")
    raise ValueError("its pickle has no end")


def _only(kind: type, value: object):
    if type(value) is not kind:
        raise ValueError(
            f"its pickle uses a {type(value).__name__} as a {kind.__name__}"
        )
    return value


def _exactly(size: int, values: list) -> tuple:
    if len(values) != size:
        raise ValueError("a broken pickle: its stack is empty")
    return tuple(values)


def _maker(value: object) -> str:
    """Of an object: the name of its class or function."""
    return "" if type(value) is Record else _only(Global, value).path


def _list_of(target: object) -> list:
    return target.items if type(target) is Record else _only(list, target)


def _set_items(target: object, items: list) -> None:
    entries = target.entries if type(target) is Record else _only(dict, target)
    for key, value in zip(items[::2], items[1::2], strict=True):
        entries[_key(key)] = value


def _key(key: object) -> object:
    """A name or a number as it is; of other keys nothing is asked but that they differ."""
    is_small = type(key) is int and abs(key) < LARGEST_KEY
    return key if type(key) is str or is_small else Key()
