"""Names of devices resolve, or fail with the reason; torch's own functions are replaced here."""

from collections.abc import Callable

import pytest
import torch

from fmnist_cli.devices import device_name
from fmnist_cli.errors import Unavailable, UsageError
from fmnist_cli.inference import torch_devices

Machine = Callable[..., None]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Pretends to a number of CUDA devices, to a build of torch, to MPS."""

    def pretend(
        *, cuda: int = 0, build: str | None = "13.0", mps: bool = False, visible: str | None = None
    ) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.version, "cuda", build)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if visible is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    return pretend


@pytest.mark.parametrize(
    ("cuda", "mps", "name", "device"),
    [
        (0, False, "auto", "cpu"),
        (0, True, "auto", "mps"),
        (2, True, "auto", "cuda:0"),
        (2, False, "cuda", "cuda:0"),
        (2, False, "cuda:1", "cuda:1"),
    ],
)
def test_auto_prefers_cuda_then_mps_then_cpu_and_names_stand_for_themselves(
    machine: Machine, cuda: int, mps: bool, name: str, device: str
) -> None:
    machine(cuda=cuda, mps=mps)
    assert torch_devices.resolve(name) == torch.device(device)


@pytest.mark.parametrize(
    ("cuda", "build", "visible", "name", "reason"),
    [
        (2, "13.0", None, "cuda:2", "'cuda:2': the index is too high for the 2; there is: "),
        (0, "13.0", "", "cuda", "no device with CUDA_VISIBLE_DEVICES=''"),
        (1, "13.0", "3", "cuda:3", "for the 1 that CUDA_VISIBLE_DEVICES='3' leaves"),
        (0, None, None, "cuda:0", "is for the CPU only; there is: cpu"),
        (0, "13.0", None, "cuda:0", "no driver"),
        (0, "13.0", None, "mps", "no MPS device"),
    ],
)
def test_a_missing_device_is_an_error_with_its_reason(
    machine: Machine, cuda: int, build: str | None, visible: str | None, name: str, reason: str
) -> None:
    machine(cuda=cuda, build=build, visible=visible)
    with pytest.raises(Unavailable, match=reason):
        torch_devices.resolve(name)


@pytest.mark.parametrize(
    ("spelling", "name"),
    [("CPU", "cpu"), ("gpu", "cuda"), ("GPU:2", "cuda:2"), ("1", "cuda:1"), ("Cuda:01", "cuda:1")],
)
def test_common_spellings_are_understood(spelling: str, name: str, machine: Machine) -> None:
    machine(cuda=3)
    assert device_name(spelling) == name
    assert torch_devices.resolve(spelling) == torch_devices.resolve(name)
    assert torch_devices.is_cuda(spelling) == name.startswith("cuda")


@pytest.mark.parametrize("name", ["0,1", "cuda:0,1", "cuda:0,cuda:1", "gpu:0, gpu:1", "0, 1"])
def test_a_list_of_devices_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="--device cuda:0; to train on all of them: --nproc 2"):
        torch_devices.resolve(name)


@pytest.mark.parametrize("name", ["tpu", "cuda:", "cuda:-1", "cuda:x", "", "-1", "1.5", "９", ","])
def test_an_unknown_name_is_wrong_usage(name: str) -> None:
    with pytest.raises(UsageError, match="expected auto, cpu, cuda"):
        torch_devices.resolve(name)


def test_the_rule_of_auto_precision(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    cpu, cuda = torch.device("cpu"), torch.device("cuda:0")
    machine(cuda=1)
    for capability, name in (((7, 5), "fp32"), ((8, 0), "bf16"), ((9, 0), "bf16")):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _d, c=capability: c)
        assert torch_devices.resolve_precision("auto", cuda).name == name
    for has_it, name in ((True, "bf16"), (False, "fp32")):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda h=has_it: h)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
        assert torch_devices.resolve_precision("auto", cpu).name == name
    assert torch_devices.resolve_precision("fp32", cuda).dtype is torch.float32
    assert torch_devices.resolve_precision("fp16", cuda).is_reduced
    with pytest.raises(Unavailable, match="fp16"):
        torch_devices.resolve_precision("fp16", cpu)


def test_threads_are_shared_by_the_processes_of_a_machine(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = torch.get_num_threads()
    monkeypatch.setattr(torch_devices, "usable_cores", lambda: 8)
    try:
        assert torch_devices.set_threads(None) == 8
        monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
        assert torch_devices.set_threads(None) == torch.get_num_threads() == 2
        assert not caplog.messages
        assert torch_devices.set_threads(3) == 3
        assert "3 threads on 2 cores" in caplog.text
    finally:
        torch.set_num_threads(before)
