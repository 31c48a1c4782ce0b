"""A small package whose code digests are taken: its files, and what they hold."""

FILES = (
    "__init__.py",
    "here/__init__.py",
    "here/near.py",
    "here/far.py",
    "other/__init__.py",
    "other/thing.py",
    "here/deep/__init__.py",
    "here/deep/below.py",
    "runtime/__init__.py",
    "runtime/registry.py",
)
ENTRY_OF_COPY = "here/entry.py"
# What the modules begin as: code of one text that does two things, by what it uses.
NEAR = """
from ..other.thing import one, two

LIST = []
SCALE = 1


def f():
    return inner()


def g():
    return other_inner()


def inner():
    return one()


def other_inner():
    return two()


def even(n):
    return n == 0 or odd(n - 1)


def odd(n):
    return n != 0 and even(n - 1)


class Base:
    rate = 1

    def act(self):
        return self.rate
"""
THING = """
X = 0


def one():
    return 1


def two():
    return 2
"""
