"""A long stream with faults in it: each input has its own answer, in its own place."""

import json
from pathlib import Path

import numpy as np
import pytest

from fmnist_cli import load
from fmnist_cli.data.sources import open_source
from tests.cli.conftest import Program, fmnist, program
from tests.cli.schemas import parse
from tests.proof.conftest import Record
from tests.sample_images import png

__all__ = ["fmnist", "program"]
pytestmark = pytest.mark.proof

INPUTS, BROKEN_ONE_IN = 20_000, 100


def spoil(path: Path, kind: int) -> None:
    """Make a picture one of the things that can be wrong with it."""
    content = path.read_bytes()
    path.unlink()
    match kind % 5:
        case 0:
            path.write_bytes(content[: len(content) // 2])
        case 1:
            path.write_bytes(b"")
        case 2:
            path.write_text("not a picture")
        case 3:
            path.mkdir()
        case _:
            pass  # it is gone


def test_twenty_thousand_inputs_of_which_one_percent_is_broken(
    fmnist: Program, mirror: Path, tmp_path: Path, record: Record
) -> None:
    images = open_source(data_dir=mirror).read("test").images
    labels = load("pretrained", device="cpu")(images).argmax(axis=1)
    order = np.random.default_rng(0).integers(0, len(images), INPUTS)
    broken = set(range(37, INPUTS, BROKEN_ONE_IN))
    paths = [tmp_path / f"{number:06}.png" for number in range(INPUTS)]
    for number, (path, place) in enumerate(zip(paths, order, strict=True)):
        path.write_bytes(png(images[place]))
        if number in broken:
            spoil(path, number // BROKEN_ONE_IN)

    listed = "".join(f"{path}\n" for path in paths)
    done = fmnist("predict", "-q", "pretrained", "-", stdin=listed, timeout=600, code=65)

    lines = done.stdout.splitlines()
    answers = [parse(line, "predict") for line in lines[:1_000]]
    answers += map(json.loads, lines[1_000:])
    assert [answer["input"] for answer in answers] == list(map(str, paths))
    assert {number for number, answer in enumerate(answers) if "error" in answer} == broken
    right = sum(
        answer["label"] == labels[place]
        for answer, place in zip(answers, order, strict=True)
        if "error" not in answer
    )
    assert right == INPUTS - len(broken)
    assert done.stderr == f"error: {len(broken):,} of {INPUTS:,} inputs could not be read\n"
    record("inputs of which 1% is broken", INPUTS, f"{right:,} right ones in order, exit 65")
