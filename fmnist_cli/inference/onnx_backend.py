"""An ONNX file as a classifier, run by ONNX Runtime; never imports torch."""

import base64
import math
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.data.images import Images
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.devices import device_name, usable_cores
from fmnist_cli.errors import CheckpointError, Unavailable, UsageError
from fmnist_cli.files import is_unicode
from fmnist_cli.inference.classifier import Classifier, Probabilities
from fmnist_cli.inference.onnx_check import check
from fmnist_cli.inference.onnx_contract import IMAGES

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


_SMALLEST_PIECE: Final = 4
_LARGEST_PIECE: Final = 32
"""Images that one thread takes at a time; larger pieces are no faster."""
_SHARED_SECONDS: Final = 0.01
"""A batch that takes one thread less is not shared: in `predict`, the other cores read the next
inputs meanwhile, which takes longer for a 28×28 PNG file than a small network."""


class OnnxClassifier(Classifier):
    """Run a checked ONNX file on the CPU or a CUDA device."""

    backend = "onnx"

    def __init__(
        self,
        path: Path,
        *,
        device: str = "auto",
        threads: int | None = None,
        normalization: Normalization | None = None,
        classes: tuple[str, ...] | None = None,
    ) -> None:
        """Check the file; ONNX Runtime opens it on first use.

        normalization: of the input of a user's own network; None for this project's files.
        classes: names by label; None: those that the file records, or Fashion-MNIST's.
        Raises CheckpointError if the file is refused, UsageError for an invalid device name or
        classes that the file records itself, and Unavailable for a missing device.
        """
        self.facts = check(path, is_foreign=normalization is not None, classes=classes)
        super().__init__(path, self.facts.metadata, classes)
        if classes is not None and self.metadata is not None:
            raise UsageError(f"'{path}' records its own classes; leave --classes out")
        self._normalization = normalization
        self.device = _resolve(device)
        """`cpu` or `cuda:N`."""
        self.threads = threads or usable_cores()
        self.runtime = f"ONNX Runtime on {self.device}, threads: {self.threads}"
        self._seconds_each = math.inf
        """The shortest time per image on one thread so far."""

    @cached_property
    def _session(self) -> "InferenceSession":
        """With one thread, for pieces of a batch."""
        return _open_session(self.path, self.device, 1)

    @cached_property
    def _batch_session(self) -> "InferenceSession":
        """With all threads, for whole batches."""
        return _open_session(self.path, self.device, self.threads)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.threads, thread_name_prefix="fmnist-onnx")

    def training_digests(self) -> bytes:
        """As in `Classifier`."""
        try:
            return base64.b64decode(self.facts.training_digests, validate=True)
        except ValueError:
            raise CheckpointError(
                f"'{self.path}': the record of its training images is damaged"
            ) from None

    def run(self, images: Images) -> dict[str, Any]:
        """All outputs by name, for one batch of uint8 [B, 28, 28]."""
        values = self._run(self._batch_session, self.facts.outputs, {IMAGES: images})
        return dict(zip(self.facts.outputs, values, strict=True))

    def _classify(self, images: Images) -> Probabilities:
        each = len(images)
        if self.device == "cpu":
            # With a piece of the batch each, threads need not wait for one another after every
            # layer. A few images are not worth sharing: waking a thread takes longer.
            each = min(_LARGEST_PIECE, max(_SMALLEST_PIECE, -(-len(images) // self.threads)))
        if len(images) <= each or len(images) * self._seconds_each < _SHARED_SECONDS:
            return self._classify_piece(images)
        _ = self._session  # opened once, before the threads share it
        pieces = [images[start : start + each] for start in range(0, len(images), each)]
        run = map if self.threads == 1 else self._pool.map
        return np.concatenate(list(run(self._classify_piece, pieces)))

    def _classify_piece(self, images: Images) -> Probabilities:
        """Classify in batches of the size that the file takes, the last one padded."""
        started_at = time.perf_counter()
        interface = self.facts.interface
        pixels = images if self._normalization is None else self._normalization.apply(images)
        size = interface.batch_size or len(images)
        found = []
        for start in range(0, len(images), size):
            batch = pixels[start : start + size]
            padding = np.zeros((size - len(batch), *batch.shape[1:]), batch.dtype)
            inputs = {interface.input: np.concatenate([batch, padding])}
            (values,) = self._run(self._session, [interface.output], inputs)
            found.append(values[: len(batch)])
        probabilities: Probabilities = np.concatenate(found)
        if not interface.gives_probabilities:
            powers = np.exp(probabilities - probabilities.max(axis=1, keepdims=True))
            probabilities = powers / powers.sum(axis=1, keepdims=True)
        seconds = time.perf_counter() - started_at
        self._seconds_each = min(self._seconds_each, seconds / len(images))
        return probabilities

    def _run(
        self, session: "InferenceSession", outputs: Any, inputs: dict[str, NDArray[Any]]
    ) -> list[Any]:
        try:
            return list(session.run(outputs, inputs))
        except _runtime_errors() as error:
            raise CheckpointError(f"'{self.path}' can't be run: {_first_line(error)}") from None


def _resolve(device: str) -> str:
    """The device that a name stands for on this machine: `cpu` or `cuda:N`."""
    import onnxruntime

    device = device_name(device)
    has_cuda = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    if device == "mps":
        raise Unavailable("ONNX Runtime has no MPS device; use --device cpu, or the .pt file")
    if device.startswith("cuda") and not has_cuda:
        raise Unavailable(
            f"no device '{device}': this build of ONNX Runtime ({onnxruntime.__version__}) is "
            "for the CPU only; there is: cpu. For CUDA: pip install onnxruntime-gpu"
        )
    if device == "auto":  # the GPU build runs without a device, too
        found = [each.ep_name for each in onnxruntime.get_ep_devices()] if has_cuda else []
        device = "cuda" if "CUDAExecutionProvider" in found else "cpu"
    return "cuda:0" if device == "cuda" else device


def _open_session(path: Path, device: str, threads: int) -> "InferenceSession":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors are raised as well, and reported in one line
    # Idle threads sleep; spinning ones would take the cores from other processes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers: list[Any] = ["CPUExecutionProvider"]
    if device != "cpu":
        index = device.partition(":")[2]
        # fp32 as on the CPU: without TF32, whose products have 10 bits.
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": index, "use_tf32": "0"}))
    try:
        session = onnxruntime.InferenceSession(
            path if is_unicode(str(path)) else path.read_bytes(),  # it knows no other names
            options,
            providers=providers,
            enable_fallback=0,  # it would announce that on stdout
        )
    except _runtime_errors() as error:
        if device != "cpu":
            raise Unavailable(f"no device '{device}': {_first_line(error)}") from None
        raise CheckpointError(
            f"'{path}' can't be opened by ONNX Runtime: {_first_line(error)}"
        ) from None
    if device != "cpu" and "CUDAExecutionProvider" not in session.get_providers():
        raise Unavailable(
            f"no device '{device}': ONNX Runtime finds no driver or CUDA library for it "
            "(nvidia-smi tells more); there is: cpu"
        )
    return session


@cache
def _runtime_errors() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises if it can't open or run a model."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return (
        state.Fail,
        state.InvalidArgument,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.NotImplemented,
        state.RuntimeException,
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]
