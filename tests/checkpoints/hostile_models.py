"""Model files that someone has tampered with: damaged, spliced, forged, swollen."""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

from tests import damage
from tests.checkpoints import hostile_pickles as pickles
from tests.damage import Damage

PICKLE, METADATA = "archive/data.pkl", "archive/metadata.json"


@dataclass(frozen=True)
class Model:
    """A sound file to tamper with."""

    content: bytes
    other: bytes
    """A sound file of another network."""
    shapes: dict[str, tuple[int, ...]] = field(repr=False)
    """Of the weights in `content`, by their names."""
    canary: Path
    """Stands where code has run."""

    @cached_property
    def members(self) -> dict[str, bytes]:
        """What is in its zip, by name; empty where it is none."""
        return unzipped(self.content)


Mutation = Callable[[Random, Model], bytes]


def unzipped(content: bytes) -> dict[str, bytes]:
    """Members of a zip by their names; none of what is no zip."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(members: dict[str, bytes], packed: tuple[str, ...] = ()) -> bytes:
    """A zip of stored members, those in `packed` compressed; every sum is right."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            way = zipfile.ZIP_DEFLATED if name in packed else zipfile.ZIP_STORED
            archive.writestr(zipfile.ZipInfo(name), content, way)
    return stream.getvalue()


# Damage: bytes that changed, and no sum was put right


def _of_model(kind: Damage) -> Mutation:
    def mutate(random: Random, model: Model) -> bytes:
        return kind(random, model.content, model.other)

    mutate.__name__ = kind.__name__
    return mutate


def append_a_zip(random: Random, model: Model) -> bytes:
    return random.choice([model.other + model.content, model.content + model.other])


def comment_with_a_directory(random: Random, model: Model) -> bytes:
    """Two ends, of which readers may take either."""
    end = model.other[-22 - random.choice([0, 46, 500]) :]
    return model.content[:-2] + struct.pack("<H", len(end)) + end


