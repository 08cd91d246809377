"""Model files that record their training data, and the answers of a model without a file."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.checkpoints.metadata import DataRecord
from fmnist_cli.data.images import LabeledImages, Labels, digest_images
from fmnist_cli.data.sources import open_source
from fmnist_cli.data.splits import stratified_split
from fmnist_cli.export.graph import build_graph
from fmnist_cli.inference.classifier import Classifier, Probabilities
from fmnist_cli.inference.loading import load
from fmnist_cli.training.run_data import describe_data
from tests.written_models import metadata, network

VAL_SIZE = 40


def training_part(data: LabeledImages) -> LabeledImages:
    """The part of a training split that remains after holding out VAL_SIZE images."""
    return data[stratified_split(data.labels, VAL_SIZE)[0]]


def trained_on(
    path: Path, spec: str, *, record: bool = False, changes: Mapping[str, Any] | None = None
) -> Classifier:
    """A model with random weights that records `spec` as its training data.

    record: write digests of the images, as for data that its name does not identify.
    changes: false entries for the record of the data.
    """
    source = open_source(spec)
    data = source.read("train")
    described = asdict(describe_data(source, data, VAL_SIZE, 0)) | dict(changes or {})
    digests = digest_images(training_part(data).images) if record else b""
    content = replace(metadata(), data=DataRecord(**described))
    checkpoint.save(path, network().state_dict(), content, digests=digests)
    return load(path, device="cpu")


def without_record(path: Path) -> Classifier:
    """A model that records no training data."""
    checkpoint.save(path, network().state_dict(), replace(metadata(), data=None))
    return load(path, device="cpu")


def as_onnx(path: Path, model: Classifier) -> Path:
    """Export a model that `trained_on` made to ONNX; returns its path."""
    assert model.metadata is not None
    graph = build_graph(network(), model.metadata)
    path.write_bytes(graph.SerializeToString())
    return path


def forbid_torch(folder: Path) -> None:
    """Make every Python with `folder` on its path fail on importing torch."""
    (folder / "sitecustomize.py").write_text(
        "import sys\n"
        "class Forbidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'torch':\n"
        "            raise AssertionError('torch is imported')\n"
        "sys.meta_path.insert(0, Forbidden())\n"
    )


def answers(n: int, seed: int = 0) -> tuple[Labels, Probabilities]:
    """A well-calibrated model: labels int64 [n], drawn from probabilities float32 [n, 10]."""
    random = np.random.default_rng(seed)
    logits = 3.0 * random.standard_normal((n, 10))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    drawn = random.random((n, 1)) < probabilities.cumsum(axis=1)
    return drawn.argmax(axis=1).astype(np.int64), probabilities.astype(np.float32)
