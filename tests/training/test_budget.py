"""A time budget: the clock drives the schedule, and the run ends in time."""

import time

import pytest

from fmnist_cli.training.optimizer import Budget
from fmnist_cli.training.trainer import Trainer
from tests.training.small import trainer


class Clock:
    """A clock that advances by a fixed step at each reading."""

    def __init__(self, tick: float) -> None:
        self.now, self.tick = 0.0, tick

    def __call__(self) -> float:
        self.now += self.tick
        return self.now


def budgeted(monkeypatch: pytest.MonkeyPatch, seconds: float, tick: float) -> Trainer:
    monkeypatch.setattr(time, "monotonic", Clock(tick))
    return trainer(schedule="linear", lr=0.01, budget=Budget(seconds))


def test_the_schedule_is_finished_when_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    results = list(budgeted(monkeypatch, seconds=20, tick=0.2).fit())
    assert results[-1].lr == pytest.approx(0, abs=2e-4)  # a fiftieth of the peak
    assert results[-1].epoch == results[-1].epochs
    assert len(results) > 2
    assert [result.lr for result in results] == sorted((r.lr for r in results), reverse=True)


def test_more_time_is_more_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    short = len(list(budgeted(monkeypatch, seconds=2, tick=0.25).fit()))
    long = len(list(budgeted(monkeypatch, seconds=8, tick=0.25).fit()))
    assert long > 2 * short


def test_a_budget_that_is_spent_still_trains_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    results = list(budgeted(monkeypatch, seconds=0.01, tick=1.0).fit())
    assert len(results) == 1


def test_a_resumed_budget_goes_on_where_it_was() -> None:
    budget = Budget(100.0)
    budget.resume_at(0.75)
    assert budget.share_spent() == pytest.approx(0.75, abs=0.01)
    assert budget.seconds_left() == pytest.approx(25, abs=1)
    budget.reserve(20)
    assert budget.seconds == 80
