"""Inputs that someone has tampered with, for every parser: how they are opened and damaged."""

import gzip
import struct
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Literal

import onnx
import typer

from fmnist_cli.cli.app import app
from fmnist_cli.cli.options import TrainOptions
from fmnist_cli.data import csv, idx
from fmnist_cli.data.csv_layout import PIXELS
from fmnist_cli.data.pictures import decode
from fmnist_cli.data.sources import open_source
from fmnist_cli.errors import CheckFailed, DataError, FmnistError, MissingInput, UsageError
from fmnist_cli.evaluation.description import as_text, describe_model
from fmnist_cli.inference.loading import load
from fmnist_cli.training.options import OPTIONS
from fmnist_cli.training.recipes import configure
from tests.damage import DAMAGE, place
from tests.data import hostile_pictures, written_formats
from tests.inference.hostile_onnx import HOSTILE
from tests.memory import measured
from tests.sample_images import draw
from tests.written_models import write_onnx

_DATA = draw(4, "train")
_IMAGES = _DATA.images
SPLITS: tuple[Literal["train", "test"], ...] = ("train", "test")
_COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Form:
    """A kind of file: intact ones, how the program opens one, and ways to damage it."""

    name: str
    intact: list[bytes]
    open: Callable[[Path], object]
    tokens: tuple[bytes, ...] = ()
    """Text with a meaning to its parser, inserted anywhere."""
    forge: tuple[Callable[[Random, bytes], bytes], ...] = ()
    """Changes after which the file's own checksums are valid."""
    refusals: tuple[type[Exception], ...] = field(default=(DataError,))
    suffix: str = ""
    """Of the file's name."""


@dataclass
class Outcome:
    """What opening a file led to."""

    was_refused: bool
    seconds: float
    extra_bytes: int


def damaged(form: Form, random: Random) -> bytes:
    """An intact file of this form, tampered with in a random way."""
    content, other = random.choice(form.intact), random.choice(form.intact)
    if form.tokens and random.random() < 0.4:
        for _ in range(random.choice([1, 1, 2, 5])):
            at = place(random, content)
            end = at + random.choice([0, 0, 1, 4])
            content = content[:at] + random.choice(form.tokens) + content[end:]
        return content
    if form.forge and random.random() < 0.4:
        return random.choice(form.forge)(random, content)
    return random.choice(DAMAGE)(random, content, other)


def opened(form: Form, content: bytes, path: Path) -> Outcome:
    """Open a file. Any error but the program's own passes through."""
    path = path.with_suffix(form.suffix)
    path.write_bytes(content)
    message = ""
    started_at = time.perf_counter()
    with measured() as peak:
        try:
            form.open(path)
        except form.refusals as error:
            message = str(error) or "refused"
    seconds = time.perf_counter() - started_at
    assert len(message.splitlines()) <= 3, message
    return Outcome(bool(message), seconds, peak.extra_bytes)


# IDX


def _idx_files() -> list[bytes]:
    images = struct.pack(">4I", 0x803, 4, 28, 28) + _IMAGES.tobytes()
    labels = struct.pack(">2I", 0x801, 4) + bytes([9, 0, 3, 5])
    return [images, labels, gzip.compress(images), gzip.compress(labels)]


def _open_idx(path: Path) -> None:
    idx.is_idx(path)
    try:
        idx.read_labels(path)
    except DataError:
        idx.read_images(path)


def _repack(random: Random, content: bytes) -> bytes:
    """Damage what a gzip file holds, its checksums corrected; or blow it up."""
    plain = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    if random.random() < 0.1:
        return gzip.compress(plain + bytes(random.choice([1, 10**7])), 1)
    return gzip.compress(random.choice(DAMAGE)(random, plain, plain), 1)


# Tables and arrays


def _csv_files() -> list[bytes]:
    header = ",".join(PIXELS)
    rows = [",".join(map(str, image.ravel())) for image in _IMAGES]
    labeled = [f"{label},{row}" for label, row in enumerate(rows)]
    return [
        "\n".join([f"label,{header}", *labeled, ""]).encode(),
        "\r\n".join([header, *rows, ""]).encode(),
        "\n".join(labeled).replace(",", ";").encode(),
        *(written_formats.csv(_DATA, names=True, last=True, index="id", quoting=1),),
        gzip.compress(written_formats.csv(_DATA)),
    ]


def _open_csv(path: Path) -> None:
    ((_, labels), *_) = csv.iterate(path)
    if labels is not None:
        csv.read(path, "train")


_CSV_TOKENS = (
    *(b"\n", b"\r", b",", b'"', b'""', b"\0", b"-", b"1e2", b"1_0", b" ", b"\xff", b"\xef\xbb\xbf"),
    *(b"NaN", b"inf", b"True", b"0x10", b"256", b"9" * 400, b"," * 2_000, b"\n" * 500, b'"\n"'),
    *("٣".encode(), b"#", b"=cmd()", b"label", b"x" * 10**6, b";", b"0.5", b"Bag", b"1.0", b"id"),
)


def _open_data(path: Path) -> None:
    """Read both splits of a file, as `--data` does."""
    source = open_source(str(path))
    for split in SPLITS:
        try:
            source.read(split)
        except (MissingInput, UsageError):  # there may be no test split
            if split == "train":
                raise


def _zip_files() -> list[bytes]:
    table, (images, labels) = written_formats.csv(_DATA), written_formats.idx(_DATA)
    packed = {"train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": labels}
    archives = map(written_formats.zipped, ({"train.csv": table, "test.csv": table}, packed))
    return [content for files in archives for content in files.values()]


