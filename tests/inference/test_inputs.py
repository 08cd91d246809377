"""Arguments and stdin to named inputs, in order."""

import gzip
import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fmnist_cli.data.image_files import MAX_FILE_BYTES
from fmnist_cli.data.images import Images
from fmnist_cli.errors import DataError, MissingInput
from fmnist_cli.inference.inputs import Input, Skipped, open_inputs
from tests.platforms import LINUX, POSIX
from tests.sample_images import write_square

IMAGES: Images = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)


def opened(*arguments: Path | str, stdin: int = -1, stdin_is_image: bool = False) -> list[Input]:
    names = map(str, arguments)
    return list(open_inputs(names, photo="auto", stdin=stdin, stdin_is_image=stdin_is_image))


def pixels(one: Input) -> Images:
    return one.read().pixels


def fault(path: Path | str, **options: Any) -> str:
    """Why the only input that an argument names can't be read."""
    (one,) = opened(path, **options)
    with pytest.raises(DataError) as caught:
        one.read()
    return str(caught.value)


@contextmanager
def pipe(content: bytes) -> Iterator[int]:
    reader, writer = os.pipe()
    os.write(writer, content)
    os.close(writer)
    yield reader
    os.close(reader)


@POSIX  # links need rights on Windows
def test_a_directory_is_read_recursively_in_sorted_path_order(tmp_path: Path) -> None:
    names = ["b.png", "a/2.png", "a/10.JPG", "c/x/y.webp", "a.png", ".hidden.png", ".git/z.png"]
    for name in [*names, "__MACOSX/a.png", ".ipynb_checkpoints/a.png"]:
        write_square(tmp_path / name)
    for name in ("without suffix", "wrong.txt"):
        (tmp_path / "c" / name).write_bytes((tmp_path / "b.png").read_bytes())
    (tmp_path / "Thumbs.db").write_bytes(b"thumbnails")
    for number in range(5):
        (tmp_path / f"notes{number}.txt").write_text("not a picture")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    skipped = Skipped()
    inputs = open_inputs([str(tmp_path)], photo="auto", stdin=-1, skipped=skipped)
    found = [Path(one.name).relative_to(tmp_path).as_posix() for one in inputs]
    ordered = ["a/10.JPG", "a/2.png", "a.png", "b.png", "c/without suffix", "c/wrong.txt"]
    assert found == [*ordered, "c/x/y.webp"]
    assert skipped.count == 5
    assert skipped.names == [str(tmp_path / f"notes{number}.txt") for number in range(3)]


def test_a_deeply_nested_folder_is_no_recursion(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 1_200)
    for depth in range(0, 1_200, 100):
        tmp_path.joinpath(*["d"] * (depth + 100)).mkdir(parents=True)
    write_square(deep / "a.png")
    try:
        assert [one.name for one in opened(tmp_path)] == [str(deep / "a.png")]
    finally:  # pytest clears its folders away by recursion, which such a depth would break
        (deep / "a.png").unlink()
        while deep != tmp_path:
            deep.rmdir()
            deep = deep.parent


def test_a_folder_without_pictures_is_an_error_of_its_own(tmp_path: Path) -> None:
    assert "no pictures in the directory" in fault(tmp_path)


def test_arguments_keep_their_order(tmp_path: Path) -> None:
    first, second = write_square(tmp_path / "z.png"), write_square(tmp_path / "a.png")
    found = opened(first, second, first)
    assert [one.name for one in found] == [str(first), str(second), str(first)]


def assert_holds(path: Path, images: Images) -> None:
    """The inputs that a file is read as are numbered, and are these images."""
    found = opened(path)
    assert [one.name for one in found] == [f"{path}#{n}" for n in range(len(images))]
    np.testing.assert_array_equal([pixels(one) for one in found], images)


@pytest.mark.parametrize("name", ["images-idx3-ubyte", "images.gz"])
def test_an_idx_file_gives_each_of_its_images(tmp_path: Path, name: str) -> None:
    content = struct.pack(">IIII", 0x803, 3, 28, 28) + IMAGES.tobytes()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    assert_holds(tmp_path / name, IMAGES)


