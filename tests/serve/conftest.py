"""One server for all tests of this directory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serve.serving import Server, serving
from tests.written_models import write_onnx


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A small network with fresh weights."""
    model: Path = write_onnx(tmp_path_factory.mktemp("served") / "small.onnx")
    with serving(model) as running:
        yield running