def _rezip(random: Random, content: bytes) -> bytes:
    """Damage what a zip archive holds, its checksums corrected; or blow it up."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    name = random.choice(sorted(files))
    if random.random() < 0.1:
        files[name] += bytes(random.choice([1, 10**7]))
    else:
        files[name] = random.choice(DAMAGE)(random, files[name], files[name])
    (zipped,) = written_formats.zipped(files).values()
    return zipped


# Pictures


def _open_picture(path: Path) -> None:
    decode(path)
    decode(path, photo="off")


# TOML


_TOML = [
    (
        b'# options\nrecipe = "fast"\nepochs = 3\nlr = 0.05\nbatch-size = 128\nseed = 7\n'
        b'augment = "flip:0.5,shift:2"\nval-size = 100\nlabel-smoothing = 0.1\n'
        b'data = "sample:600"\n'
    ),
    (
        b'model = "tutorial"\nclass-weights = [1, 1, 1, 1, 1, 1, 1, 1, 1, 2]\nema = 0.99\n'
        b'optimizer = "adamw"\nmirror = ["a", "b"]\nquiet = true\ntime-budget = "60s"\n'
    ),
]
_TOML_TOKENS = (
    *(b"\n", b"=", b"[", b"]", b'"', b"'''", b"{", b"}", b".", b"#", b"\0", b"\xff", b"\\u0000"),
    *(b"\xf0\x9f\x98\x80", b" = nan\n", b" = inf\n", b" = 1979-05-27\n", b" = true\n", b" = []\n"),
    *(b"[table]\n", b"[[tables]]\n", b" = {a = 1}\n", b"a.b.c = 1\n", b"9" * 5_000, b"[" * 5_000),
    *(b"a." * 5_000, b" = 1e999\n", b" = -1\n", b"epochs = '3'\n", b"lr = 'x'\n"),
    *(b" = " + b"[" * 2_000 + b"]" * 2_000 + b"\n", b"a = " + b"{b = " * 1_000, b"x" * 10**5),
    *(b"device = 7\n", b"mirror = [[1]]\n", b"resume = 12:00:00\n", b"model = ['a']\n"),
    *(b"config = 'x'\n", b"\x1b[31m"),
)


def _open_config(path: Path) -> None:
    """What `fmnist train --config FILE` does before any work."""
    context = _COMMANDS["train"].make_context("train", ["--config", str(path)])
    configure(**TrainOptions(**{name: context.params[name] for name in OPTIONS}))


# ONNX


def _change_graph(random: Random, content: bytes) -> bytes:
    """One of the changes of graphs that are refused, or a number in the graph that is another."""
    model = onnx.load_from_string(content)
    if random.random() < 0.3:
        random.choice(list(HOSTILE.values()))[0](model)
        return bytes(model.SerializeToString())
    node = random.choice(list(model.graph.node))
    tensor = random.choice(list(model.graph.initializer))
    huge = random.choice([-1, 0, 1, 7, 2**31, 2**62])
    change = random.randrange(6)
    if change == 0 and node.attribute:
        attribute = random.choice(list(node.attribute))
        attribute.i, attribute.ints[:] = huge, [huge] * random.choice([0, 1, len(attribute.ints)])
    elif change == 1 and tensor.dims:
        tensor.dims[random.randrange(len(tensor.dims))] = huge
    elif change == 2:
        node.op_type = random.choice(list(model.graph.node)).op_type
    elif change == 3 and node.input:
        names = [name for other in model.graph.node for name in (*other.input, *other.output)]
        node.input[random.randrange(len(node.input))] = random.choice(names)
    elif change == 4:
        model.graph.node.remove(node)
    else:
        tensor.data_type = random.randrange(30)
    return bytes(model.SerializeToString())


def _open_onnx(path: Path) -> None:
    classifier = load(path, device="cpu", threads=1)
    for value in describe_model(classifier).values():
        as_text(value)
    classifier(_IMAGES[:1])


def forms(folder: Path) -> list[Form]:
    """Every kind of input that a parser reads."""
    model = write_onnx(folder / "intact.onnx", "convnet-small").read_bytes()
    picture = partial(Form, open=_open_picture)
    npz = [
        *(written_formats.ONE_SPLIT[name]["data.npz"] for name in ("npz", "npz, packed")),
        written_formats.BOTH_SPLITS["npz of Keras"]["data.npz"],
    ]
    ours = (FmnistError,)
    usage = (FmnistError, typer.TyperException)
    parquet = [
        written_formats.ONE_SPLIT[name]["a.parquet"]
        for name in ("parquet", "parquet, class names", "parquet, RGB")
    ]
    return [
        Form("IDX", _idx_files(), _open_idx, forge=(_repack,)),
        Form("CSV", _csv_files(), _open_csv, _CSV_TOKENS),
        Form("zip", _zip_files(), _open_data, forge=(_rezip,), refusals=ours),
        Form("npz", npz, _open_data, forge=(_rezip,), refusals=ours, suffix=".npz"),
        Form("parquet", parquet, _open_data, refusals=ours, suffix=".parquet"),
        picture("PNG", hostile_pictures.intact("PNG"), forge=(hostile_pictures.forge_png,)),
        picture("JPEG", hostile_pictures.intact("JPEG"), forge=(hostile_pictures.forge_jpeg,)),
        Form("TOML", _TOML, _open_config, _TOML_TOKENS, refusals=usage),
        Form(
            "ONNX", [model], _open_onnx, forge=(_change_graph,), refusals=(DataError, CheckFailed)
        ),
    ]
