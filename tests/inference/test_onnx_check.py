"""An untrusted ONNX file is refused in one line before ONNX Runtime sees it."""

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmnist_cli.errors import CheckpointError
from fmnist_cli.inference.onnx_check import MAX_FILE_BYTES, check
from tests.inference.hostile_onnx import HOSTILE
from tests.memory import measured
from tests.written_models import metadata, write_onnx


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An exported file's content."""
    return write_onnx(tmp_path_factory.mktemp("sound") / "model.onnx").read_bytes()


def refuse(path: Path) -> str:
    """The reason for which a file is refused."""
    with pytest.raises(CheckpointError) as caught:
        check(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def written(path: Path, model: onnx.ModelProto) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


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


FOREIGN = """<ir_version: 8, opset_import: ["": 18]>
foreign (uint8[batch, 28, 28] images) => (float[batch, 10] probabilities, int64[batch] label) {
    shape = Shape <start = 0, end = 1> (images)
    rest = Constant <value_ints = [784]> ()
    flat_shape = Concat <axis = 0> (shape, rest)
    floats = Cast <to = 1> (images)
    flat = Reshape (floats, flat_shape)
    scores = MatMul (flat, w)
    probabilities = Softmax <axis = 1> (scores)
    label = ArgMax <axis = 1, keepdims = 0> (probabilities)
}"""


def test_a_foreign_model_of_the_same_form_is_accepted(tmp_path: Path) -> None:
    """Typed data in place of raw, another name of the batch size, no metadata."""
    model = onnx.parser.parse_model(FOREIGN)
    weights = onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, [784, 10], np.full(7840, 0.01))
    model.graph.initializer.append(weights)
    assert check(written(tmp_path / "foreign.onnx", model)).metadata is None


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


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_model_is_refused(name: str, sound: bytes, tmp_path: Path) -> None:
    change, reason = HOSTILE[name]
    model = onnx.load_from_string(sound)
    change(model)
    path = written(tmp_path / "hostile.onnx", model)
    with measured() as peak:
        assert re.search(reason, refuse(path))
    assert peak.extra_bytes < 100_000_000


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.onnx"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    assert "bytes" in refuse(path)
