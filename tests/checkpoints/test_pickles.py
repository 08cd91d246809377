"""Pickles that name more than tensors are refused before anything reads them."""

import io
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fmnist_cli import models
from fmnist_cli.checkpoints import checkpoint, pickles
from fmnist_cli.checkpoints.container import open_container
from fmnist_cli.checkpoints.pickles import StorageRecord, TensorRecord, read_pickle
from fmnist_cli.checkpoints.weights import open_model
from fmnist_cli.errors import CheckpointError, UsageError
from tests.checkpoints.hostile_pickles import PROTO, STOP, Call, Raw, dumps, tensor


class Harmful:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.mark,))


def in_a_zip(content: bytes, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", content)
    return path


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("network", [None, "tutorial"])
def test_code_is_refused_and_not_run(tmp_path: Path, protocol: int, network: str | None) -> None:
    mark = tmp_path / "mark"
    path = in_a_zip(pickle.dumps({"w": Harmful(mark)}, protocol), tmp_path / "m.pt")
    with pytest.raises(CheckpointError, match="could run code"):
        open_model(path, network)
    assert not mark.exists()
    pickle.loads(pickle.dumps(Harmful(mark), protocol))
    assert mark.exists()


def test_a_pickle_that_breaks_off_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    torch.save({"w": torch.zeros(2)}, stream)
    with zipfile.ZipFile(stream) as archive:
        whole = archive.read("archive/data.pkl")
    path = in_a_zip(whole[: len(whole) // 2], tmp_path / "m.pt")
    with (
        open_container(path) as container,
        pytest.raises(CheckpointError, match="can't be followed"),
    ):
        container.content()


WHOLE = TensorRecord(StorageRecord("FloatStorage", "0", 12), 0, (3, 4), (4, 1))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (tensor("0", 12, (3, 4)), WHOLE),
        (tensor("0", 12, (4, 3), (1, 4)), replace(WHOLE, shape=(4, 3), stride=(1, 4))),
        (tensor("0", 12, (), offset=11), replace(WHOLE, shape=(), stride=(), offset=11)),
        (tensor("0", 12, (2,), (11,)), replace(WHOLE, shape=(2,), stride=(11,))),
        ({"a": [1, -1.5, "b", None, True, (2**70,)]},) * 2,
    ],
)
def test_what_torch_writes_is_followed(given: object, expected: object) -> None:
    content = dumps(given)
    assert read_pickle(content + b"rest", "m.pt") == (expected, len(content))


@pytest.mark.parametrize(
    "given",
    [
        tensor("0", 11, (3, 4)),
        tensor("0", 12, (), offset=12),
        tensor("0", 12, (3, 4), offset=1),
        tensor("0", 12, (2,), (12,)),
        tensor("0", 12, (13,), (0,)),
        tensor("0", 12, (3, 4), (4, -1), offset=3),
        tensor("0", 12, (0,)),
        tensor("0", 12, (1,) * 9),
        tensor("0", 12, (True, 4)),
        tensor("0", -1, (1,)),
        tensor("0", 12, (3, 4), kind="UntypedStorage"),
        Call("collections", "OrderedDict", ([],)),
        Call("torch._utils", "_rebuild_parameter", (1, True, {})),
        {(1, 2): 3},
        Raw(b"(]q\x00h\x00t"),
        Raw(b"((]tq\x00h\x00t"),
        Raw(b"h\x07"),
        Raw(b"(N"),
        Raw(b"N(0"),
        Raw(b"NN"),
        Raw(b""),
        Raw(b"}N."),
        Raw(b"ccollections\nOrderedDict\n"),
    ],
)
def test_claims_and_tricks_are_refused(given: object) -> None:
    with pytest.raises(CheckpointError):
        read_pickle(dumps(given), "m.pt")


@pytest.mark.parametrize("operations", [pickles.MAX_OPERATIONS - 3, pickles.MAX_OPERATIONS - 2])
def test_a_pickle_has_so_many_operations_at_most(operations: int) -> None:
    content = PROTO + b"}" + b"q\x00" * operations + STOP
    if operations + 3 <= pickles.MAX_OPERATIONS:
        assert read_pickle(content, "m.pt")[0] == {}
    else:
        with pytest.raises(CheckpointError, match="too long"):
            read_pickle(content, "m.pt")


@pytest.mark.parametrize("old_format", [False, True])
def test_a_whole_pickled_network_is_refused_with_the_way_out(
    tmp_path: Path, old_format: bool
) -> None:
    path = tmp_path / "whole.pt"
    torch.save(models.build("tutorial"), path, _use_new_zipfile_serialization=not old_format)
    with pytest.raises(CheckpointError, match=r"state_dict\(\), 'weights.pt'"):
        open_model(path, "tutorial")


@pytest.mark.parametrize("old_format", [False, True])
@pytest.mark.parametrize("name", ["tutorial", "resnet18"])
def test_bare_weights_are_the_network(tmp_path: Path, name: str, old_format: bool) -> None:
    network = models.build(name).eval()
    weights = network.state_dict()
    path = tmp_path / "weights.pt"
    torch.save(weights, path, _use_new_zipfile_serialization=not old_format)
    opened = open_model(path, name)
    images = torch.rand(3, 1, 28, 28)
    assert torch.equal(opened.model(images), network(images))
    assert opened.normalization == models.network(name).normalization


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    torch.save(models.build("convnet-small").state_dict(), path)
    with pytest.raises(CheckpointError, match="other weights"):
        open_model(path, "tutorial")
    weights = models.build("tutorial").state_dict()
    next(iter(weights.values())).fill_(float("nan"))
    torch.save(weights, path)
    with pytest.raises(CheckpointError, match="not finite"):
        open_model(path, "tutorial")


def test_a_model_of_ours_knows_its_network(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    metadata = {
        "model": {"name": "tutorial", "options": {}},
        "preparation": {"mean": 0.0, "std": 1.0},
    }
    checkpoint.save(path, models.build("tutorial").state_dict(), metadata)
    assert open_model(path, "tutorial").metadata["model"]["name"] == "tutorial"
    with pytest.raises(UsageError, match="holds the network 'tutorial'"):
        open_model(path, "convnet")
