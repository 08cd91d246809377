"""A run is resumed from a state that a run wrote; any other is refused."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.checkpoints.metadata import ModelMetadata
from fmnist_cli.errors import CheckFailed, CheckpointError
from fmnist_cli.training.options import TrainConfig
from fmnist_cli.training.run import Run
from fmnist_cli.training.trainer import Trainer

Change = Callable[[dict[str, Any], dict[str, Any]], object]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> checkpoint.Checkpoint:
    """What a short run leaves."""
    folder = tmp_path_factory.mktemp("run")
    config = TrainConfig(data="sample:200", model="convnet-small", epochs=1, batch_size=50)
    list(Run(config, output=folder / "model.pt", run_dir=folder).epochs())
    return checkpoint.load_training(folder / "last.pt")


def changed(state: checkpoint.Checkpoint, change: Change, folder: Path) -> None:
    """Write a state file with one change in its metadata or training state."""
    document, training = state.metadata.to_json(), copy.deepcopy(state.training)
    assert training is not None
    change(document, training)
    metadata = ModelMetadata.parse(json.dumps(document))
    checkpoint.save(folder / "last.pt", state.model.state_dict(), metadata, training=training)


CHANGES: dict[str, Change] = {
    "no trainer": lambda _, training: training.pop("trainer"),
    "no epoch": lambda _, training: training["trainer"].pop("epoch"),
    "a best of nothing": lambda _, training: training["trainer"].update(best={}),
    "no history": lambda _, training: training.pop("history"),
    "a history that is a number": lambda _, training: training.update(history=5),
    "a history of words": lambda _, training: training["history"][0].update(val_loss="low"),
    "a history of other epochs": lambda _, training: training.update(history=[]),
    "a time that is no number": lambda _, training: training.update(seconds="long"),
    "no output": lambda _, training: training.pop("output"),
    "no config": lambda metadata, _: metadata.pop("config"),
    "options of other types": lambda metadata, _: metadata["config"].update(lr="high"),
    "no data": lambda metadata, _: metadata.pop("data"),
    "weights of another network": lambda _, training: training["trainer"]["train_step"].update(
        model={"w": torch.zeros(1)}
    ),
    "an optimizer of nothing": lambda _, training: training["trainer"]["train_step"].update(
        optimizer={}
    ),
    "a meter of another shape": lambda _, training: training["trainer"].update(
        meter=torch.zeros(99)
    ),
    "a schedule that is a list": lambda _, training: training["trainer"]["train_step"].update(
        schedule=[]
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_state_that_does_not_fit_its_run_is_refused(
    state: checkpoint.Checkpoint, name: str, tmp_path: Path
) -> None:
    changed(state, CHANGES[name], tmp_path)
    with pytest.raises(CheckpointError, match="unknown training state"):
        list(Run.resume(str(tmp_path), {"epochs": 2}).epochs())


def test_too_little_memory_is_not_blamed_on_the_state(
    state: checkpoint.Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load_state_dict(*_: object) -> None:
        raise torch.OutOfMemoryError

    changed(state, lambda *_: None, tmp_path)
    monkeypatch.setattr(Trainer, "load_state_dict", load_state_dict)
    with pytest.raises(CheckFailed, match="too little memory"):
        list(Run.resume(str(tmp_path), {"epochs": 2}).epochs())


def test_what_was_not_changed_is_resumed(state: checkpoint.Checkpoint, tmp_path: Path) -> None:
    changed(state, lambda _, training: training.update(output=str(tmp_path / "m.pt")), tmp_path)
    (result,) = Run.resume(str(tmp_path), {"epochs": 2}).epochs()
    assert result.epoch == 2
