"""Model files: what was saved is what is loaded, and nothing else is."""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from fmnist_cli import models
from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.checkpoints.container import read_digests
from fmnist_cli.checkpoints.metadata import FORMAT_VERSION
from fmnist_cli.errors import CheckpointError, MissingInput, OutputError
from tests.training.small import assert_same


def metadata(**changes: Any) -> dict[str, Any]:
    return {
        "model": {"name": "tutorial", "options": {}, "parameters": 582_026},
        "preparation": {"mean": 0.0, "std": 1.0},
        "recipe": "naïve [bold]",
        **changes,
    }


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "model.pt"
    state = models.build("tutorial").state_dict()
    checkpoint.save(path, state, metadata(), training={"step": 3}, digests=b"12345")
    return path


def rewritten(path: Path, **members: bytes) -> Path:
    """The same zip with some members' content replaced."""
    copy = path.with_name("copy.pt")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(copy, "w") as target:
        for name in source.namelist():
            plain = name.partition("/")[2].replace(".", "_")
            target.writestr(name, members.get(plain, source.read(name)))
    return copy


def test_what_was_saved_is_what_is_loaded(saved: Path) -> None:
    torch.manual_seed(0)
    loaded = checkpoint.load(saved)
    assert_same(loaded.model.state_dict(), models.build("tutorial").state_dict())
    assert not loaded.model.training
    assert loaded.metadata == {"format_version": FORMAT_VERSION, **metadata()}
    assert checkpoint.load_training(saved).training == {"step": 3}
    assert read_digests(saved) == b"12345"
    assert checkpoint.read_metadata(saved) == loaded.metadata


def test_torch_alone_opens_it(saved: Path) -> None:
    content = torch.load(saved, weights_only=True)
    assert set(content) == {"state_dict", "training"}


def test_no_file_names_the_way_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="fmnist train --output"):
        checkpoint.load(tmp_path / "model.pt")


def test_a_model_without_training_state_can_not_be_resumed(saved: Path) -> None:
    plain = saved.with_name("plain.pt")
    checkpoint.save(plain, models.build("tutorial").state_dict(), metadata())
    with pytest.raises(CheckpointError, match="no training state"):
        checkpoint.load_training(plain)


def test_a_newer_format_is_refused_by_name(saved: Path) -> None:
    newer = rewritten(saved, metadata_json=b'{"format_version": 99}')
    with pytest.raises(CheckpointError, match="has format 99"):
        checkpoint.load(newer)


@pytest.mark.parametrize(
    "content",
    [b"", b"[1]", b"{}", b"\xff", b'{"format_version": 1}', b'{"format_version": 1, "model": 3}'],
)
def test_foreign_metadata_is_refused(saved: Path, content: bytes) -> None:
    with pytest.raises(CheckpointError):
        checkpoint.load(rewritten(saved, metadata_json=content))


@pytest.mark.parametrize("place", range(0, 2_300_000, 229_999))
def test_a_flipped_bit_is_detected(saved: Path, place: int) -> None:
    content = bytearray(saved.read_bytes())
    content[place] ^= 0x10
    saved.write_bytes(content)
    try:
        loaded = checkpoint.load(saved)
    except CheckpointError:
        return
    torch.manual_seed(0)  # the flip hit padding that no member holds
    assert_same(loaded.model.state_dict(), models.build("tutorial").state_dict())


@pytest.mark.parametrize("size", [0, 1, 100, 100_000, 2_000_000])
def test_a_truncated_file_is_refused(saved: Path, size: int) -> None:
    saved.write_bytes(saved.read_bytes()[:size])
    with pytest.raises(CheckpointError):
        checkpoint.load(saved)


class Evil:
    """Writes a file when it is unpickled without care."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.write_text, (self.path, "run"))


def test_a_pickle_that_would_run_code_does_not(saved: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    evil = pickle.dumps({"state_dict": Evil(trap)}, protocol=2)
    with pytest.raises(CheckpointError):
        checkpoint.load(rewritten(saved, data_pkl=evil))
    assert not trap.exists()


def test_other_files_are_refused(tmp_path: Path) -> None:
    for name, content in {"text": b"hello", "zip": b"PK\x05\x06" + bytes(18)}.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(CheckpointError):
            checkpoint.load(path)
    with pytest.raises(CheckpointError, match="is a folder"):
        checkpoint.load(tmp_path)


def test_compressed_members_are_refused(saved: Path) -> None:
    bomb = saved.with_name("bomb.pt")
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/metadata.json", bytes(10_000_000))
    with pytest.raises(CheckpointError, match="compressed"):
        checkpoint.load(bomb)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    state = models.build("tutorial").state_dict()
    state["fc.2.bias"][3] = value
    checkpoint.save(tmp_path / "m.pt", state, metadata())
    with pytest.raises(CheckpointError, match="not finite"):
        checkpoint.load(tmp_path / "m.pt")


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.pt"
    checkpoint.save(path, models.build("convnet").state_dict(), metadata())
    with pytest.raises(CheckpointError, match="other weights"):
        checkpoint.load(path)
    state = models.build("tutorial").state_dict()
    state["fc.2.bias"] = state["fc.2.bias"].half()
    checkpoint.save(path, state, metadata())
    with pytest.raises(CheckpointError, match=r"fc\.2\.bias"):
        checkpoint.load(path)


def test_a_failed_save_leaves_the_old_file(saved: Path, tmp_path: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(OutputError):
        checkpoint.save(saved / "below-a-file.pt", {}, metadata())
    with pytest.raises(TypeError):
        checkpoint.save(saved, {}, metadata(bad=object()))
    assert saved.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["model.pt"]
