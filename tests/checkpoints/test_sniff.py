"""What a file is that is not a model."""

from pathlib import Path

import pytest

from fmnist_cli.checkpoints.sniff import not_a_model


@pytest.mark.parametrize(
    ("content", "kind", "help_text"),
    [
        (b"", "empty", "fmnist train"),
        (b"\x89HDF\r\n\x1a\n", "Keras", "fmnist train"),
        (b"\x80\x02}q\x00.", "bare pickle", "state_dict()"),
        (b"\x10\0\0\0\0\0\0\0{}", "safetensors", "--model NAME"),
        (b"\x89PNG\r\n", "an image", "predict MODEL INPUT"),
        (b"\xff\xd8\xff\xe0", "an image", "predict MODEL INPUT"),
        (b"\0\0\x08\x03", "an IDX file", "predict MODEL INPUT"),
        (b"label,pixel1", "a CSV file", "predict MODEL INPUT"),
        (b"version https://git-lfs", "Git LFS", "git lfs pull"),
        (b"\x08\x0a\x12", "an ONNX file", "leave it out"),
        (b"\x93NUMPY", "a NumPy array", "predict MODEL INPUT"),
        (b"\0\0\0 ftypavif", "an image", "predict MODEL INPUT"),
        (b"<!DOCTYPE html>", "of an unknown kind, or damaged", "fmnist train"),
    ],
)
def test_it_is_named_and_what_helps(content: bytes, kind: str, help_text: str) -> None:
    first, second = str(not_a_model(Path("file"), content)).splitlines()
    assert kind in first
    assert help_text in second
