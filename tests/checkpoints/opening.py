"""Open tampered model files and judge what came of it: refused, unchanged, or as it was written."""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
import torch

from fmnist_cli import models
from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.checkpoints.weights import open_model
from fmnist_cli.errors import CheckFailed, DataError
from fmnist_cli.evaluation.model_card import as_text, describe_model
from fmnist_cli.evaluation.training_record import TrainingRecord
from fmnist_cli.inference.torch_backend import TorchClassifier
from fmnist_cli.training.device import resolve_precision
from tests.checkpoints.hostile_models import (
    DAMAGE,
    FORGERY,
    METADATA,
    ZIP_DAMAGE,
    Model,
    Mutation,
    unzipped,
    zipped,
)
from tests.memory import measured
from tests.training.small import trainer
from tests.written_models import metadata, network

NETWORK, OTHER = "convnet-small", "tutorial"
REFUSED, UNCHANGED, AS_WRITTEN = "refused", "unchanged", "as torch reads it"
TORCHS_OWN: Final = tuple(
    f"archive/{name}"
    for name in (".data/serialization_id", ".format_version", ".storage_alignment", "version")
)
CPU: Final = torch.device("cpu")


@dataclass(frozen=True)
class Case:
    """A sound file, how it is opened, and what it holds."""

    model: Model
    network: str | None
    """As `--model` names it."""
    has_training: bool
    has_sums: bool
    sound: tuple[Any, Any, Any]
    """Weights, metadata and training state."""

    @property
    def mutations(self) -> tuple[Mutation, ...]:
        """What can be done to such a file."""
        return (*DAMAGE, *ZIP_DAMAGE, *FORGERY) if self.has_sums else DAMAGE


def cases(folder: Path) -> list[Case]:
    """A model of ours, a run's state, and a bare state dict in each of torch's two forms."""
    with torch.device("meta"):
        models.build("resnet18")  # what a name that is none of ours makes the program import
    training = {
        "trainer": trainer(n=64, model=NETWORK).state_dict(),
        "history": [{"epoch": 1, "val_loss": 0.5, "val_accuracy": None}],
        "seconds": 1.5,
        "output": "model.pt",
    }
    found = []
    for number, form in enumerate(("model", "state", "bare", "old")):
        contents = []
        for name in (NETWORK, OTHER):
            path = folder / f"sound-{form}-{name}.pt"
            if form in ("model", "state"):
                extra = {"training": training} if form == "state" else {}
                weights = network(name).state_dict()
                checkpoint.save(path, weights, metadata(name), **extra)  # type: ignore[arg-type]
            else:
                is_zip = form == "bare"
                stream = io.BytesIO()
                state = network(name).state_dict()
                torch.save(state, stream, _use_new_zipfile_serialization=is_zip)
                path.write_bytes(stream.getvalue())
            contents.append(path.read_bytes())
        shapes = {name: tuple(t.shape) for name, t in network(NETWORK).state_dict().items()}
        model = Model(contents[0], contents[1], shapes, folder / "canary")
        bare = NETWORK if form in ("bare", "old") else None
        path = folder / f"sound-{form}-{NETWORK}.pt"
        has_training = number == 1
        found.append(
            Case(model, bare, has_training, form != "old", _open(path, bare, has_training))
        )
    return found


def _open(path: Path, name: str | None, has_training: bool) -> tuple[Any, Any, Any]:
    """Load a file as the program does, and use all that it says of itself."""
    loaded = checkpoint.load_training(path) if has_training else open_model(path, name)
    precision = resolve_precision("fp32", CPU)
    classifier = TorchClassifier(
        path, loaded.metadata, loaded.model, loaded.normalization, CPU, precision
    )
    for value in describe_model(classifier).values():
        as_text(value)
    TrainingRecord.of(classifier)
    classifier(np.zeros((1, 28, 28), np.uint8))
    return loaded.model.state_dict(), loaded.metadata, loaded.training


@dataclass
class Judgement:
    """What came of one file."""

    outcome: str
    extra_bytes: int


def judge(case: Case, mutation: Mutation, random: Random, path: Path) -> Judgement:
    """Tamper with a file and open it. Any error but the program's own passes through."""
    path.write_bytes(mutation(random, case.model))
    found, message = None, ""
    with measured() as peak:
        try:
            found = _open(path, case.network, case.has_training)
        except (DataError, CheckFailed) as error:  # the latter: finite weights, absurd results
            message = str(error)
    assert not case.model.canary.exists(), "code has run"
    if found is None:
        assert 1 <= len(message.splitlines()) <= 3
        return Judgement(REFUSED, peak.extra_bytes)
    if same(found, case.sound):
        return Judgement(UNCHANGED, peak.extra_bytes)
    assert mutation in FORGERY or not case.has_sums, "a damaged file was taken for a sound one"
    assert same(found, _as_written(path, case))
    return Judgement(AS_WRITTEN, peak.extra_bytes)


def _as_written(path: Path, case: Case) -> tuple[Any, Any, Any]:
    """What torch and a JSON reader find in a file.

    torch also reads what it keeps for itself, such as an id for its statistics, and fails where
    that is damaged; so it is given its own.
    """
    members = unzipped(path.read_bytes())
    own = {name: content for name, content in case.model.members.items() if name in TORCHS_OWN}
    whole = zipped({**members, **own}) if members else path.read_bytes()
    content = torch.load(io.BytesIO(whole), map_location="cpu", weights_only=True)
    if case.network is not None:
        return content, case.sound[1], None
    document = json.loads(members[METADATA])
    return content["state_dict"], document, content["training"] if case.has_training else None


def _bytes(tensor: torch.Tensor) -> tuple[Any, bytes]:
    return tensor.shape, tensor.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes()


def same(one: Any, two: Any) -> bool:
    """Equal in structure, and every tensor bit for bit."""
    if isinstance(one, torch.Tensor) and isinstance(two, torch.Tensor):
        return one.dtype == two.dtype and _bytes(one) == _bytes(two)
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(two, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return type(one) is type(two) and (bool(one == two) or (one != one and two != two))
