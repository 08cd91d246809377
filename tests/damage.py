"""What can happen to any file in transit: the same kinds of damage for every parser's tests."""

import struct
from collections.abc import Callable
from random import Random
from typing import TypeAlias

Damage: TypeAlias = Callable[[Random, bytes, bytes], bytes]
"""Damages a file, given another sound one of its kind."""


def place(random: Random, content: bytes | bytearray) -> int:
    """A position in a file: half of the time near its ends, where headers are."""
    if random.random() < 0.5:
        return random.randrange(len(content))
    return random.choice([1, -1]) * random.randrange(min(2_000, len(content))) % len(content)


def flip_bits(random: Random, content: bytes, _other: bytes) -> bytes:
    flipped = bytearray(content)
    for _ in range(random.choice([1, 1, 1, 2, 8])):
        flipped[place(random, flipped)] ^= 1 << random.randrange(8)
    return bytes(flipped)


def cut(random: Random, content: bytes, _other: bytes) -> bytes:
    return content[: place(random, content)]


def insert(random: Random, content: bytes, _other: bytes) -> bytes:
    at = random.choice([0, len(content), place(random, content)])
    return content[:at] + random.randbytes(random.choice([1, 4, 64])) + content[at:]


def remove(random: Random, content: bytes, _other: bytes) -> bytes:
    at = random.choice([0, place(random, content)])
    return content[:at] + content[at + random.choice([1, 4, 64, 4096]) :]


def repeat(random: Random, content: bytes, _other: bytes) -> bytes:
    at, end = sorted(place(random, content) for _ in range(2))
    return content[:end] + content[at:]


def blank(random: Random, content: bytes, _other: bytes) -> bytes:
    at, size = place(random, content), random.choice([1, 4, 64, 4096])
    return (content[:at] + bytes(size) + content[at + size :])[: len(content)]


def overwrite_number(random: Random, content: bytes, _other: bytes) -> bytes:
    """Write a number that readers of sizes stumble over somewhere, in either byte order."""
    number = random.choice([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, len(content)])
    at = place(random, content)
    packed = struct.pack(random.choice("<>") + "I", number)
    return (content[:at] + packed + content[at + 4 :])[: len(content)]


def splice(random: Random, content: bytes, other: bytes) -> bytes:
    """The beginning of one file and the end of another."""
    first, second = random.choice([(content, other), (other, content)])
    return first[: place(random, first)] + second[place(random, second) :]


DAMAGE: tuple[Damage, ...] = (
    *(flip_bits, flip_bits, cut, insert, remove, repeat, blank, overwrite_number, splice),
)
