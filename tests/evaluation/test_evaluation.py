import csv
from io import StringIO
from pathlib import Path

import numpy as np

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.sources import open_source
from fmnist_cli.evaluation.evaluation import evaluate
from tests.evaluation.evaluated_models import trained_on

SPEC = "sample:200"


def test_all_digits_of_the_predictions_are_saved(tmp_path: Path) -> None:
    evaluation = evaluate(trained_on(tmp_path / "m.pt", SPEC), open_source(SPEC))
    rows = list(csv.DictReader(StringIO(evaluation.predictions_csv())))
    assert len(rows) == evaluation.scores.n == 500
    predicted = [int(row["predicted_label"]) for row in rows]
    assert predicted == evaluation.probabilities.argmax(axis=1).tolist()
    assert [int(row["label"]) for row in rows] == evaluation.images.labels.tolist()
    saved = np.array([[row[f"p{k}"] for k in range(10)] for row in rows], np.float32)
    np.testing.assert_array_equal(saved, evaluation.probabilities)
    assert [int(row["index"]) for row in rows] == list(range(500))
    assert {row["class"] for row in rows} == set(CLASS_NAMES)


def test_tta_averages_each_image_and_its_mirror_image(tmp_path: Path) -> None:
    model = trained_on(tmp_path / "m.pt", SPEC)
    source = open_source(SPEC)
    images = source.read("test").images
    averaged = (model(images) + model(images[:, :, ::-1].copy())) / 2
    np.testing.assert_allclose(evaluate(model, source, tta=True).probabilities, averaged, atol=1e-6)
