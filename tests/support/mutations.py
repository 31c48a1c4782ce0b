"""Seeded damage to the bytes of a file, as disks, networks and strangers make it."""

import random
import re

NUMBERS = [
    b"\x00" * 8,
    b"\xff" * 8,
    b"\xff\xff\xff\x7f",
    b"\xff" * 7 + b"\x7f",
    b"\x00\x00\x00\x80",
    b"\x01\x00\x00\x00",
    b"\x00\x10\x00\x00",
]
DIGITS = [b"0", b"-1", b"1e999", b"99999999999999999999", b"null", b'"x"', b"[]", b"{}"]


def mutate(seed: bytes, other: bytes, number: int) -> bytes:
    """The ``number``-th damaged version of a file; ``other`` lends bytes to splice in."""
    chance = random.Random(number)
    damaged = bytearray(seed)
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        kind = chance.choice(
            [flip, overwrite, cut, repeat, drop, splice, change_number, blank]
        )
        damaged = bytearray(kind(damaged, other, chance))
    return bytes(damaged)


def _span(data: bytearray, chance: random.Random, longest: int = 64) -> tuple[int, int]:
    start = chance.randrange(len(data) + 1)
    return start, min(len(data), start + chance.randint(1, longest))


def flip(data, other, chance):
    for _ in range(chance.randint(1, 8)):
        if data:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return data


def overwrite(data, other, chance):
    number = chance.choice(NUMBERS)
    start = chance.randrange(len(data) + 1)
    data[start : start + len(number)] = number
    return data


def cut(data, other, chance):
    return data[: chance.randrange(len(data) + 1)]


def repeat(data, other, chance):
    start, stop = _span(data, chance, 4096)
    return data[:stop] + data[start:stop] * chance.randint(1, 20) + data[stop:]


def drop(data, other, chance):
    start, stop = _span(data, chance, 512)
    return data[:start] + data[stop:]


def splice(data, other, chance):
    start, stop = _span(bytearray(other), chance, 256)
    at = chance.randrange(len(data) + 1)
    return data[:at] + other[start:stop] + data[at:]


def change_number(data, other, chance):
    """Another value in a place where the file has digits, if it has any."""
    places = list(re.finditer(rb"\d+", bytes(data[:100_000])))
    if not places:
        return flip(data, other, chance)
    place = chance.choice(places)
    data[place.start() : place.end()] = chance.choice(DIGITS)
    return data


def blank(data, other, chance):
    start, stop = _span(data, chance, 512)
    data[start:stop] = bytes(stop - start)
    return data
