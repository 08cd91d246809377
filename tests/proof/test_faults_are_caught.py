"""Faults put into the package by hand, one at a time: the tests must fail on each.

This list is the documentation of what the tests of model files, downloads and readers watch over.
Each fault is one replacement in a copy of the package; the test file beside it is run on that copy.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.proof.conftest import Record

pytestmark = pytest.mark.proof

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Fault:
    """One line of the package that is wrong."""

    what: str
    module: str
    right: str
    wrong: str
    tests: str


FAULTS: Final = (
    # Model files
    Fault(
        "a model file is written in place, not beside it and renamed",
        "checkpoints/checkpoint.py",
        "temporary.write_bytes(stream.getbuffer())",
        "path.write_bytes(stream.getbuffer())",
        "checkpoints/test_checkpoint.py",
    ),
    Fault(
        "weights need not be finite",
        "checkpoints/checkpoint.py",
        "and not value.isfinite().all()",
        "and value.isnan().all()",
        "checkpoints/test_checkpoint.py",
    ),
    Fault(
        "a weight's type is not compared, only its shape",
        "checkpoints/checkpoint.py",
        "(value.shape, value.dtype) != (",
        "(value.shape, tensor.dtype) != (",
        "checkpoints/test_checkpoint.py",
    ),
    Fault(
        "a tensor may show one value many times",
        "checkpoints/checkpoint.py",
        "> content.untyped_storage().nbytes():",
        "> 10**9:",
        "checkpoints/test_checkpoint.py",
    ),
    Fault(
        "a file may hold more than its network needs",
        "checkpoints/checkpoint.py",
        "if sum(storages.values()) > max_bytes:",
        "if not storages:",
        "checkpoints/test_checkpoint.py",
    ),
    Fault(
        "a storage may be shorter than it is described",
        "checkpoints/checkpoint.py",
        'if archive.size(f"data/{key}") != size:',
        'if archive.size(f"data/{key}") > size:',
        "checkpoints/test_hostile_models.py",
    ),
    Fault(
        "the next format version is taken for this one",
        "checkpoints/metadata.py",
        "if version > FORMAT_VERSION:",
        "if version > FORMAT_VERSION + 1:",
        "checkpoints/test_metadata.py",
    ),
    Fault(
        "a file's options reach torchvision, which may fetch weights for them",
        "checkpoints/metadata.py",
        'is_known = option == "dropout" and',
        'is_known = option != "dropout" or',
        "checkpoints/test_metadata.py",
    ),
    Fault(
        "a member's checksum is not compared",
        "checkpoints/archive.py",
        "damaged = archive.testzip()",
        "damaged = None",
        "checkpoints/test_checkpoint.py",
    ),
    Fault(
        "compressed members are read",
        "checkpoints/archive.py",
        "if any(info.compress_type or",
        "if any(False and",
        "checkpoints/test_checkpoint.py",
    ),
    Fault(
        "a file may stand before the model's zip",
        "checkpoints/archive.py",
        "default=0) != 0:",
        "default=0) < 0:",
        "checkpoints/test_hostile_models.py",
    ),
    Fault(
        "a pickle may name anything",
        "checkpoints/pickle_scan.py",
        'if name == "GLOBAL" and argument not in _NAMES and argument not in IGNORED_NAMES:',
        'if name == "GLOBAL" and not argument:',
        "checkpoints/test_state_dicts.py",
    ),
    # Downloads
    Fault(
        "a download is judged by its size alone",
        "data/mirrors.py",
        "if sha256(partial) == file.sha256:",
        "if _size(partial) == file.size_bytes:",
        "data/test_mirrors.py",
    ),
    Fault(
        "more is read than the file's size",
        "data/mirrors.py",
        "response.read1(min(_CHUNK_BYTES, wanted_bytes - received_bytes))",
        "response.read1(_CHUNK_BYTES)",
        "data/test_mirrors.py",
    ),
    Fault(
        "a server that continues from another place is believed",
        "data/mirrors.py",
        'rf"bytes {asked_for}-\\d+/',
        'r"bytes \\d+-\\d+/',
        "data/test_mirrors.py",
    ),
    Fault(
        "a file in place is judged by its size alone",
        "data/download.py",
        "!= file.size_bytes or sha256(path) != file.sha256:",
        "!= file.size_bytes:",
        "data/test_download.py",
    ),
    Fault(
        "two processes download into one folder at once",
        "data/download.py",
        "        lock.acquire()\n",
        "        lock.release()\n",
        "data/test_download.py",
    ),
    Fault(
        "the file is put in place before it is complete",
        "data/download.py",
        "            deliver(file, mirror, partial, track)\n        except",
        "            partial.touch()\n            partial.replace(path)\n"
        "            deliver(file, mirror, path, track)\n        except",
        "data/test_download.py",
    ),
    # Readers of data
    Fault(
        "label 10 is read",
        "data/idx.py",
        "if labels.max() >= NUM_CLASSES:",
        "if labels.max() > NUM_CLASSES:",
        "data/test_idx.py",
    ),
    Fault(
        "an IDX header may claim more than the file holds",
        "data/idx.py",
        "elif len(header) + int(np.prod(shape)) > path.stat().st_size:",
        "elif not shape:",
        "data/test_idx.py",
    ),
    Fault(
        "a value of 256 is read, as 0",
        "data/csv.py",
        "(values <= _limits(columns)).all()",
        "(values <= _limits(columns) + 1).all()",
        "data/test_csv.py",
    ),
    Fault(
        "a picture's pixels are counted after decoding",
        "data/pictures.py",
        "    if image.width * image.height > MAX_PIXELS:",
        "    image.load()\n    if image.width * image.height > MAX_PIXELS:",
        "data/test_pictures.py",
    ),
    Fault(
        "an ONNX file may keep weights in another file",
        "inference/onnx_check.py",
        "if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:",
        "if tensor.data_location == TensorProto.EXTERNAL and not tensor.external_data:",
        "inference/test_onnx_check.py",
    ),
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package and its tests, to be changed."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("fmnist_cli", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / "pyproject.toml", folder / "pyproject.toml")
    return folder


def run(copy: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """Run test files of the copy on the package beside them, up to the first that fails."""
    return subprocess.run(
        [
            *(sys.executable, "-B", "-m", "pytest", "-x", "-m", "not proof"),
            *("-p", "no:cacheprovider", *(f"tests/{name}" for name in tests)),
        ],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_copy_is_what_the_tests_test(copy: Path) -> None:
    """Without a fault all pass; the package that they import is the copy's."""
    done = run(copy, *sorted({fault.tests for fault in FAULTS}))
    assert done.returncode == 0, done.stdout[-3_000:]
    package = copy / "fmnist_cli/__init__.py"
    whole = package.read_text()
    package.write_text("raise ValueError('the copy')\n")
    try:
        done = run(copy, FAULTS[0].tests)
        assert "the copy" in done.stdout + done.stderr
    finally:
        package.write_text(whole)


def test_every_fault_is_caught(copy: Path, record: Record) -> None:
    missed = []
    for fault in FAULTS:
        module = copy / "fmnist_cli" / fault.module
        whole = module.read_text()
        assert whole.count(fault.right) == 1, fault.what
        module.write_text(whole.replace(fault.right, fault.wrong))
        try:
            done = run(copy, fault.tests)
        finally:
            module.write_text(whole)
        assert done.returncode in (0, 1), done.stdout[-3_000:]  # others: they did not run
        if done.returncode == 0:
            missed.append(fault.what)
    assert not missed
    record("faults put in by hand", len(FAULTS), "the tests catch each")
