"""One server for all tests of this directory, and the event loop of those that need one."""

from collections.abc import Iterator

import pytest

from tests.serve.serving import Server, serving
from tests.written_models import write_onnx


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A small network with fresh weights."""
    model = write_onnx(tmp_path_factory.mktemp("served") / "small.onnx")
    with serving(model) as running:
        yield running


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on the event loop that uvicorn uses."""
    return "asyncio"
