"""Means and intervals over seeds, beside SciPy's."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fmnist_cli.runs.groups import Estimate, Group, group_by_options, paired_difference, t_quantile
from fmnist_cli.runs.record import find_runs
from tests.runs.written_runs import write_run


@pytest.mark.parametrize("df", [1, 2, 3, 4, 5, 6, 9, 10, 29, 100, 999])
def test_quantiles_are_scipys(df: int) -> None:
    assert t_quantile(df) == pytest.approx(stats.t.ppf(0.975, df), rel=1e-9)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_intervals_are_scipys(values: list[float]) -> None:
    estimate = Estimate.of(values)
    n, mean, error = len(values), np.mean(values), stats.sem(values)
    half = stats.t.ppf(0.975, n - 1) * error
    assert estimate.mean == pytest.approx(mean)
    assert estimate.ci95 == pytest.approx((mean - half, mean + half), abs=1e-9)


def test_too_few_values_have_no_interval() -> None:
    assert Estimate.of([]) == Estimate(0, None, None)
    assert Estimate.of([0.9]) == Estimate(1, 0.9, None)


def two_groups(folder: Path, plain: dict[int, float], smooth: dict[int, float]) -> list[Group]:
    """The groups of runs with these accuracies by seed."""
    for seed, accuracy in plain.items():
        write_run(folder / f"a{seed}", (accuracy,), seed=seed)
    for seed, accuracy in smooth.items():
        write_run(folder / f"b{seed}", (accuracy,), seed=seed, label_smoothing=0.1)
    return group_by_options(find_runs([folder])[0])


def test_the_interval_of_an_accuracy_is_clipped_and_that_of_a_difference_is_not(
    tmp_path: Path,
) -> None:
    first, second = two_groups(tmp_path, {0: 0.1, 1: 0.16}, {0: 0.99, 1: 0.91})
    assert first.val_accuracy.ci95 == pytest.approx((0, 0.13 + 12.7062 * 0.03), abs=1e-5)
    assert second.val_accuracy.ci95 == pytest.approx((0.95 - 12.7062 * 0.04, 1), abs=1e-5)
    difference = paired_difference(first, second).estimate.ci95
    assert difference == pytest.approx((0.82 - 12.7062 * 0.07, 0.82 + 12.7062 * 0.07), abs=1e-5)


def test_groups_differ_in_more_than_the_seed_and_are_paired_by_it(tmp_path: Path) -> None:
    plain, smooth = {0: 0.90, 1: 0.91, 2: 0.93}, {1: 0.92, 2: 0.95, 3: 0.99}
    first, second = two_groups(tmp_path, plain, smooth)
    assert first.by_seed == plain
    assert second.by_seed == smooth
    difference = paired_difference(first, second)
    expected = stats.ttest_rel([0.92, 0.95], [0.91, 0.93]).confidence_interval(0.95)
    assert difference.seeds == [1, 2]
    assert difference.estimate.mean == pytest.approx(0.015)
    assert difference.estimate.ci95 == pytest.approx((expected.low, expected.high))
