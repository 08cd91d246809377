import numpy as np
import pytest

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.errors import GateMissed, UsageError
from fmnist_cli.evaluation import gates
from fmnist_cli.evaluation.scores import score
from tests.evaluation.evaluated_models import answers

SCORES = score(*answers(300), CLASS_NAMES)


@pytest.mark.parametrize(
    ("metric", "row", "column"),
    [
        ("f1_macro", "macro avg", "f1-score"),
        ("precision_weighted", "weighted avg", "precision"),
        ("recall[Shirt]", "Shirt", "recall"),
        ("precision[T-shirt/top]", "T-shirt/top", "precision"),
    ],
)
def test_metrics_are_those_of_the_report(metric: str, row: str, column: str) -> None:
    gate = gates.parse(f"{metric}=0")
    gate.check_class(CLASS_NAMES)
    assert gate.measure(SCORES) == SCORES.report[row][column]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("acuracy=0.9", "did you mean 'accuracy'"),
        ("recall[shirt]=0.9", "did you mean 'Shirt'"),
        ("f1[Kimono]=0.9", "no class 'Kimono'; expected one of T-shirt/top, Trouser"),
        ("recall[]=0.9", "no class ''"),
        ("macro_f1=0.9", "did you mean 'f1_macro'"),
        ("accuracy", "expected METRIC=VALUE"),
        ("=", "expected METRIC=VALUE"),
        ("accuracy=92", "a number from 0 to 1"),
        ("accuracy=nan", "a number from 0 to 1"),
        ("accuracy=", "a number from 0 to 1"),
    ],
)
def test_an_invalid_gate_is_refused_with_a_hint(text: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        gates.parse(text).check_class(CLASS_NAMES)


def test_classes_are_the_models() -> None:
    labels = np.array([0, 1, 1])
    scores = score(labels, np.eye(2, dtype=np.float32)[[0, 1, 0]], ["a=[b]", "c"])
    gate = gates.parse("recall[a=[b]]=0.5")
    gate.check_class(scores.classes)
    assert gate.measure(scores) == 1
    with pytest.raises(UsageError, match="no class 'Shirt'; expected one of"):
        gates.parse("recall[Shirt]=0.5").check_class(scores.classes)


def test_each_missed_gate_is_named_and_an_equal_score_passes() -> None:
    texts = (f"accuracy={SCORES.accuracy!r}", "f1_macro=1", "recall[Bag]=1")
    wanted = [*map(gates.parse, texts)]
    with pytest.raises(GateMissed) as missed:
        gates.check(wanted, SCORES)
    assert "f1_macro" in str(missed.value)
    assert "recall[Bag]" in str(missed.value)
    assert "accuracy" not in str(missed.value)
    gates.check(wanted[:1], SCORES)
