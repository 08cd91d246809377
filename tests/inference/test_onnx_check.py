"""An untrusted ONNX file is refused in one line before ONNX Runtime sees it."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from fmnist_cli.errors import CheckpointError
from fmnist_cli.inference.onnx_check import MAX_FILE_BYTES, check
from tests.inference.hostile_onnx import HOSTILE, SWOLLEN
from tests.written_models import metadata, write_onnx


class Content(bytes):
    """A file's bytes, which a failing test does not print."""

    def __repr__(self) -> str:
        return f"<{len(self):,} bytes>"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An exported file's content."""
    return Content(write_onnx(tmp_path_factory.mktemp("sound") / "model.onnx").read_bytes())


def refuse(path: Path) -> str:
    """The reason for which a file is refused."""
    with pytest.raises(CheckpointError) as caught:
        check(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def test_an_exported_file_is_accepted(sound: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(sound)
    facts = check(path)
    assert facts.metadata == metadata()
    assert facts.outputs == ("probabilities", "label")


@pytest.mark.parametrize(
    ("name", "tta"),
    [("tutorial", True), pytest.param("convnet", False, marks=pytest.mark.proof)],
)
def test_every_form_of_export_is_accepted(name: str, tta: bool, tmp_path: Path) -> None:
    check(write_onnx(tmp_path / "model.onnx", name, tta=tta, logits=not tta, opset=23))


def test_a_foreign_model_of_the_same_form_is_accepted(tmp_path: Path) -> None:
    """Typed data in place of raw, another name of the batch size, no metadata."""
    weight = helper.make_tensor("w", TensorProto.FLOAT, [784, 10], np.full(7840, 0.01))
    nodes = [
        helper.make_node("Shape", ["images"], ["shape"], start=0, end=1),
        helper.make_node("Constant", [], ["rest"], value_ints=[784]),
        helper.make_node("Concat", ["shape", "rest"], ["flat_shape"], axis=0),
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["floats", "flat_shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "foreign",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["batch", 28, 28])],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 10]),
            helper.make_tensor_value_info("label", TensorProto.INT64, ["batch"]),
        ],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    path = tmp_path / "foreign.onnx"
    path.write_bytes(model.SerializeToString())
    assert check(path).metadata is None


# Bytes that are no model


OTHERS = (b"", b"\x08\x08", b"just a text file\n" * 100, b"\x80" * 50, bytes(1000), b"\x7f" * 99)


@settings(deadline=None, max_examples=150)
@given(content=st.binary(max_size=300) | st.sampled_from(OTHERS) | st.floats(0, 0.999))
def test_other_bytes_and_files_cut_short_are_refused(
    sound: bytes, tmp_path_factory: pytest.TempPathFactory, content: bytes | float
) -> None:
    if isinstance(content, float):
        content = sound[: int(content * len(sound))]
    path = tmp_path_factory.getbasetemp() / "any.onnx"
    path.write_bytes(content)
    refuse(path)


def changed(sound: bytes, name: str, folder: Path) -> Path:
    """A hostile model's file."""
    model = onnx.load_from_string(sound)
    HOSTILE[name][0](model)
    path = folder / f"{name}.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_model_is_refused(name: str, sound: bytes, tmp_path: Path) -> None:
    assert re.search(HOSTILE[name][1], refuse(changed(sound, name, tmp_path)))


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.onnx"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    assert "bytes" in refuse(path)


MEASURE = """
import resource, sys
from pathlib import Path
from fmnist_cli.errors import CheckpointError
from fmnist_cli.inference.onnx_check import check
check(Path(sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[2:]:
    try:
        check(Path(path))
    except CheckpointError:
        continue
    raise SystemExit(f"{path} was accepted")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux alone")
def test_hostile_files_take_little_memory(sound: bytes, tmp_path: Path) -> None:
    (tmp_path / "sound.onnx").write_bytes(sound)
    paths = [changed(sound, name, tmp_path) for name in SWOLLEN]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path / "sound.onnx"), *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 100, "MiB"
