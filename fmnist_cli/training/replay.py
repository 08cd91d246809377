"""A training step that is recorded once and replayed: one launch instead of a hundred.

On a GPU a small network's step is over sooner than Python can launch its kernels one by one.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol, TypeAlias

import torch
from torch import Tensor
from torch.optim import Optimizer

from fmnist_cli.errors import CheckFailed

Step: TypeAlias = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Images and labels to logits and loss; changes weights in place."""
Work: TypeAlias = Callable[[], None]

_WARM_UP_STEPS: Final = 3
"""Steps before the recording: they make the optimizer's state and choose the libraries' kernels."""


class Recorder(Protocol):
    """Records what some work launches."""

    def warming_up(self) -> AbstractContextManager[None]:
        """Surround the steps before the recording."""
        ...

    def record(self, work: Work) -> Work:
        """Record the work without doing it; what this gives does it."""
        ...


class CudaGraphRecorder:
    """Records a CUDA graph."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    @contextmanager
    def warming_up(self) -> Iterator[None]:
        """Work on the stream that will record, as torch asks for."""
        current = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            yield
        current.wait_stream(self._stream)

    def record(self, work: Work) -> Work:
        """Record it. Raises CheckFailed where something in it can't be recorded."""
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.device(self._device), torch.cuda.graph(graph, stream=self._stream):
                work()
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            # Going on without is no choice: torch's random generator may be left in recording.
            reason = str(error).strip().partition("\n")[0]
            raise CheckFailed(
                f"the training step can't be recorded as a CUDA graph: {reason}\n"
                "to train without one: --no-cuda-graph"
            ) from None
        return graph.replay


class Replay:
    """Takes a few steps as they are, records the next one and replays it from then on.

    A replay does the same on the same memory. What differs from step to step is copied to where the
    recorded step looks for it: images, labels and learning rates. The logits and the loss it gives
    are overwritten by the next step.
    """

    def __init__(self, step: Step, optimizer: Optimizer, recorder: Recorder) -> None:
        self._step, self._optimizer, self._recorder = step, optimizer, recorder
        self._rates = [
            torch.zeros((), device=group["params"][0].device) for group in optimizer.param_groups
        ]
        for group in optimizer.param_groups:
            if "capturable" in group:  # torch's word that Adam's state may be recorded
                group["capturable"] = True
        self._steps = 0
        self._inputs: tuple[Tensor, Tensor] | None = None
        self._outputs: tuple[Tensor, Tensor] | None = None
        self._replay: Work | None = None

    def __call__(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """One step with the learning rates that stand in the optimizer's groups."""
        for rate, group in zip(self._rates, self._optimizer.param_groups, strict=True):
            rate.fill_(group["lr"])
        if self._steps < _WARM_UP_STEPS:
            self._steps += 1
            with self._rates_on_device(), self._recorder.warming_up():
                return self._step(images, labels)
        if self._replay is None or self._inputs is None:
            self._inputs, self._replay = self._record(images, labels)
        for recorded, given in zip(self._inputs, (images, labels), strict=True):
            recorded.copy_(given)
        self._replay()
        assert self._outputs is not None
        return self._outputs

    def _record(self, images: Tensor, labels: Tensor) -> tuple[tuple[Tensor, Tensor], Work]:
        inputs = (images.clone(), labels.clone())

        def work() -> None:
            with self._rates_on_device():
                self._outputs = self._step(*inputs)

        return inputs, self._recorder.record(work)

    @contextmanager
    def _rates_on_device(self) -> Iterator[None]:
        """Let the optimizer read its rates from memory: a number would be recorded as it is.

        The steps before the recording read them from there too, so that they round alike.
        """
        groups = self._optimizer.param_groups
        numbers = [group["lr"] for group in groups]
        for group, rate in zip(groups, self._rates, strict=True):
            group["lr"] = rate
        try:
            yield
        finally:
            for group, number in zip(groups, numbers, strict=True):
                group["lr"] = number
