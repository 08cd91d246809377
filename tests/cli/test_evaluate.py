"""`fmnist evaluate` as users and scripts meet it."""

import csv
from io import StringIO
from pathlib import Path

import pytest
from PIL import Image
from sklearn.metrics import classification_report

from fmnist_cli.checkpoints.archive import read_metadata
from fmnist_cli.constants import CLASS_NAMES
from tests.cli.conftest import Program
from tests.cli.schemas import parse
from tests.evaluation.evaluated_models import as_onnx, forbid_torch, trained_on

SPEC = "sample:200"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One model with random weights that says it was trained on SPEC: .pt and .onnx."""
    folder = tmp_path_factory.mktemp("models")
    model = trained_on(folder / "m.pt", SPEC)
    return model.path, as_onnx(folder / "m.onnx", model)


@pytest.fixture(scope="module")
def onnx_model(models: tuple[Path, Path]) -> Path:
    """The same as an ONNX file, which starts faster."""
    return models[1]


def test_plain_text_is_scikit_learns_report_and_the_scores(
    fmnist: Program, onnx_model: Path, tmp_path: Path
) -> None:
    predictions = tmp_path / "deep" / "p.csv"
    done = fmnist("evaluate", onnx_model, "--predictions", predictions)
    rows = list(csv.DictReader(StringIO(predictions.read_text())))
    labels = [int(row["label"]) for row in rows]
    predicted = [int(row["predicted_label"]) for row in rows]
    report = classification_report(
        labels, predicted, target_names=CLASS_NAMES, digits=4, zero_division=0
    )
    assert done.stdout.startswith(report)
    facts = done.stdout.removeprefix(report)
    for name in ("accuracy", "95% interval", "loss", "calibration error", "most confused"):
        assert name in facts
    assert f"{SPEC}, test split, 500 images (sample in the package)" in facts
    assert "come from the sample in the package" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_json_fits_its_schema_and_pt_and_onnx_agree(
    fmnist: Program, models: tuple[Path, Path]
) -> None:
    documents = [fmnist.json("evaluate", "-q", model, schema="evaluate") for model in models]
    for model, document in zip(models, documents, strict=True):
        assert document["model"] == str(model)
        assert document["is_sample"] is True
        assert document["seen_in_training"] == 0
    assert documents[0]["confusion_matrix"] == documents[1]["confusion_matrix"]
    assert documents[0]["loss"] == pytest.approx(documents[1]["loss"], abs=1e-5)


def test_csv_has_a_row_per_class(fmnist: Program, onnx_model: Path) -> None:
    done = fmnist("evaluate", "-q", onnx_model, "--format", "csv")
    rows = list(csv.DictReader(StringIO(done.stdout)))
    names = [*CLASS_NAMES, "accuracy", "macro avg", "weighted avg"]
    assert [row["class"] for row in rows] == names
    assert all(row["support"] == "50" for row in rows[:10])


def test_a_missed_gate_exits_3_after_the_report(fmnist: Program, onnx_model: Path) -> None:
    done = fmnist(
        *("evaluate", onnx_model, "--min", "accuracy=0.01"),
        *("--min", "accuracy=0.9999", "--min", "recall[Shirt]=1"),
        code=3,
    )
    assert "weighted avg" in done.stdout
    error = done.stderr.splitlines()[-1]
    assert error.startswith("error: accuracy is 0.")
    assert "0.9999" in error
    assert "recall[Shirt]" in error


def test_val_is_what_training_reported(fmnist: Program, trained_model: Path) -> None:
    metrics = read_metadata(trained_model).metrics
    assert metrics is not None
    document = fmnist.json("evaluate", trained_model, "--split", "val", schema="evaluate")
    assert document["n"] == 100
    assert document["accuracy"] == pytest.approx(metrics.val_accuracy)
    assert document["seen_in_training"] == 0


def test_evaluating_on_the_training_images_is_warned_of(fmnist: Program, onnx_model: Path) -> None:
    done = fmnist("evaluate", onnx_model, "--split", "train", "--format", "json")
    document = parse(done.stdout, "evaluate")
    assert (document["n"], document["seen_in_training"]) == (160, 160)
    assert "warning: the model was trained on 160 of these 160 images, so" in done.stderr


def test_files_are_written_and_need_no_torch(
    fmnist: Program, onnx_model: Path, tmp_path: Path
) -> None:
    forbid_torch(tmp_path)
    page, picture = tmp_path / "out" / "report.html", tmp_path / "out" / "confusion.png"
    fmnist(
        *("evaluate", "-q", onnx_model, "--report", page, "--confusion", picture, "--tta"),
        env={"PYTHONPATH": str(tmp_path)},
        cwd=Path(__file__).parents[2],
    )
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    with Image.open(picture) as image:
        assert image.format == "PNG"
    assert sorted(file.name for file in page.parent.iterdir()) == ["confusion.png", "report.html"]
