"""The exercises that use a trained model: they change no answer, which is shown, and take time."""

import csv
import json
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PIL import Image

from benchmarks.homework.training import FEW_EPOCHS, HELD_OUT, write_few
from benchmarks.program import fmnist
from fmnist_cli.data.sources import open_source

ROUNDS: Final = 3


@dataclass(frozen=True, slots=True)
class Use:
    """What came of using one model in four ways, on the same held-out images."""

    images: int
    accuracy: float
    """By `evaluate` of the .pt file."""
    onnx_accuracy: float
    report_seconds: float
    """Median time of the whole command; the following ones too."""
    predict_seconds: float
    onnx_predict_seconds: float
    export_seconds: float
    differing_from_report: int
    """Pictures for which `predict` and `evaluate` give different classes."""
    differing_from_onnx: int
    """Pictures for which the two model files do."""
    bytes: int
    onnx_bytes: int


def use() -> dict[str, Any]:
    """Train a small model once and use it; gives the fields of `Use`."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_few(folder / "few", seed=0)
        write_pngs(folder)
        data = ("--recipe", "tutorial", "--data", "few", "--epochs", str(FEW_EPOCHS))
        fmnist("train", "--quiet", *data, "--val-size", "0", cwd=folder)
        seconds: dict[str, list[float]] = {}

        def timed(name: str, *arguments: str) -> str:
            started_at = time.perf_counter()
            output = fmnist(*arguments, cwd=folder)
            seconds.setdefault(name, []).append(time.perf_counter() - started_at)
            return output

        for _ in range(ROUNDS):
            timed("export", "export-onnx", "model.pt")
            timed("report", "evaluate", "model.pt")
            answers = timed("predict", "predict", "model.pt", "pictures", "--format", "jsonl")
            onnx_answers = timed("onnx", "predict", "model.onnx", "pictures", "--format", "jsonl")
        scores = {
            name: json.loads(fmnist("evaluate", name, "--format", "json", cwd=folder))
            for name in ("model.pt", "model.onnx")
        }
        fmnist("evaluate", "model.pt", "--predictions", "answers.csv", cwd=folder)
        with (folder / "answers.csv").open(encoding="utf-8", newline="") as file:
            reported = [int(row["predicted_label"]) for row in csv.DictReader(file)]
        predicted, onnx_predicted = labels(answers), labels(onnx_answers)
        medians = {name: statistics.median(times) for name, times in seconds.items()}
        return {
            "images": len(reported),
            "accuracy": scores["model.pt"]["accuracy"],
            "onnx_accuracy": scores["model.onnx"]["accuracy"],
            "report_seconds": medians["report"],
            "predict_seconds": medians["predict"],
            "onnx_predict_seconds": medians["onnx"],
            "export_seconds": medians["export"],
            "differing_from_report": differing(predicted, reported),
            "differing_from_onnx": differing(predicted, onnx_predicted),
            "bytes": (folder / "model.pt").stat().st_size,
            "onnx_bytes": (folder / "model.onnx").stat().st_size,
        }


def write_pngs(folder: Path) -> None:
    """Write the held-out images of `folder/few` as pictures whose names sort in their order."""
    (folder / "pictures").mkdir()
    held_out = open_source(str(folder / "few")).read("test")
    assert len(held_out) == HELD_OUT
    for number, image in enumerate(held_out.images):
        Image.fromarray(image).save(folder / "pictures" / f"{number:05}.png")


def labels(answers: str) -> list[int]:
    """Labels in lines of JSON that `predict` has written."""
    return [int(json.loads(line)["label"]) for line in answers.splitlines()]


def differing(first: list[int], second: list[int]) -> int:
    """How many answers differ. Raises ValueError where their numbers do."""
    return sum(one != other for one, other in zip(first, second, strict=True))
