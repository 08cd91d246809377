from pathlib import Path

from benchmarks.harness.kept import Kept
from benchmarks.homework.inference import Use, differing, labels
from benchmarks.homework.page import points, render
from benchmarks.homework.training import EXERCISES, OFF, OFF_FEW, SEEDS, Difference, name

USE = Use(
    images=5_000,
    accuracy=0.8,
    onnx_accuracy=0.8,
    report_seconds=3.0,
    predict_seconds=5.0,
    onnx_predict_seconds=2.5,
    export_seconds=4.0,
    differing_from_report=0,
    differing_from_onnx=1,
    bytes=2_300_000,
    onnx_bytes=2_340_000,
)


def test_points() -> None:
    assert points(Difference(0.0125, -0.001, 0.026)) == "+1.25 (-0.10 to +2.60)"


def test_answers_are_compared_one_by_one() -> None:
    lines = '{"input": "a", "label": 9}\n{"input": "b", "label": 2}\n'
    assert labels(lines) == [9, 2]
    assert differing([9, 2, 1], [9, 3, 1]) == 1


def test_page_shows_every_figure(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "runs.json")
    for seed in SEEDS:
        for exercise in (OFF, OFF_FEW, *EXERCISES):
            is_on = exercise in EXERCISES
            accuracy = 0.85 + 0.02 * is_on + 0.001 * seed
            recall = 0.6 + 0.1 * (exercise.name == "weights")
            run = {
                "accuracy": accuracy,
                "rare_recall": recall,
                "seconds": 20.0 + 2 * is_on if seed else None,
            }
            kept.keep(name(exercise, seed), run)
    page = render(kept, USE, epochs=3)
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    for exercise in EXERCISES:
        (row,) = (line for line in rows if f"`{exercise.options}`" in line)
        assert "| 85.10% | 87.10% | +2.00 (+2.00 to +2.00) | 1.10× (n = 2) |" in row
    assert "from 60.0% to 70.0%, by +10.00" in page
    assert "5.0 s, 1,000 pictures/s" in page
    assert "2.5 s, 0.50× torch's" in page
    assert "the same 5,000 answers as `evaluate`" in page
    assert "4,999 of 5,000 times the same answer as the .pt file" in page
