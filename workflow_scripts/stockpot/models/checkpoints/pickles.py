"""Pickles read as data: what a pickle would build is written down, never built.

The standard library's ``pickletools`` takes the file apart into opcodes. The few that PyTorch's
files consist of are followed here; no opcode leads to an import or a call.
"""

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field

from .known import check_called, check_named

MOST_OPCODES = 2_000_000  # a model has ten thousand; each may take a hundred bytes of memory
VALUES = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
LITERALS = {
    "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT",
    "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
}  # fmt: skip
SIZES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass(frozen=True)
class Global:
    """The name of a class or function."""

    path: str


@dataclass(eq=False)
class Record:
    """An object that a pickle describes: what would make it, from what, and its state."""

    maker: str
    arguments: tuple
    state: object = None
    entries: dict = field(default_factory=dict)


def refuse_persistent(identity: object) -> object:
    raise ValueError("its pickle refers to something outside of itself")


def read_pickle(stream, persistent: Callable[[object], object] = refuse_persistent) -> object:
    """The object of the pickle at the stream's position, which then is at the pickle's end.

    Objects become ``Record``, classes and functions ``Global``, sets lists; persistent: what a
    persistent id stands for. The stream's ``read`` must not allocate more than it has.
    Raises ValueError for anything broken or foreign.
    """
    try:
        return _follow(pickletools.genops(stream), persistent)
    except (LookupError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"a broken pickle: {error}") from error


def _follow(opcodes, persistent) -> object:
    stack, marks, memo = [], [], {}

    def above_mark() -> list:
        start = marks.pop()
        taken = stack[start:]
        del stack[start:]
        return taken

    for count, (opcode, argument, _) in enumerate(opcodes):
        if count > MOST_OPCODES:
            raise ValueError(f"its pickle has more than {MOST_OPCODES} steps")
        name = opcode.name
        if name in LITERALS:
            stack.append(argument)
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
                    _only(list, stack[-1]).append(item)
                case "APPENDS" | "ADDITEMS":
                    items = above_mark()
                    _only(list, stack[-1]).extend(items)
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
                    arguments, maker = _only(tuple, stack.pop()), _only(Global, stack.pop())
                    stack.append(Record(check_called(maker.path), arguments))
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
        raise ValueError(f"its pickle uses a {type(value).__name__} as a {kind.__name__}")
    return value


def _exactly(size: int, values: list) -> tuple:
    if len(values) != size:
        raise ValueError("a broken pickle: its stack is empty")
    return tuple(values)


def _set_items(target: object, items: list) -> None:
    entries = target.entries if type(target) is Record else _only(dict, target)
    for key, value in zip(items[::2], items[1::2], strict=True):
        # The hash of a tuple within a tuple within ... would run out of stack.
        if type(key) is tuple and any(type(part) is tuple for part in key):
            raise ValueError("its pickle has nested tuples as keys")
        entries[key] = value
