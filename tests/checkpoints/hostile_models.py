"""Model files that someone has tampered with: damaged, forged, swollen; and what comes of them."""

import io
import json
import os
import pickle
import struct
import subprocess
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
import torch
from torch._utils import _rebuild_tensor_v2

from fmnist_cli import models
from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.checkpoints.weights import open_model
from fmnist_cli.errors import CheckFailed, DataError
from fmnist_cli.evaluation.description import as_text, describe_model
from fmnist_cli.inference.torch_backend import TorchClassifier
from tests.damage import DAMAGE, Damage
from tests.memory import measured
from tests.training.small import trainer
from tests.written_models import metadata, network

NETWORK, OTHER = "convnet-small", "tutorial"
REFUSED, UNCHANGED, AS_WRITTEN = "refused", "unchanged", "as torch reads it"
PICKLE, METADATA = "archive/data.pkl", "archive/metadata.json"


# What pickles can be made to say


@dataclass(frozen=True)
class Storage:
    """A description of stored values, true or not."""

    key: Any
    length: Any
    kind: Any = torch.FloatStorage


@dataclass(frozen=True)
class Claim:
    """A tensor as torch pickles it, whatever it claims."""

    storage: Any
    shape: Any
    stride: Any = (1,)
    offset: Any = 0

    def __reduce__(self) -> Any:
        arguments: Any = (self.storage, self.offset, self.shape, self.stride, False, OrderedDict())
        return _rebuild_tensor_v2, arguments


@dataclass(frozen=True)
class Call:
    """Code that runs when it is unpickled without care."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]

    def __reduce__(self) -> Any:
        return self.function, self.arguments


class _Pickler(pickle.Pickler):
    def persistent_id(self, value: Any) -> Any:
        if not isinstance(value, Storage):
            return None
        return "storage", value.kind, value.key, "cpu", value.length


def dumps(value: object, protocol: int = 2) -> bytes:
    stream = io.BytesIO()
    _Pickler(stream, protocol).dump(value)
    return stream.getvalue()


def calls(canary: Path) -> list[Call]:
    """Each leaves a file or a directory at `canary`."""
    path = str(canary)
    return [
        Call(os.system, (f"touch '{path}'",)),
        Call(subprocess.call, (["touch", path],)),
        Call(eval, (f"open({path!r}, 'w').close()",)),
        Call(exec, (f"open({path!r}, 'w').close()",)),
        Call(open, (path, "w")),
        Call(os.mkdir, (path,)),
        Call(pickle.loads, (pickle.dumps(Call(os.mkdir, (path,)), 2),)),
        Call(torch.save, (1, path)),
        Call(np.memmap, (path, "uint8", "w+", 0, (1,))),
    ]


def claimed_state() -> dict[str, Any]:
    """The sound file's weights as descriptions, which are true."""
    state: dict[str, Any] = {}
    for number, (name, value) in enumerate(network(NETWORK).state_dict().items()):
        kind = torch.FloatStorage if value.is_floating_point() else torch.LongStorage
        storage = Storage(str(number), value.numel(), kind)
        state[name] = Claim(storage, tuple(value.shape), tuple(value.stride()))
    return state


def claims(true: Claim) -> list[Claim]:
    """Tensors that are not what the file holds: mostly sizes without measure."""
    huge = [2**31, 2**48, 2**62, 2**64, 2**200]
    whole, shape = true.storage, true.shape
    length = whole.length
    storages = [
        *(replace(whole, length=size) for size in (*huge, -length, length + 1, length - 1)),
        *(replace(whole, key=key) for key in ("none", "../metadata.json", 0, None)),
        Storage("0", 2 * length, torch.HalfStorage),
        Storage("0", length, torch.UntypedStorage),
        Storage("0", float(length)),
    ]
    return [
        *(replace(true, storage=storage) for storage in storages),
        *(Claim(whole, (size, *shape[1:]), (0,) * len(shape)) for size in (*huge, -1)),
        *(Claim(whole, (size, size), (0, 0)) for size in huge),
        *(replace(true, offset=size) for size in (*huge, 1, -1)),
        *(replace(true, stride=(size,) * len(shape)) for size in (*huge, -1)),
        replace(true, stride=(1,)),
        Claim(whole, (1,) * 200, (1,) * 200),
        Claim("shape", "strides"),
    ]


