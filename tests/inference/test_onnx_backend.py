"""An ONNX file as a classifier, without torch."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import onnx
import onnxruntime
import pytest

from fmnist_cli.errors import CheckpointError, Unavailable, UsageError
from fmnist_cli.inference import onnx_backend
from fmnist_cli.inference.loading import load
from fmnist_cli.inference.onnx_backend import OnnxClassifier
from tests.written_models import metadata, write_onnx

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_onnx(tmp_path_factory.mktemp("onnx") / "model.onnx")


def images(count: int) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype=np.uint8)


@pytest.fixture
def shared(path: Path, monkeypatch: pytest.MonkeyPatch) -> OnnxClassifier:
    """Three threads, which share every batch."""
    monkeypatch.setattr(onnx_backend, "_SHARED_SECONDS", 0.0)
    return OnnxClassifier(path, device="cpu", threads=3)


@pytest.mark.parametrize("count", [0, 1, 2, 256, 300])
def test_any_number_of_images(path: Path, count: int) -> None:
    probabilities = load(path, device="cpu")(images(count))
    assert probabilities.shape == (count, 10)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)


def test_metadata_outputs_by_name_and_views_of_other_strides(path: Path) -> None:
    classifier = OnnxClassifier(path, device="cpu", threads=1)
    assert classifier.metadata == metadata()
    outputs = classifier.run(images(4))
    assert list(outputs) == ["probabilities", "label"]
    np.testing.assert_array_equal(outputs["label"], outputs["probabilities"].argmax(1))
    flipped = images(3)[:, :, ::-1]
    np.testing.assert_array_equal(classifier(flipped), classifier(flipped.copy()))


def test_threads_are_those_asked_for_and_one_for_one_image(shared: OnnxClassifier) -> None:
    before = threading.active_count()
    shared(images(1))
    assert threading.active_count() == before
    shared(images(256))
    # Each thread runs a piece of the batch.
    assert shared._session.get_session_options().intra_op_num_threads == 1
    assert before < threading.active_count() <= before + 3
    shared.run(images(2))
    options = shared._batch_session.get_session_options()
    assert options.intra_op_num_threads == 3
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_what_one_thread_does_quickly_is_not_shared(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_backend, "_SHARED_SECONDS", 60.0)
    classifier = OnnxClassifier(path, device="cpu", threads=3)
    classifier(images(1))  # shows how long an image takes
    before = threading.active_count()
    classifier(images(256))
    assert threading.active_count() == before


@pytest.mark.parametrize("count", [4, 5, 7, 65, 256])
def test_pieces_of_a_batch_come_back_in_order(shared: OnnxClassifier, count: int) -> None:
    together = shared(images(count))
    alone = np.concatenate([shared(image[None]) for image in images(count)])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(together, shared.run(images(count))["probabilities"], atol=1e-6)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this platform")
def test_threads_are_the_cores_this_process_may_use(path: Path) -> None:
    usable = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(usable)})
        assert OnnxClassifier(path, device="cpu").threads == 1
    finally:
        os.sched_setaffinity(0, usable)
    assert OnnxClassifier(path, device="cpu").threads == len(usable)


@pytest.mark.parametrize(
    ("device", "error", "message"),
    [
        ("cuda", Unavailable, r"for the CPU only.*onnxruntime-gpu"),
        ("GPU:7", Unavailable, r"for the CPU only.*onnxruntime-gpu"),
        ("mps", Unavailable, "MPS"),
        ("tpu", UsageError, "no device is called"),
    ],
)
def test_a_missing_device_is_an_error_and_auto_is_the_cpu(
    path: Path,
    device: str,
    error: type[Exception],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CPU])
    with pytest.raises(error, match=message):
        OnnxClassifier(path, device=device)
    assert OnnxClassifier(path).device == "cpu"


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """The sessions of a build with CUDA and a device for it, as far as they are used here."""
    opened = Mock()
    opened.return_value.get_providers.return_value = [CUDA, CPU]
    opened.return_value.run.side_effect = lambda _, inputs: [
        np.full((len(inputs["images"]), 10), 0.1, np.float32)
    ]
    monkeypatch.setattr(onnxruntime, "InferenceSession", opened)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(onnxruntime, "get_ep_devices", lambda: [SimpleNamespace(ep_name=CUDA)])
    return opened


@pytest.mark.parametrize(
    ("device", "index"), [("auto", "0"), ("cuda", "0"), ("cuda:0", "0"), ("GPU:3", "3"), ("3", "3")]
)
def test_cuda_is_asked_for_in_fp32_on_that_device(
    path: Path, device: str, index: str, cuda: Mock
) -> None:
    classifier = OnnxClassifier(path, device=device)
    assert classifier.device == f"cuda:{index}"
    assert classifier(images(300)).shape == (300, 10)
    batches = [len(call.args[1]["images"]) for call in cuda.return_value.run.call_args_list]
    assert batches == [256, 44]  # whole ones: only a CPU's threads share them
    assert not cuda.call_args.kwargs["enable_fallback"]
    tf32_off = {"device_id": index, "use_tf32": "0"}
    assert cuda.call_args.kwargs["providers"] == [(CUDA, tf32_off), CPU]


def test_a_named_cuda_device_is_not_replaced_by_the_cpu(path: Path, cuda: Mock) -> None:
    cuda.return_value.get_providers.return_value = [CPU]  # its libraries are missing
    with pytest.raises(Unavailable, match="no driver or CUDA library"):
        OnnxClassifier(path, device="cuda")(images(1))


def test_auto_is_the_cpu_if_the_cuda_build_finds_no_device(
    path: Path, cuda: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnxruntime, "get_ep_devices", lambda: [SimpleNamespace(ep_name=CPU)])
    classifier = OnnxClassifier(path)
    classifier(images(1))
    assert classifier.device == "cpu"
    assert cuda.call_args.kwargs["providers"] == [CPU]


def test_a_model_that_can_not_be_run_is_bad_data(path: Path, tmp_path: Path) -> None:
    """Sound in form, but its operators are of a version that ONNX Runtime does not know."""
    model = onnx.load(path)
    model.ir_version = 99
    broken = tmp_path / "broken.onnx"
    onnx.save(model, broken)
    with pytest.raises(CheckpointError, match="ONNX Runtime") as caught:
        load(broken, device="cpu")(images(1))
    assert "\n" not in str(caught.value)


def test_torch_is_never_imported(path: Path) -> None:
    code = (
        "import sys, numpy\n"
        "from fmnist_cli.inference.loading import load\n"
        f"load({str(path)!r})(numpy.zeros((2, 28, 28), numpy.uint8))\n"
        "found = {'torch', 'torchvision', 'pandas', 'sklearn', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(f'imported: {found}' if found else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
