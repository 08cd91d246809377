"""docs/homework.md from the runs."""

import statistics
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.harness import machine
from benchmarks.harness.kept import Kept
from benchmarks.homework.inference import ROUNDS, Use
from benchmarks.homework.training import (
    EXERCISES,
    FEW,
    FEW_EPOCHS,
    HELD_OUT,
    RARE_CLASS,
    SEEDS,
    Difference,
    Exercise,
    Pair,
    pairs,
    time_ratios,
)
from benchmarks.markdown import table
from fmnist_cli.devices import usable_cores

TEMPLATE: Final = Path(__file__).with_suffix(".md")


def render(kept: Kept, use: Use, *, epochs: int) -> str:
    """The page. Every run has to be there."""
    weighted = next(exercise for exercise in EXERCISES if exercise.name == "weights")
    recalls = pairs(kept, weighted, lambda run: run.rare_recall)
    recall_off, recall_on = means(recalls)
    return TEMPLATE.read_text(encoding="utf-8").format(
        where=f"{machine.describe()}; {datetime.now(UTC).date().isoformat()}.",
        epochs=epochs,
        n=len(SEEDS),
        training=table(
            ("exercise", "option", "off", "on", "difference", "time"),
            (cells(kept, exercise) for exercise in EXERCISES),
        ),
        few=f"{FEW:,}",
        few_epochs=FEW_EPOCHS,
        held_out=f"{HELD_OUT:,}",
        rare=RARE_CLASS,
        rare_off=f"{recall_off:.1%}",
        rare_on=f"{recall_on:.1%}",
        rare_difference=points(Difference.of(recalls)),
        cores=usable_cores(),
        images=f"{use.images:,}",
        rounds=ROUNDS,
        inference=table(("exercise", "command", "effect", "time"), uses(use)),
    )


def means(found: list[Pair]) -> Pair:
    """Of the first of each pair and of the second."""
    return statistics.mean(off for off, _ in found), statistics.mean(on for _, on in found)


def cells(kept: Kept, exercise: Exercise) -> list[str]:
    """An exercise's line of the table."""
    accuracies = pairs(kept, exercise, lambda run: run.accuracy)
    off, on = means(accuracies)
    ratios = time_ratios(kept, exercise)
    return [
        exercise.title,
        f"`{exercise.options}`",
        f"{off:.2%}",
        f"{on:.2%}",
        points(Difference.of(accuracies)),
        f"{statistics.median(ratios):.2f}× (n = {len(ratios)})" if ratios else "disturbed",
    ]


def points(difference: Difference) -> str:
    """A difference of shares, in points."""
    mean, low, high = (100 * share for share in (difference.mean, difference.low, difference.high))
    return f"{mean:+.2f} ({low:+.2f} to {high:+.2f})"


def uses(use: Use) -> list[tuple[str, str, str, str]]:
    """Lines of the table of what is done with a trained model."""
    ratio = use.onnx_predict_seconds / use.predict_seconds
    rate = use.images / use.predict_seconds
    onnx_agreement = agreement(use.differing_from_onnx, use.images)
    return [
        (
            "loading a model and predicting",
            "`fmnist predict model.pt pictures`",
            f"{agreement(use.differing_from_report, use.images)} as `evaluate`",
            f"{use.predict_seconds:.1f} s, {rate:,.0f} pictures/s",
        ),
        (
            "`classification_report`",
            "`fmnist evaluate model.pt`",
            f"accuracy {use.accuracy:.2%}, and what belongs beside it",
            f"{use.report_seconds:.1f} s",
        ),
        (
            "ONNX export",
            "`fmnist export-onnx model.pt`",
            f"{use.bytes / 1e6:.2f} MB become {use.onnx_bytes / 1e6:.2f} MB, checked against torch",
            f"{use.export_seconds:.1f} s",
        ),
        (
            "ONNX Runtime",
            "`fmnist predict model.onnx pictures`",
            f"{onnx_agreement} as the .pt file; accuracy {use.onnx_accuracy:.2%}",
            f"{use.onnx_predict_seconds:.1f} s, {ratio:.2f}× torch's",
        ),
    ]


def agreement(differing: int, images: int) -> str:
    """How many answers are the same."""
    if differing:
        return f"{images - differing:,} of {images:,} times the same answer"
    return f"the same {images:,} answers"