def bombs() -> list[bytes]:
    """Pickles that are small and would take much memory or time."""
    proto, count = b"\x80\x02", 4_000_000
    laughs = b"](K\x01e" + b"q\x00" + b"](h\x00h\x00h\x00h\x00eq\x00" * 40
    return [
        *(proto + op * count + b"." for op in (b"}", b"(", b"]", b"\x85", b"2", b"\x8f")),
        proto + b"](" + b"}" * 400_000 + b"e.",
        proto + b"".join(b"Nr" + struct.pack("<I", n) for n in range(count // 8)) + b".",
        proto + b"Nr" + struct.pack("<I", 2**32 - 1) + b".",
        *(proto + op + b"\xff" * 8 + b"x." for op in (b"X", b"\x8e", b"\x8b", b"\x95")),
        proto + b"I" + b"9" * count + b"\n.",
        dumps("x" * count),
        dumps({"state_dict": "x" * count}),
        proto + laughs + b".",
    ]


HOSTILE_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, -1, 0, 1e400, float("nan"), 2**70, 10**4000, 1e-300, "", "x" * 10_000, [], {}),
    *("\x1b[31m[bold]\n\r\0", "../../etc/passwd", "\ud800", [[[[]]]], {"a": {"b": {}}}),
    *("resnet18", "convnext_large", "tutorial", "nowhere", {"pretrained": True}, {"dropout": 2}),
    *({"weights": "DEFAULT"}, {"stages": [1] * 1000}, {"dropout": float("nan")}, {"mean": 0}),
)


# Mutations


