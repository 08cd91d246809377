"""A file appears whole and verified, or not at all."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import numpy_helper

from fmnist_cli.errors import CheckFailed, UsageError
from fmnist_cli.export import onnx_file
from fmnist_cli.export.graph import build_graph
from fmnist_cli.export.onnx_file import export
from fmnist_cli.export.samples import parity_images
from fmnist_cli.inference.onnx_check import check
from tests.written_models import DATA, metadata, write_checkpoint, write_onnx


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "model.pt")


def test_the_file_records_its_origin_and_verification(model: Path) -> None:
    exported = export(model, model.with_suffix(".onnx"), verify=60, logits=True, opset=20)
    onnx.checker.check_model(exported.path, full_check=True)
    checked = check(exported.path).metadata
    assert checked is not None
    recorded = checked.to_json()
    assert recorded == exported.metadata
    assert recorded["data"]["spec"] == DATA
    provenance = recorded["export"]
    assert provenance["checkpoint_sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert provenance["parity"]["images"] == 60
    assert provenance["parity"]["source"] == "validation split"
    assert provenance["parity"]["batch_sizes"] == [1, 7, 256]
    assert provenance["quantization"] is None
    assert set(provenance["versions"]) == {"fmnist", "torch", "onnx", "onnxruntime"}
    assert sorted(path.name for path in model.parent.iterdir()) == ["model.onnx", "model.pt"]
    card = exported.card()
    assert json.loads(json.dumps(card)) == card
    assert card["opset"] == 20
    assert card["inputs"] == {"images": "uint8 [N, 28, 28]"}
    assert card["outputs"] == {
        "probabilities": "float32 [N, 10]",
        "label": "int64 [N]",
        "logits": "float32 [N, 10]",
    }
    assert card["size_bytes"] == exported.path.stat().st_size


@pytest.mark.parametrize(
    ("spec", "val_size", "verify", "images", "source"),
    [
        (DATA, 100, 100, 100, "validation split"),
        (DATA, 100, 10_000, 300, "validation and training split"),
        (DATA, 0, 10, 10, "training split"),
        ("gone.csv", 100, 20, 20, "sample: the training data is not here"),
    ],
)
def test_validation_images_come_first_and_the_sample_stands_in(
    spec: str, val_size: int, verify: int, images: int, source: str
) -> None:
    recorded = metadata(val_size=val_size)
    assert recorded.data is not None
    recorded = replace(recorded, data=replace(recorded.data, spec=spec))
    chosen, description = parity_images(recorded, verify, None)
    assert len(chosen) == images
    assert description.startswith(source)


def test_a_flawed_graph_leaves_what_stood_there(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flawed(*arguments: Any, **options: Any) -> onnx.ModelProto:
        written = build_graph(*arguments, **options)
        tensor = next(item for item in written.graph.initializer if item.name.endswith("fc.2.bias"))
        raised = numpy_helper.to_array(tensor).copy()
        raised[0] += 1
        tensor.CopyFrom(numpy_helper.from_array(raised, tensor.name))
        return written

    output = model.with_suffix(".onnx")
    export(model, output, verify=10)
    before = output.read_bytes()
    monkeypatch.setattr(onnx_file, "build_graph", flawed)
    with pytest.raises(CheckFailed, match="disagree"):
        export(model, output, verify=10)
    assert output.read_bytes() == before
    with pytest.raises(CheckFailed):
        export(model, model.with_name("new.onnx"), verify=10)
    assert sorted(path.name for path in model.parent.iterdir()) == ["model.onnx", "model.pt"]


def test_an_onnx_file_is_not_exported_and_the_model_not_replaced(model: Path) -> None:
    with pytest.raises(UsageError, match="already"):
        export(write_onnx(model.with_suffix(".onnx")), model.with_name("again.onnx"))
    with pytest.raises(UsageError, match="--output"):
        export(model, model)
    assert model.read_bytes()[:2] == b"PK"
