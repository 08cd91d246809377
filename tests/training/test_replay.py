"""A replayed step does what the step does, with what differs from step to step copied in."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from fmnist_cli.errors import CheckFailed
from fmnist_cli.training.augment import AUGMENTATIONS
from fmnist_cli.training.replay import CudaGraphRecorder, Work
from fmnist_cli.training.results import Stopped
from fmnist_cli.training.trainer import Trainer
from tests.training.small import assert_same, trainer, weights_of

STEPS_AN_EPOCH = 8


class Rerun:
    """Stands for a CUDA graph: doing the recorded work again, which sees only the same memory."""

    def __init__(self) -> None:
        self.warmed, self.recorded, self.replayed = 0, 0, 0

    @contextmanager
    def warming_up(self) -> Iterator[None]:
        self.warmed += 1
        yield

    def record(self, work: Work) -> Work:
        self.recorded += 1

        def replay() -> None:
            self.replayed += 1
            work()

        return replay


def replaying(recorder: Rerun, **options: Any) -> Trainer:
    made = trainer(**options)
    made.train_step._recorder = recorder
    made.train_step._update = made.train_step._build_update()
    return made


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("augment", ["flip,shift:1", "mixup"])
def test_a_replayed_run_is_the_run(optimizer: str, augment: str) -> None:
    options: dict[str, Any] = {
        "optimizer": optimizer,
        "augment": augment,
        "ema": 0.9,
        "schedule": "linear",
    }
    plain, recorder = trainer(**options), Rerun()
    replayed = replaying(recorder, **options)
    for a, b in zip(plain.fit(), replayed.fit(), strict=True):
        # The rates are float32 there and float64 here.
        assert b.train_loss == pytest.approx(a.train_loss, rel=1e-5)
    for name, value in weights_of(plain).items():
        assert torch.allclose(weights_of(replayed)[name], value, rtol=1e-3, atol=1e-4), name
    assert (recorder.warmed, recorder.recorded) == (3, 1)
    assert recorder.replayed == 2 * STEPS_AN_EPOCH - 3


def test_a_replayed_run_resumes_bit_for_bit() -> None:
    options: dict[str, Any] = {
        "optimizer": "adam",
        "ema": 0.9,
        "schedule": "linear",
        "augment": "flip",
    }
    whole = replaying(Rerun(), **options)
    list(whole.fit())
    first = replaying(Rerun(), **options)
    calls = iter(range(100))
    first.should_stop = lambda: next(calls) >= 6
    with pytest.raises(Stopped):
        list(first.fit())
    second = replaying(Rerun(), **options)
    second.load_state_dict(first.state_dict())
    list(second.fit())
    assert_same(weights_of(second), weights_of(whole))


def test_a_state_that_is_loaded_is_what_goes_on() -> None:
    made = replaying(Rerun(), optimizer="adam")
    state = made.train_step.state_dict()["optimizer"]
    list(made.fit())
    old = made.train_step._update
    made.train_step.load_state_dict({**made.train_step.state_dict(), "optimizer": state})
    assert made.train_step._update is not old


def test_what_can_not_be_recorded_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Graph:
        replay = None

    @contextmanager
    def refusing(_graph: Graph, stream: object) -> Iterator[None]:
        yield
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    monkeypatch.setattr(torch.cuda, "Stream", lambda _device: None)
    monkeypatch.setattr(torch.cuda, "device", nullcontext)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", refusing)
    recorder = CudaGraphRecorder(torch.device("cuda:0"))
    with pytest.raises(CheckFailed, match=r"is capturing\nto train without one: --no-cuda-graph"):
        recorder.record(lambda: None)


class HostReads(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Lists the operations that make the host wait for a device."""

    WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal")

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> object:
        name = func.overloadpacket.__name__
        if name in self.WAITING:
            self.found.append(name)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_no_step_makes_the_host_wait(precision: str) -> None:
    names = ",".join(AUGMENTATIONS)
    made = trainer(
        model="convnet-small", optimizer="sgd", augment=names, ema=0.9, precision=precision
    )
    made.train_step.train_mode()
    with HostReads() as reads:
        for batch in made.batches.epoch(0, steps=3):
            logits, loss = made.train_step.step(batch.images, batch.labels, batch.step + 1)
            made.meter.add(loss, logits, batch.labels)
        assert reads.found == []
        float(made.meter.sums[0])
    assert reads.found == ["_local_scalar_dense"]
