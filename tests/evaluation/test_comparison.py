import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fmnist_cli.errors import DataError
from fmnist_cli.evaluation.comparison import mcnemar_p, paired_interval, score_pair
from tests.evaluation.evaluated_models import answers


@given(st.integers(0, 24).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_small_mcnemar_is_scipys_binomial_test(counts: tuple[int, int]) -> None:
    only_a, discordant = counts
    expected = stats.binomtest(only_a, discordant).pvalue if discordant else 1.0
    assert mcnemar_p(only_a, discordant - only_a) == pytest.approx(expected, rel=1e-9)


@given(st.integers(0, 3000), st.integers(25, 3000))
def test_large_mcnemar_is_scipys_chi_squared(only_a: int, only_b: int) -> None:
    statistic = max(0, abs(only_a - only_b) - 1) ** 2 / (only_a + only_b)
    expected = stats.chi2.sf(statistic, df=1)
    assert mcnemar_p(only_a, only_b) == pytest.approx(expected, rel=1e-6, abs=1e-300)


def test_paired_interval_covers_the_true_difference_in_95_of_100_samples() -> None:
    random = np.random.default_rng(0)
    n, shares = 1_000, (0.06, 0.03, 0.91)  # only A right, only B right, the same
    held = 0
    for only_a, only_b, _ in random.multinomial(n, shares, size=2_000):
        low, high = paired_interval(int(only_a), int(only_b), n)
        held += low <= shares[1] - shares[0] <= high
    assert 0.935 <= held / 2_000 <= 0.965


def test_counts_agree_with_the_answers() -> None:
    labels, a = answers(400)
    _, b = answers(400, seed=1)
    compared = score_pair(labels, a, b)
    right_a, right_b = a.argmax(1) == labels, b.argmax(1) == labels
    assert compared.accuracy == (right_a.mean(), right_b.mean())
    assert compared.difference == pytest.approx(right_b.mean() - right_a.mean())
    assert compared.difference_ci95[0] < compared.difference < compared.difference_ci95[1]
    assert compared.only_a_right == (right_a & ~right_b).sum()
    assert compared.only_b_right == (right_b & ~right_a).sum()
    np.testing.assert_array_equal(compared.differing, np.flatnonzero(a.argmax(1) != b.argmax(1)))
    assert compared.agreement == pytest.approx(1 - len(compared.differing) / 400)


def test_a_model_agrees_with_itself() -> None:
    labels, a = answers(50)
    compared = score_pair(labels, a, a)
    assert (compared.difference, compared.mcnemar_p, compared.agreement) == (0, 1, 1)
    assert len(compared.differing) == 0


def test_no_images_is_an_error() -> None:
    nothing = np.zeros((0, 10), np.float32)
    with pytest.raises(DataError, match="no images"):
        score_pair(np.zeros(0, np.int64), nothing, nothing)
