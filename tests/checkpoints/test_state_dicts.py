"""Weights as people save them elsewhere, a line per habit."""

import argparse
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from torch import Tensor, nn

from fmnist_cli import models
from fmnist_cli.checkpoints.weights import open_model, start_from
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.errors import CheckpointError, UsageError
from tests.checkpoints.hostile_models import unzipped, zipped
from tests.training.small import assert_same
from tests.written_models import network

State = dict[str, Tensor]
NETWORK = "convnet-small"


def prefixed(*prefixes: str) -> Callable[[State], State]:
    return lambda state: {f"{p}{name}": value for p in prefixes for name, value in state.items()}


def as_floats(state: State, dtype: torch.dtype) -> State:
    return {k: v.to(dtype) if v.is_floating_point() else v for k, v in state.items()}


def lightning(state: State) -> dict[str, Any]:
    """The entries that Lightning writes, with a metric's state among the weights."""
    return {
        "epoch": 3,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": {**prefixed("model.")(state), "val_acc.correct": torch.zeros(10)},
        "loops": {"fit_loop": {"state_dict": {}}},
        "callbacks": {"ModelCheckpoint{'monitor': 'val'}": {"best_model_score": torch.ones(())}},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{}]}],
        "hparams_name": "kwargs",
        "hyper_parameters": {"lr": 0.1, "layers": [1, 2], "name": "net", "drop": None},
    }


def research_code(state: State) -> dict[str, Any]:
    """Options, a path and NumPy's numbers beside the weights."""
    return {
        "args": argparse.Namespace(lr=0.1, out=Path("runs")),
        "best_acc1": np.float64(91.2),
        "epoch": np.int64(7),
        "state_dict": prefixed("module.")(state),
    }


FORMS: dict[str, tuple[str, Callable[[State], Any]]] = {
    "plain": ("w.pth", lambda state: state),
    "DataParallel": ("w.pth", prefixed("module.")),
    "compiled": ("w.pth", prefixed("_orig_mod.")),
    "compiled, then DistributedDataParallel": ("w.pth", prefixed("module._orig_mod.")),
    "a compiled part": ("w.pth", lambda s: {k.replace("s.", "s._orig_mod.", 1): s[k] for k in s}),
    "half": ("w.pth", lambda state: as_floats(state, torch.float16)),
    "double": ("w.pth", lambda state: as_floats(state, torch.float64)),
    "parameters": ("w.pth", lambda s: {k: nn.Parameter(v, v.is_floating_point()) for k, v in s.items()}),  # noqa: E501
    "model_state_dict": ("w.tar", lambda s: {"epoch": 1, "loss": 0.3, "model_state_dict": s}),
    "state_dict": ("checkpoint.pth.tar", lambda s: {"state_dict": s, "optimizer": {"state": {}}}),
    "model": ("w.pth", lambda s: {"model": s, "optimizer": {"param_groups": [{"lr": 0.1}]}}),
    "net": ("w.pth", lambda s: {"net": prefixed("module.")(s), "acc": 93.1, "epoch": 200}),
    "nested twice": ("w.pth", lambda s: {"model": {"state_dict": s, "config": {}}}),
    "Lightning": ("last.ckpt", lightning),
    "research code": ("model_best.pth.tar", research_code),
    "a model and its average": ("w.pth", prefixed("model.", "ema.module.")),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_it_is_read_and_fine_tuned(form: str, tmp_path: Path) -> None:
    name, wrap = FORMS[form]
    state = network(NETWORK).state_dict()
    torch.save(wrap(dict(state)), tmp_path / name)
    rounded = torch.float16 if form == "half" else torch.float64
    expected = {k: v.to(rounded).to(v.dtype) for k, v in state.items()}
    opened = open_model(tmp_path / name, NETWORK)
    assert_same(opened.model.state_dict(), expected)
    assert NETWORK in opened.assumed
    assert opened.metadata.normalization == Normalization.STANDARD
    model = models.build(NETWORK)
    start_from(model, NETWORK, str(tmp_path / name))
    assert_same(model.state_dict(), expected)


@pytest.mark.parametrize("module", ["pathlib", "pathlib._local"])
def test_paths_of_any_python_are_ignored(module: str, tmp_path: Path) -> None:
    path = tmp_path / "model_best.pth.tar"
    state = network(NETWORK).state_dict()
    torch.save(research_code(dict(state)), path)
    members = unzipped(path.read_bytes())
    for name, content in members.items():
        if name.endswith("data.pkl"):
            members[name] = re.sub(rb"cpathlib(\._local)?\n", f"c{module}\n".encode(), content)
            assert members[name].count(f"c{module}\nPosixPath\n".encode()) == (os.name == "posix")
    path.write_bytes(zipped(members))
    assert_same(open_model(path, NETWORK).model.state_dict(), dict(state))


def test_safetensors(tmp_path: Path) -> None:
    save_file = pytest.importorskip("safetensors.torch").save_file
    state = network(NETWORK).state_dict()
    path = tmp_path / "model.safetensors"
    save_file(prefixed("module.")(state), path)
    assert_same(open_model(path, NETWORK).model.state_dict(), dict(state))
    content = path.read_bytes()
    for damaged in (content[:-1], content[:200], content + b"x", content[:9] + b"x" + content[10:]):
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match="damaged"):
            open_model(path, NETWORK)
    save_file({"w": torch.zeros(20_000_000)}, path)
    with pytest.raises(CheckpointError, match="far more values"):
        open_model(path, NETWORK)