def zipped(members: dict[str, bytes], packed: str = "") -> bytes:
    """A zip of stored members, except for a compressed one; every checksum is right."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            way = zipfile.ZIP_DEFLATED if name == packed else zipfile.ZIP_STORED
            archive.writestr(zipfile.ZipInfo(name), content, way)
    return stream.getvalue()


def unzipped(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@dataclass(frozen=True)
class Case:
    """A sound file, and how it is opened."""

    content: bytes
    other: bytes
    """A sound file of another network."""
    network: str | None
    """As `--model` names it."""
    has_training: bool
    canary: Path
    """Exists once code has run."""

    @cached_property
    def members(self) -> dict[str, bytes]:
        return unzipped(self.content)

    @cached_property
    def sound(self) -> tuple[Any, Any, Any]:
        path = self.canary.with_name("sound.pt")
        path.write_bytes(self.content)
        return self.open(path)

    def open(self, path: Path) -> tuple[Any, Any, Any]:
        """Load a file as the program does, and use all that it records."""
        if self.has_training:
            loaded = checkpoint.load_training(path)
        else:
            loaded = open_model(path, self.network)
        classifier = TorchClassifier(path, loaded, device="cpu")
        for value in describe_model(classifier).values():
            as_text(value)
        classifier(np.zeros((1, 28, 28), np.uint8))
        return loaded.model.state_dict(), loaded.metadata.to_json(), loaded.training


Mutation = Callable[[Random, Case], bytes]


def _damaged(kind: Damage) -> Mutation:
    def mutate(random: Random, case: Case) -> bytes:
        return kind(random, case.content, case.other)

    mutate.__name__ = kind.__name__
    return mutate


def join(random: Random, case: Case) -> bytes:
    """Two directories, of which readers may take either."""
    comment = case.content[:-2] + struct.pack("<H", 500) + case.other[-500:]
    return random.choice([case.other + case.content, case.content + case.other, comment])


def edit_directory(random: Random, case: Case) -> bytes:
    """Change what the directory says of a member: place, sizes, compression, flags, checksum."""
    content = bytearray(case.content)
    entries = [i for i in range(len(content)) if content[i : i + 4] == b"PK\x01\x02"]
    one, two = random.choice(entries), random.choice(entries)
    start, size = random.choice([(8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (42, 4)])
    taken = content[two + start : two + start + size]  # as another member's: they overlap
    content[one + start : one + start + size] = random.choice([taken, random.randbytes(size)])
    return bytes(content)


def edit_members(random: Random, case: Case) -> bytes:
    """Drop, rename, swap, exchange, double, resize, compress or inflate members."""
    members = dict(case.members)
    one, two = random.choice(sorted(members)), random.choice(sorted(members))
    odd_name = random.choice(["", "/", "archive", "../data.pkl", "other/data.pkl", f"{one}\0"])
    grown = members[one] + bytes(random.choice([1, 4, 4096, 2 * 10**6, 3 * 10**7]))
    match random.randrange(8):
        case 0:
            del members[one]
        case 1:
            members[odd_name] = members.pop(one)
        case 2:
            members[one], members[two] = members[two], members[one]
        case 3:
            members |= dict([random.choice(sorted(unzipped(case.other).items()))])
        case 4:
            members[one] = random.choice([grown, members[one][:-1], members[one][:-4], b""])
        case 5:
            return zipped({**members, one: grown}, packed=one)
        case 6:
            members |= {f"archive/{n}": b"" for n in range(random.choice([100, 12_000]))}
        case _:  # renamed once both are written, because zipfile warns of doubles
            double = f"{one[:-1]}\x01"
            members[double] = random.choice([members[one], b"", dumps(1)])
            return zipped(members).replace(double.encode(), one.encode())
    return zipped(members)


def edit_bytes(random: Random, case: Case) -> bytes:
    victim = random.choice([PICKLE, PICKLE, *sorted(case.members)])
    content = bytearray(case.members[victim] or b"x")
    for _ in range(random.choice([1, 1, 2, 8])):
        content[random.randrange(len(content))] = random.randrange(256)
    return zipped({**case.members, victim: bytes(content)})


def forge_pickle(random: Random, case: Case) -> bytes:
    """Code, claims and bombs in place of the weights, or beside them."""
    call = random.choice(calls(case.canary))
    state = claimed_state()
    name, first = next(iter(state.items()))
    evil = random.choice([call, random.choice(claims(first))])
    whole = {**state, name: evil}
    places = [evil, {"state_dict": evil}, whole, {"state_dict": whole}, {"state_dict": [evil] * 3}]
    forged = dumps(random.choice(places), random.choice([0, 2, 2, 2, 4]))
    spliced = dumps(call)[2:-1] + b"0" + case.members[PICKLE][2:]
    forged = random.choice([forged, forged, forged, b"\x80\x02" + spliced, random.choice(bombs())])
    return zipped({**case.members, PICKLE: forged})


def not_finite(random: Random, case: Case) -> bytes:
    victim = random.choice([name for name in case.members if name.startswith("archive/data/")])
    content = bytearray(case.members[victim])
    at = random.randrange(len(content) // 4) * 4
    content[at : at + 4] = struct.pack("<f", random.choice([float("nan"), float("inf")]))
    return zipped({**case.members, victim: bytes(content)})


def edit_metadata(random: Random, case: Case) -> bytes:
    """Another value in a random place of the document, or another document."""
    text = case.members.get(METADATA, b'{"format_version": 1}')
    document = json.loads(text)
    where, keys = document, list(document)
    key = random.choice(keys)
    while isinstance(where[key], dict) and where[key] and random.random() < 0.7:
        where = where[key]
        key = random.choice(list(where))
    where[key] = random.choice(HOSTILE_VALUES)
    if random.random() < 0.2:
        del where[key]
    odd = [b"", b"[]", b"[" * 100_000, text[:-1], text * 2, text + b" " * 2_000_000, b"\xff"]
    odd += [text.replace(b'_version": 1', b'_version": %d' % n) for n in (-1, 0, 2, 10**9)]
    edited = json.dumps(document).encode()
    return zipped({**case.members, METADATA: random.choice([edited] * 4 + [random.choice(odd)])})


DAMAGING: Final[tuple[Mutation, ...]] = (*map(_damaged, DAMAGE), join, edit_directory)
"""Some checksum or the form is wrong: what still loads is what it was."""
FORGING: Final[tuple[Mutation, ...]] = (
    *(edit_members, edit_members, edit_bytes, forge_pickle, forge_pickle, not_finite),
    *(edit_metadata, edit_metadata),
)
"""Zips whose checksums are right: what still loads is what torch reads in the same file."""


# What comes of them


def cases(folder: Path) -> list[Case]:
    """A model, a run's state, and a bare state dict."""
    with torch.device("meta"):
        models.build("resnet18")  # imports torchvision, as a file that names it would
    training = {
        "trainer": trainer(n=64, model=NETWORK).state_dict(),
        "history": [{"epoch": 1, "val_loss": 0.5, "val_accuracy": None}],
        "seconds": 1.5,
        "output": "model.pt",
    }
    contents: dict[str, list[bytes]] = {"model": [], "state": [], "bare": []}
    path = folder / "written.pt"
    for name in (NETWORK, OTHER):
        weights = network(name).state_dict()
        checkpoint.save(path, weights, metadata(name))
        contents["model"].append(path.read_bytes())
        checkpoint.save(path, weights, metadata(name), training=training)
        contents["state"].append(path.read_bytes())
        stream = io.BytesIO()
        torch.save(weights, stream)
        contents["bare"].append(stream.getvalue())
    return [
        Case(one, other, NETWORK if form == "bare" else None, form == "state", folder / "canary")
        for form, (one, other) in contents.items()
    ]


