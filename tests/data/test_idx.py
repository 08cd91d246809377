"""`data.idx`: valid files are read; anything else is a DataError that names the file."""

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from fmnist_cli.data import idx
from fmnist_cli.errors import DataError, MissingInput

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
IMAGE_BYTES = struct.pack(">4I", 0x803, 5, 28, 28) + IMAGES.tobytes()
LABEL_BYTES = struct.pack(">2I", 0x801, 4) + bytes([9, 0, 3, 5])


def put(folder: Path, content: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(content)
    return path


def test_reads_the_official_files(mirror: Path) -> None:
    images = idx.read_images(mirror / "train-images-idx3-ubyte.gz")
    labels = idx.read_labels(mirror / "train-labels-idx1-ubyte.gz")
    assert images.shape == (60_000, 28, 28)
    assert (np.bincount(labels) == 6_000).all()
    unpacked = gzip.decompress((mirror / "train-images-idx3-ubyte.gz").read_bytes())
    assert images.tobytes() == unpacked[16:]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "ends inside the header"),
        (IMAGE_BYTES[:15], "ends inside the header"),
        (LABEL_BYTES.ljust(20), "0x00000801; expected 0x00000803"),
        (struct.pack(">4I", 0x803, 1, 32, 32) + bytes(1024), "32×32; expected 28×28"),
        (struct.pack(">4I", 0x803, 0, 28, 28), "holds no images"),
        (struct.pack(">4I", 0x803, 2**32 - 1, 28, 28), "shorter than the 4,294,967,295"),
        (gzip.compress(struct.pack(">4I", 0x803, 2**32 - 1, 28, 28)), "4,294,967,295"),
        (IMAGE_BYTES[:-1], "shorter than"),
        (IMAGE_BYTES + b"\0", "goes on after"),
        (gzip.compress(IMAGE_BYTES[:-1]), "ends after 3,919 of 3,920"),
        (gzip.compress(IMAGE_BYTES + b"\0"), "goes on after"),
        (gzip.compress(IMAGE_BYTES)[:-9], "is damaged"),
        (gzip.compress(IMAGE_BYTES)[:-8] + bytes(8), "is damaged"),
        (gzip.compress(IMAGE_BYTES) + b"trailing", "is damaged"),
        (b"\x1f\x8b\x08\x00" + IMAGES.tobytes()[:50], "'"),
    ],
)
def test_refuses_what_is_wrong(tmp_path: Path, content: bytes, message: str) -> None:
    path = put(tmp_path, content)
    with pytest.raises(DataError, match=message) as caught:
        idx.read_images(path)
    assert str(path) in str(caught.value)


def test_a_gzip_bomb_is_left_packed(tmp_path: Path) -> None:
    packer = zlib.compressobj(wbits=31)
    zeros = bytes(1 << 20)
    packed = packer.compress(IMAGE_BYTES) + b"".join(packer.compress(zeros) for _ in range(100))
    with pytest.raises(DataError, match="goes on after"):
        idx.read_images(put(tmp_path, packed + packer.flush()))


def test_a_label_out_of_range_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"labels run from 2 to 11; expected .* 0 to 9"):
        idx.read_labels(put(tmp_path, struct.pack(">2I", 0x801, 3) + bytes([3, 2, 11])))


def test_a_missing_file_is_another_matter(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="no file at"):
        idx.read_images(tmp_path / "nowhere")
