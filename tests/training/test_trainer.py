"""One loop: it learns, repeats itself and resumes bit for bit."""

import io
from typing import Any

import pytest
import torch

from fmnist_cli.errors import CheckFailed
from fmnist_cli.training.results import Progress, Stopped
from tests.training.small import assert_same, trained, trainer, weights_of


def roundtrip(state: dict[str, Any]) -> dict[str, Any]:
    """Through a file, as `last.pt` does."""
    stream = io.BytesIO()
    torch.save(state, stream)
    stream.seek(0)
    loaded: dict[str, Any] = torch.load(stream, weights_only=True)
    return loaded


def test_it_learns() -> None:
    _, results = trained(epochs=4)
    assert [result.epoch for result in results] == [1, 2, 3, 4]
    assert results[-1].train_loss < results[0].train_loss / 2
    assert results[-1].val_accuracy is not None
    assert results[-1].val_accuracy > 0.9


def test_a_seed_decides_every_weight() -> None:
    first, second, other = (trained(seed=seed)[0] for seed in (3, 3, 4))
    assert_same(weights_of(first), weights_of(second))
    assert not torch.equal(weights_of(first)["fc.2.weight"], weights_of(other)["fc.2.weight"])


AVERAGED = {"ema": 0.9, "schedule": "cosine", "augment": "flip,shift:1"}
"""Eight steps an epoch."""
PRUNED = {"model": "convnet-small", "prune": 0.5, "freeze_stem": 2, "epochs": 3}
"""Eight steps in the first epoch, then six."""


@pytest.mark.parametrize(
    ("options", "stop"),
    [
        ({**AVERAGED, "seed": 0}, 3),  # within the first epoch
        ({**AVERAGED, "seed": 2}, 13),  # within the second
        (PRUNED, 7),
        (PRUNED, 14),  # at the end of the second
        (PRUNED, 17),
    ],
)
def test_resumed_equals_uninterrupted(options: dict[str, Any], stop: int) -> None:
    whole, expected = trained(**options)

    stopped = trainer(**options)
    answers = iter([False] * stop + [True])
    stopped.should_stop = lambda: next(answers)
    with pytest.raises(Stopped):
        list(stopped.fit())
    state = roundtrip(stopped.state_dict())

    resumed = trainer(**options)
    resumed.load_state_dict(state)
    results = list(resumed.fit())

    assert_same(weights_of(whole), weights_of(resumed))
    assert_same(whole.state_dict(), resumed.state_dict())
    for name in ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr"):
        assert getattr(results[-1], name) == getattr(expected[-1], name), name


def test_a_finished_run_can_be_extended_along_the_longer_schedule() -> None:
    short, _ = trained(epochs=2, schedule="linear")
    longer = trainer(epochs=4, schedule="linear")
    longer.load_state_dict(roundtrip(short.state_dict()))
    assert longer.train_step.schedule.lr == pytest.approx(0.001)  # half of the way down from 0.002
    results = list(longer.fit())
    assert [result.epoch for result in results] == [3, 4]
    assert results[-1].lr == pytest.approx(0)


def test_early_stop_counts_epochs_without_a_better_one() -> None:
    made, results = trained(epochs=30, early_stop=2, lr=1e-9)
    assert len(results) < 30
    assert made.best is not None
    assert len(results) == made.best.epoch + 2


def test_the_best_epoch_is_kept() -> None:
    made, results = trained(epochs=3)
    assert made.best is not None
    best = max(results, key=lambda result: result.val_accuracy or 0)
    assert made.best.score == best.val_accuracy
    assert [result.epoch for result in results if result.is_best][-1] == made.best.epoch


def test_monitoring_the_loss_keeps_the_lowest() -> None:
    made, results = trained(epochs=3, monitor="loss")
    losses = [result.val_loss for result in results]
    assert made.best is not None
    assert -made.best.score == min(loss for loss in losses if loss is not None)


def test_without_validation_the_last_epoch_is_kept() -> None:
    made, results = trained(n_val=0, val_size=0)
    assert results[-1].val_accuracy is None
    assert made.best is not None
    assert made.best.epoch == 2
    assert_same(made.best.state_dict, weights_of(made))


def test_a_loss_that_is_not_finite_ends_the_run() -> None:
    made = trainer(lr=0.5)
    with torch.no_grad():
        next(made.train_step.model.parameters()).fill_(float("inf"))
    with pytest.raises(CheckFailed, match=r"lower --lr \(it was 0.5\)"):
        list(made.fit())


def test_progress_is_reported_within_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fmnist_cli.training.trainer._READINGS_PER_SECOND", 1e9)
    reports: list[Progress] = []
    list(trainer(epochs=1).fit(reports.append))
    assert [progress.step for progress in reports] == list(range(1, 9))
    assert all(progress.steps == 8 and progress.images_per_second > 0 for progress in reports)


def test_pruned_epochs_have_fewer_steps_and_the_schedule_ends_with_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps: list[tuple[int, int]] = []
    made = trainer(prune=0.5, epochs=3, schedule="linear", n=256)
    take = made.train_step.step

    def step(*arguments: Any) -> Any:
        steps.append((made.epoch, made._progress(0, 1.0).steps))
        return take(*arguments)

    monkeypatch.setattr(made.train_step, "step", step)
    results = list(made.fit())
    assert steps == [(0, 8)] * 8 + [(1, 6)] * 6 + [(2, 6)] * 6
    assert results[-1].lr == pytest.approx(0)
    assert results[-2].lr == pytest.approx(0.002 * 6 / 20)