def edit_directory(random: Random, model: Model) -> bytes:
    """Change what the directory says of a member: place, sizes, way of packing, flags, sum."""
    content = bytearray(model.content)
    entries = [i for i in range(len(content)) if content[i : i + 4] == b"PK\x01\x02"]
    if not entries:
        return damage.flip_bits(random, model.content, model.other)
    one, two = random.choice(entries), random.choice(entries)
    start, size = random.choice([(8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (42, 4)])
    if random.random() < 0.5:  # as another member's: they overlap
        content[one + start : one + start + size] = content[two + start : two + start + size]
    else:
        content[one + start : one + start + size] = random.randbytes(size)
    return bytes(content)


# Forgery: the zip is sound and every sum is right


def _changed(model: Model, name: str, content: bytes) -> bytes:
    return zipped({**model.members, name: content})


def _any_member(random: Random, model: Model) -> str:
    return random.choice(sorted(model.members))


def drop_member(random: Random, model: Model) -> bytes:
    victim = _any_member(random, model)
    return zipped({name: c for name, c in model.members.items() if name != victim})


def rename_member(random: Random, model: Model) -> bytes:
    victim = _any_member(random, model)
    name = random.choice(
        ["", "/", "archive", "../data.pkl", "other/data.pkl", "archive/data.pkl.", victim + "\0"]
    )
    return zipped({name if n == victim else n: c for n, c in model.members.items()})


def swap_members(random: Random, model: Model) -> bytes:
    one, two = _any_member(random, model), _any_member(random, model)
    return zipped({**model.members, one: model.members[two], two: model.members[one]})


def member_of_another(random: Random, model: Model) -> bytes:
    name, content = random.choice(sorted(unzipped(model.other).items()))
    return _changed(model, name, content)


def member_twice(random: Random, model: Model) -> bytes:
    """Two members of one name, the second of which differs: readers take either."""
    victim = _any_member(random, model)
    double = f"{victim[:-1]}\x01"  # renamed once both are written, for zipfile warns of doubles
    content = random.choice([model.members[victim], b"", b"other", pickles.dumps(1)])
    return zipped({**model.members, double: content}).replace(double.encode(), victim.encode())


def edit_member(random: Random, model: Model) -> bytes:
    victim = random.choice([PICKLE, PICKLE, METADATA, _any_member(random, model)])
    content = bytearray(model.members.get(victim) or b"x")
    for _ in range(random.choice([1, 1, 2, 8])):
        content[random.randrange(len(content))] = random.randrange(256)
    return _changed(model, victim, bytes(content))


def resize_member(random: Random, model: Model) -> bytes:
    victim = _any_member(random, model)
    content = model.members[victim]
    longer = content + bytes(random.choice([1, 4, 4096]))
    return _changed(model, victim, random.choice([longer, content[:-1], content[:-4], b""]))


def pack_member(random: Random, model: Model) -> bytes:
    return zipped(model.members, (_any_member(random, model),))


def packed_bomb(random: Random, model: Model) -> bytes:
    victim = _any_member(random, model)
    return zipped({**model.members, victim: bytes(random.choice([10**6, 2 * 10**7]))}, (victim,))


def large_member(random: Random, model: Model) -> bytes:
    """A member that is really there, and far larger than any network has use for."""
    victim = random.choice([*sorted(model.members), "archive/more"])
    return _changed(model, victim, bytes(random.choice([2 * 10**6, 3 * 10**7])))


def many_members(random: Random, model: Model) -> bytes:
    more = {f"archive/more/{n}": b"" for n in range(random.choice([100, 12_000]))}
    return zipped({**model.members, **more})


def code(random: Random, model: Model) -> bytes:
    forged = pickles.code(random, model.members[PICKLE], model.canary)
    return _changed(model, PICKLE, forged)


def bomb(random: Random, model: Model) -> bytes:
    return _changed(model, PICKLE, pickles.bomb(random))


def claim(random: Random, model: Model) -> bytes:
    """One tensor of the state dict is none of the file's."""
    state: dict[Any, Any] = {}
    for number, (name, shape) in enumerate(model.shapes.items()):
        length = len(model.members[f"archive/data/{number}"]) // 4
        state[name] = pickles.tensor(str(number), length, shape)
    name, shape = next(iter(model.shapes.items()))
    state[name] = pickles.claim(random, len(model.members["archive/data/0"]) // 4, shape)
    whole = {"state_dict": state} if METADATA in model.members else state
    return _changed(model, PICKLE, pickles.dumps(whole))


def values_not_finite(random: Random, model: Model) -> bytes:
    victim = random.choice([name for name in model.members if name.startswith("archive/data/")])
    content = bytearray(model.members[victim])
    at = random.randrange(len(content) // 4) * 4
    content[at : at + 4] = struct.pack("<f", random.choice([float("nan"), float("inf")]))
    return _changed(model, victim, bytes(content))


HOSTILE_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1e400, float("nan"), 2**70, 10**4000, 1e-300, "", "x" * 10_000, [], {}),
    *("\x1b[31m[bold]\n\r\0", "../../etc/passwd", "\ud800", [[[[]]]], {"a": {"b": {}}}),
    *("resnet18", "convnext_large", "tutorial", "nowhere", {"pretrained": True}, {"dropout": 2}),
    *({"weights": "DEFAULT"}, {"stages": [1] * 1000}, {"dropout": float("nan")}, {"mean": 0}),
)


def edit_metadata(random: Random, model: Model) -> bytes:
    """Another value in a random place of the document."""
    document = json.loads(model.members.get(METADATA, b'{"format_version": 1}'))
    where, keys = document, list(document)
    key = random.choice(keys)
    while isinstance(where[key], dict) and where[key] and random.random() < 0.7:
        where = where[key]
        key = random.choice(list(where))
    if random.random() < 0.2:
        del where[key]
    else:
        where[key] = random.choice(HOSTILE_VALUES)
    return _changed(model, METADATA, json.dumps(document).encode())


def odd_metadata(random: Random, model: Model) -> bytes:
    whole = model.members.get(METADATA, b"{}")
    texts = [
        *(b"", b"null", b"[]", b"[" * 100_000, b'{"a":' * 900 + b"1" + b"}" * 900),
        *(b'{"format_version": ' + number + b"}" for number in (b"2", b"1e9", b"9" * 5000, b'"1"')),
        *(whole[:-1], whole * 2, whole.decode().encode("utf-16"), b"\xef\xbb\xbf" + whole),
        *(whole.replace(b'_version": 1', b'_version": %d' % n) for n in (-1, 0, 2, 10**9)),
        whole + b" " * 2_000_000,
    ]
    return _changed(model, METADATA, random.choice(texts))


DAMAGE: tuple[Mutation, ...] = tuple(map(_of_model, damage.DAMAGE))
"""For any file. What still loads is what it was, where the file has sums."""
ZIP_DAMAGE: tuple[Mutation, ...] = (append_a_zip, comment_with_a_directory, edit_directory)
FORGERY: tuple[Mutation, ...] = (
    *(drop_member, rename_member, swap_members, member_of_another, member_twice, edit_member),
    *(edit_member, resize_member, pack_member, packed_bomb, large_member, many_members),
    *(code, code, code, bomb, claim, values_not_finite, edit_metadata, edit_metadata),
    odd_metadata,
)
"""For zips alone. What still loads is what torch reads in the same file."""
