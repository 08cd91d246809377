import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.evaluation.scores import (
    calibrate,
    cross_entropy,
    score,
    wilson_interval,
)
from tests.evaluation.evaluated_models import answers


def test_report_is_scikit_learns() -> None:
    labels, probabilities = answers(500)
    predictions = probabilities.argmax(axis=1)
    scores = score(labels, probabilities, CLASS_NAMES)
    assert scores.report == metrics.classification_report(
        labels, predictions, target_names=CLASS_NAMES, output_dict=True
    )
    assert scores.report_text == metrics.classification_report(
        labels, predictions, target_names=CLASS_NAMES, digits=4
    )
    assert scores.accuracy == metrics.accuracy_score(labels, predictions)
    assert scores.loss == pytest.approx(metrics.log_loss(labels, probabilities), rel=1e-6)
    expected = metrics.confusion_matrix(labels, predictions)
    np.testing.assert_array_equal(scores.confusion_matrix, expected)


def test_classes_without_images_are_scored_without_a_warning() -> None:
    labels, probabilities = answers(20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = score(np.zeros_like(labels), probabilities, CLASS_NAMES)
    assert scores.report["Bag"]["support"] == 0
    assert scores.report["accuracy"] == scores.accuracy


@given(st.integers(1, 70_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_interval_is_scipys_wilson(counts: tuple[int, int]) -> None:
    successes, n = counts
    expected = stats.binomtest(successes, n).proportion_ci(method="wilson")
    assert wilson_interval(successes, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_a_probability_of_zero_gives_a_finite_loss() -> None:
    probabilities = np.eye(10, dtype=np.float32)[[3]]
    assert cross_entropy(np.array([3]), probabilities) == 0
    assert 80 < cross_entropy(np.array([4]), probabilities) < 90


def test_most_confused_pairs_are_counted_by_true_class() -> None:
    labels = np.array([6, 6, 6, 6, 0, 0, 1])
    predictions = np.array([0, 0, 4, 6, 6, 0, 1])
    probabilities = np.eye(10, dtype=np.float32)[predictions]
    pairs = score(labels, probabilities, CLASS_NAMES).most_confused
    assert [(pair.true, pair.predicted, pair.count, pair.share) for pair in pairs] == [
        ("Shirt", "T-shirt/top", 2, 0.5),
        ("T-shirt/top", "Shirt", 1, 0.5),
        ("Shirt", "Coat", 1, 0.25),
    ]


def test_calibration_error_by_hand() -> None:
    # Four predictions with 0.7, three of them right: |0.75 - 0.7|; a wrong one with 1.0: 1.
    probabilities = np.full((5, 10), 0.3 / 9, np.float32)
    probabilities[:, 0] = 0.7
    probabilities[4] = np.eye(10)[0]
    labels = np.array([0, 0, 0, 1, 1])
    calibration = calibrate(labels, probabilities)
    assert calibration.counts.sum() == 5
    assert calibration.counts[10] == 4  # (10/15, 11/15]
    assert calibration.counts[14] == 1
    assert calibration.error == pytest.approx(0.8 * 0.05 + 0.2 * 1.0, abs=1e-6)


def test_a_calibrated_model_has_no_calibration_error() -> None:
    labels, probabilities = answers(200_000)
    assert calibrate(labels, probabilities).error < 0.01