def test_a_csv_file_gives_its_rows_up_to_its_first_fault(tmp_path: Path) -> None:
    header = ",".join(f"pixel{n}" for n in range(1, 785))
    path = tmp_path / "rows.csv"
    path.write_text(f"{header}\n{','.join(['7'] * 784)}\n")
    (row,) = opened(path)
    assert row.name == f"{path}#0"
    assert (pixels(row) == 7).all()
    path.write_text(f"{header}\n{','.join(['256'] * 784)}\n")
    assert "line 2" in fault(path)


def test_paths_come_from_stdin(tmp_path: Path) -> None:
    one, two = write_square(tmp_path / "1.png"), write_square(tmp_path / "sub" / "2.png")
    lines = f"{one}\r\n\n{two.parent}\n{tmp_path / 'gone.png'}".encode()
    with pipe(lines) as stdin:
        found = opened("-", stdin=stdin)
    assert [item.name for item in found] == [str(one), str(two), str(tmp_path / "gone.png")]
    with pytest.raises(MissingInput):
        found[-1].read()


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\n", b"a\0b\n", b"x" * 65_000])
def test_bytes_that_are_no_paths_are_named(content: bytes) -> None:
    with pipe(content) as stdin:
        if b"\0" in content:
            with pytest.raises(DataError, match="--stdin-image"):
                opened("-", stdin=stdin)
        else:
            assert fault("-", stdin=stdin)


@LINUX
def test_a_path_that_is_not_utf_8_is_found(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9.png"
    Path(os.fsdecode(name)).write_bytes(write_square(tmp_path / "plain.png").read_bytes())
    with pipe(name + b"\n") as stdin:
        (one,) = opened("-", stdin=stdin)
    assert pixels(one).any()


@POSIX
def test_endless_stdin_is_read_no_further_than_a_picture_may_be_long() -> None:
    zeros = os.open("/dev/zero", os.O_RDONLY)
    assert f"{MAX_FILE_BYTES:,}" in fault("-", stdin=zeros, stdin_is_image=True)
    os.close(zeros)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32"])
@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (1, 28, 28), (784,)])
def test_arrays_have_any_layout_that_data_may_have(
    tmp_path: Path, shape: tuple[int, ...], dtype: str
) -> None:
    np.save(tmp_path / "x.npy", IMAGES.reshape(3, *shape).astype(dtype))
    assert_holds(tmp_path / "x.npy", IMAGES)


def test_an_array_may_be_one_image(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", IMAGES[0])
    assert_holds(tmp_path / "x.npy", IMAGES[:1])


def test_an_archive_of_arrays_names_the_way_out(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=np.zeros((3, 28, 28), np.uint8))
    assert re.search("save the images alone(?s:.*)fmnist evaluate MODEL", fault(tmp_path / "x.npz"))


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.full((2, 28, 28), 0.5, np.float32), "'.*x.npy': pixels lie between 0 and 1"),
        (np.full((2, 28, 28), 1.5, np.float32), "'.*x.npy': pixels have fractions"),
        (np.zeros((2, 28, 28), bool), "pixels are bool; expected whole numbers from 0 to 255"),
        (np.full((2, 28, 28), 256), "pixels run from 256 to 256"),
        (np.zeros((2, 783), np.uint8), r"'.*x.npy': images are \[2, 783\]; expected \[N, 28, 28\]"),
        (np.array([{"a": 1}]), "not a .npy file"),
        (None, "not a .npy file"),
    ],
)
def test_other_arrays_are_refused(
    tmp_path: Path, array: "np.ndarray[Any, Any] | None", words: str
) -> None:
    path = tmp_path / "x.npy"
    if array is None:
        path.write_bytes(b"\x93NUMPY\x01\0\x10\0{'descr': (((")
    else:
        np.save(path, array)
    assert re.search(words, fault(path))


def test_paths_keep_their_spelling(tmp_path: Path) -> None:
    write_square(tmp_path / "a" / "b.png")
    spelled = f"{tmp_path}/./a//b.png"
    with pipe(f"{spelled}\nhttps://example.org/a//b.png\n{tmp_path}//a\n".encode()) as stdin:
        found = opened("-", stdin=stdin)
    assert [one.name for one in found] == [
        spelled,
        "https://example.org/a//b.png",
        f"{tmp_path}//a/b.png",
    ]