MISFITS: dict[str, tuple[Callable[[State], Any], str]] = {
    "too large for float32": (
        lambda s: {**s, "head.bias": torch.full((10,), 1e300, dtype=torch.float64)},
        "not finite",
    ),
    "integers": (lambda s: {**s, "head.bias": torch.zeros(10, dtype=torch.int32)}, "head.bias"),
    "no state dict": (lambda s: {"history": [1, 2]}, "holds no state dict"),
    "a list": (lambda s: list(s.values()), "holds no state dict"),
    "hidden too deep": (lambda s: {"model": {"model": {"model": {"model": s}}}}, "no state dict"),
}  # fmt: skip


@pytest.mark.parametrize("misfit", MISFITS)
def test_what_does_not_fit_is_named(misfit: str, tmp_path: Path) -> None:
    change, message = MISFITS[misfit]
    torch.save(change(dict(network(NETWORK).state_dict())), tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=message):
        open_model(tmp_path / "w.pth", NETWORK)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_usual_resnet_keeps_its_stride(channels: int, tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs = torchvision.models.resnet18(num_classes=10).eval()
    if channels == 1:
        theirs.conv1 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
    torch.save(theirs.state_dict(), tmp_path / "r.pth")
    opened = open_model(tmp_path / "r.pth", "resnet18")
    assert "stock stem" in opened.assumed
    assert opened.metadata.network.options == {"stem": "stock"}
    images = torch.randn(2, 1, 28, 28)
    expected = theirs(images.expand(-1, channels, -1, -1))
    torch.testing.assert_close(opened.model(images), expected, atol=1e-4, rtol=1e-4)
    small = open_model(tmp_path / "r.pth", "resnet18", stem="small")
    assert not torch.allclose(small.model(images), expected, atol=1e-2)


def test_weights_of_this_programs_resnet_keep_theirs(tmp_path: Path) -> None:
    torch.save(network("resnet18").state_dict(), tmp_path / "r.pth")
    opened = open_model(tmp_path / "r.pth", "resnet18")
    assert "small stem" in opened.assumed
    images = torch.randn(2, 1, 28, 28)
    torch.testing.assert_close(opened.model(images), network("resnet18")(images))


def test_normalization_and_stem_are_for_bare_weights_alone(tmp_path: Path) -> None:
    torch.save(network(NETWORK).state_dict(), tmp_path / "w.pth")
    opened = open_model(tmp_path / "w.pth", NETWORK, normalization=Normalization.HALF)
    assert opened.metadata.normalization == Normalization.HALF
    assert "(0..1 - 0.5) / 0.5" in opened.assumed
    with pytest.raises(UsageError, match="stem"):
        open_model(tmp_path / "w.pth", NETWORK, stem="stock")


COURSE = """
import sys, torch
from torch import nn
class Net(nn.Sequential):
    pass
"""


def test_the_advice_for_a_whole_model_works(tmp_path: Path) -> None:
    """Saved in a script, refused, converted with the printed line below the class, opened."""
    save = "torch.save(Net(nn.Linear(2, 2)), 'net.pt')"
    subprocess.run([sys.executable, "-c", COURSE + save], cwd=tmp_path, check=True)
    with pytest.raises(CheckpointError, match=r"__main__\.Net") as caught:
        open_model(tmp_path / "net.pt", "tutorial")
    advice = str(caught.value).splitlines()[1]
    line = advice[advice.index("import torch") :]
    assert "map_location='cpu'" in line
    subprocess.run([sys.executable, "-c", COURSE + line], cwd=tmp_path, check=True)
    assert set(torch.load(tmp_path / "weights.pt")) == {"0.weight", "0.bias"}


def run_advice(path: Path, message: str) -> None:
    """Run the command that the refusal of a file prints."""
    with pytest.raises(CheckpointError, match=message) as caught:
        open_model(path, NETWORK)
    command = str(caught.value).splitlines()[1].partition("python -c ")[2]
    subprocess.run(f'"{sys.executable}" -c {command}', shell=True, cwd=path.parent, check=True)


@pytest.mark.proof
def test_the_advice_names_the_module_of_other_models(tmp_path: Path) -> None:
    torch.save({"epoch": 1, "model": torchvision.ops.MLP(2, [2])}, tmp_path / "net.pt")
    run_advice(tmp_path / "net.pt", r"torchvision\.ops\.misc")
    assert set(torch.load(tmp_path / "weights.pt")) == {"0.weight", "0.bias"}


def test_files_of_long_ago_are_converted_by_the_printed_line(tmp_path: Path) -> None:
    state = network(NETWORK).state_dict()
    torch.save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    run_advice(tmp_path / "old.pth", r"until version 1\.5")
    assert_same(open_model(tmp_path / "weights.pt", NETWORK).model.state_dict(), dict(state))


def _keras(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", b"\x89HDF")


ZIPS: dict[str, Callable[[Path], Any]] = {
    "Keras model": _keras,
    "NumPy archive": lambda path: np.savez_compressed(path, a=np.zeros(1000)),
    "TorchScript": lambda path: torch.jit.save(torch.jit.script(nn.Linear(2, 2)), path),
}


@pytest.mark.parametrize("kind", ZIPS)
def test_zips_of_other_tools_are_named(kind: str, tmp_path: Path) -> None:
    ZIPS[kind](tmp_path / "file.npz")
    with pytest.raises(CheckpointError, match=kind) as caught:
        open_model(tmp_path / "file.npz", NETWORK)
    assert "damaged" not in str(caught.value)
