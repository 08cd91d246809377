import pytest

from fmnist_cli.errors import GateMissed, UsageError
from fmnist_cli.evaluation import gates
from fmnist_cli.evaluation.scores import score
from tests.evaluation.drawn_answers import answers


@pytest.mark.parametrize("metric", gates.METRICS)
def test_every_metric_is_measured(metric: str) -> None:
    scores = score(*answers(300))
    gate = gates.parse(f"{metric}=0.5")
    assert 0 <= gate.measure(scores) <= 1


def test_metrics_are_those_of_the_report() -> None:
    scores = score(*answers(300))
    report = scores.report
    for text, value in (
        ("accuracy", report["accuracy"]),
        ("f1_macro", report["macro avg"]["f1-score"]),
        ("precision_weighted", report["weighted avg"]["precision"]),
        ("recall[Shirt]", report["Shirt"]["recall"]),
        ("precision[T-shirt/top]", report["T-shirt/top"]["precision"]),
    ):
        assert gates.parse(f"{text}=0").measure(scores) == value


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("acuracy=0.9", "did you mean 'accuracy'"),
        ("recall[shirt]=0.9", r"did you mean 'recall\[Shirt\]'"),
        ("macro_f1=0.9", "did you mean 'f1_macro'"),
        ("accuracy", "expected METRIC=VALUE"),
        ("=", "expected METRIC=VALUE"),
        ("accuracy=92", "a number from 0 to 1"),
        ("accuracy=nan", "a number from 0 to 1"),
        ("accuracy=", "a number from 0 to 1"),
    ],
)
def test_what_is_no_gate_is_refused_with_a_hint(text: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        gates.parse(text)


def test_a_value_that_is_just_reached_passes() -> None:
    scores = score(*answers(300))
    gates.check([gates.Gate("accuracy", scores.accuracy)], scores)


def test_each_missed_gate_is_named() -> None:
    scores = score(*answers(300))
    wanted = [gates.Gate("accuracy", 0.0), *map(gates.parse, ("f1_macro=1", "recall[Bag]=1"))]
    with pytest.raises(GateMissed) as missed:
        gates.check(wanted, scores)
    assert "f1_macro" in str(missed.value)
    assert "recall[Bag]" in str(missed.value)
    assert "accuracy" not in str(missed.value)
