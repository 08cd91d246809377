from pathlib import Path

import numpy as np
import pytest

from benchmarks.harness.kept import Kept
from benchmarks.homework.training import OFF, Difference, Run, find, name, write_few
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.sources import open_source


def test_interval_of_paired_differences() -> None:
    found = Difference.of([(0.80, 0.81), (0.82, 0.84), (0.81, 0.84)])
    # Differences of 1, 2 and 3 points: deviation 1, t of 2 degrees of freedom 4.303.
    assert found.mean == pytest.approx(0.02)
    half = 4.3027 * 0.01 / 3**0.5
    assert (found.low, found.high) == pytest.approx((0.02 - half, 0.02 + half), abs=1e-6)


def test_one_pair_has_no_interval() -> None:
    with pytest.raises(ValueError, match="two pairs"):
        Difference.of([(0.8, 0.9)])


def test_runs_are_kept_by_exercise_and_seed(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "runs.json")
    assert find(kept, OFF, 0) is None
    kept.keep(name(OFF, 0), {"accuracy": 0.9, "rare_recall": 0.7, "seconds": 20.0})
    assert find(kept, OFF, 0) == Run(0.9, 0.7, 20.0)
    assert find(kept, OFF, 1) is None


def test_few_images_are_judged_on_others_of_the_training_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (7_000, 28, 28), dtype=np.uint8)
    labels = random.integers(0, 10, 7_000)
    split = LabeledImages(images, labels)
    monkeypatch.setattr("benchmarks.homework.training.official_training_split", lambda: split)
    write_few(tmp_path / "few", seed=3)
    source = open_source(str(tmp_path / "few"))
    few, held_out = source.read("train"), source.read("test")
    assert (len(few), len(held_out)) == (1_000, 5_000)
    known = {image.tobytes() for image in few.images}
    assert not any(image.tobytes() in known for image in held_out.images)
    assert known <= {image.tobytes() for image in images}
