"""The proof refuses a file that computes something else."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from fmnist_cli.data.images import Images
from fmnist_cli.errors import CheckFailed
from fmnist_cli.export.parity import BATCH_SIZES, MAX_DIFFERENCE, Parity, check_parity
from fmnist_cli.inference.classifier import Classifier
from fmnist_cli.inference.loading import load
from fmnist_cli.inference.onnx_backend import OnnxClassifier
from tests.written_models import write_checkpoint, write_onnx

IMAGES: Images = np.random.default_rng(0).integers(0, 256, (30, 28, 28), dtype=np.uint8)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return load(write_checkpoint(tmp_path_factory.mktemp("reference") / "model.pt"), device="cpu")


def prove(reference: Classifier, path: Path, *, tta: bool = False) -> Parity:
    exported = OnnxClassifier(path, device="cpu", threads=1)
    return check_parity(reference, exported, IMAGES, "noise", tta=tta)


def test_a_faithful_file_passes(reference: Classifier, tmp_path: Path) -> None:
    parity = prove(reference, write_onnx(tmp_path / "model.onnx", logits=True))
    assert parity.images == len(IMAGES)
    assert parity.batch_sizes == list(BATCH_SIZES) == [1, 7, 256]
    assert 0 <= parity.max_difference < MAX_DIFFERENCE
    assert parity.labels_differ == 0


def test_tta_is_compared_with_tta(reference: Classifier, tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "model.onnx", tta=True)
    prove(reference, path, tta=True)
    with pytest.raises(CheckFailed, match="disagree"):
        prove(reference, path)


def shifted(tensor_name: str, shift: float) -> Callable[[onnx.GraphProto], None]:
    def change(graph: onnx.GraphProto) -> None:
        tensor = next(item for item in graph.initializer if item.name.endswith(tensor_name))
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) + shift, tensor.name))

    return change


def other_labels(graph: onnx.GraphProto) -> None:
    last = next(node for node in graph.node if node.op_type == "ArgMax")
    last.input[0] = "negated"
    negated = onnx.helper.make_node("Neg", ["probabilities"], ["negated"])
    graph.node.insert(len(graph.node) - 1, negated)


def other_logits(graph: onnx.GraphProto) -> None:
    softmax = next(node for node in graph.node if node.op_type == "Softmax")
    before = next(node for node in graph.node if "logits" in node.output)
    before.output[0] = softmax.input[0] = "true"
    graph.node.append(onnx.helper.make_node("Add", ["true", "true"], ["logits"]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (shifted("conv.0.weight", 0.001), "torch disagree at batch size 1: on 30 images"),
        (shifted("fc.2.bias", np.nan), "."),
        (other_labels, "labels are not those of its probabilities"),
        (other_logits, "not the softmax of its logits"),
    ],
)
def test_a_changed_file_is_refused(
    change: Callable[[onnx.GraphProto], None], message: str, reference: Classifier, tmp_path: Path
) -> None:
    path = write_onnx(tmp_path / "model.onnx", logits=True)
    model = onnx.load(path)
    change(model.graph)
    onnx.save(model, path)
    with pytest.raises(CheckFailed, match=message):
        prove(reference, path)
