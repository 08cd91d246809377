"""Model files: what was saved is what is loaded, and nothing else is."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from fmnist_cli import models
from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.checkpoints.archive import read_digests, read_metadata
from fmnist_cli.checkpoints.metadata import ModelMetadata, NetworkRecord
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.errors import CheckpointError, OutputError
from tests.training.small import assert_same

METADATA = ModelMetadata(
    NetworkRecord("tutorial", parameters=582_026), Normalization.RAW, recipe="naïve [bold]"
)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "model.pt"
    state = models.build("tutorial").state_dict()
    checkpoint.save(path, state, METADATA, training={"step": 3}, digests=b"12345")
    return path


def test_what_was_saved_is_what_is_loaded(saved: Path) -> None:
    torch.manual_seed(0)
    loaded = checkpoint.load(saved)
    assert_same(loaded.model.state_dict(), models.build("tutorial").state_dict())
    assert not loaded.model.training
    assert loaded.metadata == METADATA
    assert loaded.training == checkpoint.load_training(saved).training == {"step": 3}
    assert read_digests(saved) == b"12345"
    assert read_metadata(saved) == METADATA
    assert set(torch.load(saved, weights_only=True)) == {"state_dict", "training"}


def test_a_model_without_training_state_can_not_be_resumed(saved: Path) -> None:
    checkpoint.save(saved, models.build("tutorial").state_dict(), METADATA)
    with pytest.raises(CheckpointError, match="no training state"):
        checkpoint.load_training(saved)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not written by fmnist"),
        (b"[1]", "'.*copy.pt': its metadata.json is not a JSON object"),
        (b" " * 2_000_000, "too large"),
    ],
)
def test_foreign_metadata_is_refused(saved: Path, content: bytes, message: str) -> None:
    copy = saved.with_name("copy.pt")
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(copy, "w") as target:
        for name in source.namelist():
            target.writestr(name, content if name.endswith(".json") else source.read(name))
    with pytest.raises(CheckpointError, match=message):
        checkpoint.load(copy)


def test_other_files_are_refused(saved: Path, tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10_000_000))
    endless = bytearray(saved.read_bytes())
    endless[-10:-6] = (10**9).to_bytes(4, "little")  # the directory's size
    for content, message in (
        (b"hello", "of an unknown kind"),
        (b"PK\x05\x06" + bytes(18), "of an unknown kind"),
        (stream.getvalue(), "compressed"),
        (bytes(endless), "too many members"),
    ):
        (tmp_path / "other").write_bytes(content)
        with pytest.raises(CheckpointError, match=message):
            checkpoint.load(tmp_path / "other")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state["fc.2.bias"].fill_(float("nan")), "not finite"),
        (lambda state: state["fc.2.bias"].fill_(float("inf")), "not finite"),
        (lambda state: state.update({"fc.2.bias": state["fc.2.bias"].half()}), r"fc\.2\.bias"),
        (lambda state: state.update({"fc.2.bias": torch.zeros(9)}), r"bias' is \[9\].*\[10\]"),
        (lambda state: state.update({"fc.2.bias": torch.zeros(1).expand(10)}), "larger than"),
        (lambda state: state.pop("fc.2.bias"), r"'fc\.2\.bias' is missing"),
        (lambda state: state.update(more=torch.zeros(1)), "'more' is not part"),
        (lambda state: state.update(more=torch.zeros(15_000_000)), "far more values"),
    ],
)
def test_weights_that_do_not_fit_are_refused(tmp_path: Path, change: Any, message: str) -> None:
    state = models.build("tutorial").state_dict()
    change(state)
    checkpoint.save(tmp_path / "m.pt", state, METADATA)
    with pytest.raises(CheckpointError, match=message):
        checkpoint.load(tmp_path / "m.pt")


def test_a_failed_save_leaves_the_old_file(saved: Path, tmp_path: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(OutputError):
        checkpoint.save(saved / "below-a-file.pt", {}, METADATA)
    with pytest.raises(ValueError, match="JSON"):
        checkpoint.save(saved, {}, replace(METADATA, temperature=float("nan")))
    assert saved.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["model.pt"]
