"""Each option has its effect: a run that ignored it would fail here."""

import json
import tomllib
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import torch

from fmnist_cli import models
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.errors import UsageError
from fmnist_cli.training.metrics import class_weights
from fmnist_cli.training.options import TrainConfig, size_or_share
from fmnist_cli.training.run_directory import as_options, as_toml
from tests.training.small import CPU, config, squares, trained, trainer, weights_of


def test_plateau_lowers_the_rate_when_nothing_gets_better() -> None:
    _, results = trained(schedule="plateau", lr=1e-6, epochs=8)
    assert results[-1].lr < results[0].lr


def test_the_head_has_its_own_rate() -> None:
    made = trainer(head_lr=0.5)
    head = models.head_of(made.train_step.model)[1]
    assert isinstance(head, torch.nn.Linear)
    groups = made.train_step.optimizer.param_groups
    rates = {parameter: group["lr"] for group in groups for parameter in group["params"]}
    assert rates[head.weight] == rates[head.bias] == 0.5
    assert sorted(set(rates.values())) == [0.002, 0.5]


def loss_of(**options: Any) -> float:
    made = trainer(**options)
    batch = next(iter(made.batches.epoch(0)))
    made.train_step.model.eval()
    return float(made.train_step.loss(batch.images, batch.labels)[1].detach())


def test_label_smoothing_and_class_weights_enter_the_loss() -> None:
    plain = loss_of()
    assert loss_of(label_smoothing=0.3) != plain
    assert loss_of(class_weights="1,2,3,4,5,6,7,8,9,10") != plain
    assert loss_of(class_weights="1,1,1,1,1,1,1,1,1,1") == pytest.approx(plain)


def test_balanced_weights_are_inverse_to_the_classes_shares() -> None:
    labels = np.repeat(np.arange(10), [100] * 9 + [10])
    data = LabeledImages(np.zeros((910, 28, 28), np.uint8), labels)
    found = class_weights(config(class_weights="balanced"), data, CPU)
    assert found is not None
    assert found[9] == pytest.approx(10 * float(found[0]))
    assert float((found * torch.bincount(torch.from_numpy(labels))).sum()) == pytest.approx(910)


def test_class_weights_are_one_for_each_class_of_the_data() -> None:
    with pytest.raises(UsageError, match="3 numbers; expected one for each of 10 classes"):
        loss_of(class_weights="1,2,3")


def test_ema_is_what_is_validated_and_kept() -> None:
    made, _ = trained(ema=0.99, epochs=1)
    averaged = made.train_step.trained.state_dict()["fc.2.weight"]
    assert not torch.equal(averaged, weights_of(made)["fc.2.weight"])
    assert made.best is not None
    assert torch.equal(made.best.state_dict["fc.2.weight"], averaged)


def test_dropout_is_the_networks_unless_given() -> None:
    assert loss_of() == loss_of(dropout=0.0)  # in evaluation mode both are off
    (with_own, _), (without, _) = trained(epochs=1), trained(epochs=1, dropout=0.0)
    assert not torch.equal(weights_of(with_own)["fc.2.weight"], weights_of(without)["fc.2.weight"])


def test_precision_changes_the_arithmetic_only() -> None:
    exact, rough = (trained(epochs=1, precision=precision)[0] for precision in ("fp32", "bf16"))
    a, b = weights_of(exact)["fc.2.weight"], weights_of(rough)["fc.2.weight"]
    assert a.dtype == b.dtype == torch.float32
    assert not torch.equal(a, b)
    assert torch.allclose(a, b, atol=0.02)


def test_compile_gives_the_same_training(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []
    monkeypatch.setattr(
        torch.nn.Module, "compile", lambda self, **options: compiled.append(options)
    )
    trained(epochs=1, compile=True)
    assert compiled == [{"dynamic": False, "mode": None}]


def test_a_split_smaller_than_a_batch_still_trains() -> None:
    _, results = trained(n=20, batch_size=64, epochs=1)
    assert results[0].images_per_second > 0


@pytest.mark.parametrize(
    "options",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"lr": 0.0},
        {"lr": float("nan")},
        {"momentum": 1.5},
        {"prune": 1.5},
        {"ema": 1.0},
        {"seed": 2**64},
        {"threads": 100_000_000},
        {"freeze_stem": 0},
        {"optimizer": "adamx"},
        {"schedule": "cosinus"},
        {"class_weights": "1,-2,3"},
        {"class_weights": "1,1,1,1,1,1,1,1,1,x"},
        {"class_weights": "0,0,0,0,0,0,0,0,0,0"},
        {"augment": "flap"},
        {"augment": "flip:7"},
        {"model": "tutoral"},
        {"early_stop": 2, "val_size": 0},
        {"early_stop": 2, "val_size": 0.0},
        {"val_size": 1.0},
        {"val_size": -0.1},
        {"val_size": float("nan")},
        {"freeze_backbone": True},
        {"schedule": "onecycle", "warmup": 1.0},
        {"batch_size": 33, "nproc": 2},
    ],
)
def test_a_wrong_option_is_refused_at_birth(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        TrainConfig(**options)


def test_the_size_of_the_validation_part_follows_the_data() -> None:
    assert TrainConfig().val_size_for(60_000) == 5_000
    assert TrainConfig().val_size_for(600) == 100
    assert TrainConfig(val_size=0).val_size_for(600) == 0
    assert TrainConfig(val_size=0.1).val_size_for(605) == 60
    assert TrainConfig(val_size=0.0001).val_size_for(600) == 1
    assert TrainConfig(val_size=0.0).val_size_for(600) == 0


@pytest.mark.parametrize("val_size", [0, 1, 5_000, 0.1, 1e-5, None])
def test_a_number_and_a_share_survive_toml_and_json(val_size: float | None) -> None:
    config = TrainConfig(val_size=val_size)
    assert TrainConfig(**json.loads(json.dumps(asdict(config)))) == config
    written = tomllib.loads(as_toml(as_options(config))).get("val-size")
    read = None if written is None else size_or_share(str(written))
    assert (read, type(read)) == (val_size, type(val_size))


def test_training_images_are_untouched_by_training() -> None:
    data = squares(256)
    made = trainer(epochs=1, augment="erase:1")
    before = made.batches.images.clone()
    list(made.fit())
    assert torch.equal(made.batches.images, before)
    assert (data.images == before.numpy()).all()


def test_vision_networks_learn() -> None:
    _, results = trained(n=96, n_val=32, model="mobilenet_v3_small", epochs=3, batch_size=16)
    assert results[-1].train_loss < results[0].train_loss