@dataclass
class Outcome:
    """What came of one file."""

    name: str
    extra_bytes: int


def outcome(case: Case, mutation: Mutation, random: Random, path: Path) -> Outcome:
    """Tamper with a file and open it. Any error but the program's own passes through."""
    path.write_bytes(mutation(random, case))
    found, message = None, ""
    with measured() as peak:
        try:
            found = case.open(path)
        except (DataError, CheckFailed) as error:  # the latter: finite weights, absurd results
            message = str(error)
    assert not case.canary.exists(), "code has run"
    if found is None:
        assert 1 <= len(message.splitlines()) <= 3
        return Outcome(REFUSED, peak.extra_bytes)
    if same(found, case.sound):
        return Outcome(UNCHANGED, peak.extra_bytes)
    assert mutation in FORGING, "a damaged file was taken for a sound one"
    assert same(found[::2], _as_torch_reads_it(path, case))
    return Outcome(AS_WRITTEN, peak.extra_bytes)


def _as_torch_reads_it(path: Path, case: Case) -> tuple[Any, Any]:
    """Weights and training state; torch gets its own small members back, should they be damaged."""
    members = unzipped(path.read_bytes())
    own = (".data/serialization_id", ".format_version", ".storage_alignment", "version")
    members |= {f"archive/{name}": case.members[f"archive/{name}"] for name in own}
    content = torch.load(io.BytesIO(zipped(members)), map_location="cpu", weights_only=True)
    if case.network is not None:
        return content, None
    return content["state_dict"], content["training"] if case.has_training else None


def same(one: Any, two: Any) -> bool:
    """Equal in structure, and every tensor bit for bit."""
    if isinstance(one, torch.Tensor) and isinstance(two, torch.Tensor):
        one, two = ((t.dtype, t.shape, t.contiguous().numpy().tobytes()) for t in (one, two))
        return bool(one == two)
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(two, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return type(one) is type(two) and (bool(one == two) or (one != one and two != two))
