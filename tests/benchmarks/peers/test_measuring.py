from pathlib import Path

import pytest

from benchmarks.peers.contestant import SHOWN, Contestant, last_number
from benchmarks.peers.environment import Installed, ours
from benchmarks.peers.measuring import Measurement, Result, measure, rate

TRAINER = """
import sys, time, torch
weight = torch.zeros(1, requires_grad=True)
for _ in range(int(sys.argv[1])):
    time.sleep(0.02)
    weight.sum().backward()
print(0.5)
"""


def test_rate_leaves_out_what_lies_between_epochs() -> None:
    steps = [10.0, 11.0, 12.0, 50.0, 52.0, 54.0]  # two epochs of three steps, 30 s of judging
    assert rate(steps, 2, batch_size=100, images=300) == pytest.approx(200 / 3)


def test_rate_knows_a_smaller_last_batch_and_one_left_out() -> None:
    assert rate([0.0, 1.0, 2.0], 1, batch_size=100, images=250) == pytest.approx(150 / 2)
    assert rate([0.0, 1.0], 1, batch_size=100, images=250) == pytest.approx(100)


def test_rate_knows_later_epochs_of_fewer_images() -> None:
    steps = [0.0, 1.0, 2.0, 9.0, 10.0, 20.0, 21.0]  # three steps, then two, and two
    found = rate(steps, 3, batch_size=100, images=300, later_images=250)
    assert found == pytest.approx((200 + 100 + 100) / 4)
    with pytest.raises(ValueError, match="steps are no"):
        rate(steps, 3, batch_size=100, images=300, later_images=150)


@pytest.mark.parametrize("steps", [4, 5, 12])
def test_rate_refuses_steps_that_are_no_epochs(steps: int) -> None:
    with pytest.raises(ValueError, match="steps are no"):
        rate([float(number) for number in range(steps)], 2, batch_size=100, images=300)


def contestant(tmp_path: Path, steps: int, max_steps: int | None = None) -> Contestant:
    program = tmp_path / "trainer.py"
    program.write_text(TRAINER)
    return Contestant(
        name="one",
        title="one",
        distribution="torch",
        commands=(f"python {program} {steps}",),
        epochs=1,
        batch_size=20_000,
        max_steps=max_steps,
        read_accuracy=last_number,
        source="",
    )


def test_training_is_timed_from_outside(tmp_path: Path) -> None:
    whole = measure(contestant(tmp_path, steps=3), ours(), SHOWN)
    assert whole.steps == 3
    assert whole.accuracy == 0.5
    assert whole.start_seconds < whole.seconds
    assert 0 < whole.images_per_second <= 20_000 / 0.02


def test_training_is_stopped_after_its_steps(tmp_path: Path) -> None:
    cut = measure(contestant(tmp_path, steps=1_000_000, max_steps=4), ours(), SHOWN)
    assert cut.steps == 4
    assert cut.accuracy is None


def test_results_come_back_from_their_file(tmp_path: Path) -> None:
    baseline = Measurement(20.0, 4.0, 6_000.0, 0.83, 234)
    measured = Measurement(100.0, 5.0, 500.0, None, 80)
    result = Result(measured, baseline, Installed("1.0", "MIT", 3, 1_000), "2026-11-24")
    result.save(tmp_path / "results" / "one.json")
    assert Result.load(tmp_path / "results" / "one.json") == result
    assert result.ratio == 12
