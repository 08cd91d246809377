from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fmnist_cli.data.sources import open_source
from fmnist_cli.evaluation.comparison import compare_models, mcnemar_p, paired_interval
from fmnist_cli.inference.loading import load
from tests.sample_images import draw
from tests.written_models import write_checkpoint


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


def test_counts_agree_with_the_answers(tmp_path: Path) -> None:
    one, two = load("pretrained", device="cpu"), load(write_checkpoint(tmp_path / "m.pt"))
    data, source = draw(500, "test"), open_source("sample")
    compared = compare_models(one, two, source, "test")
    a, b = one(data.images).argmax(1), two(data.images).argmax(1)
    right_a, right_b = a == data.labels, b == data.labels
    assert (compared.a.accuracy, compared.b.accuracy) == (right_a.mean(), right_b.mean())
    assert compared.difference == pytest.approx(right_b.mean() - right_a.mean())
    assert compared.difference_ci95[0] < compared.difference < compared.difference_ci95[1]
    assert compared.only_a_right == (right_a & ~right_b).sum()
    assert compared.only_b_right == (right_b & ~right_a).sum()
    assert [row["index"] for row in compared.differing] == np.flatnonzero(a != b).tolist()
    first = compared.differing[0]
    index = first["index"]
    assert (first["a"]["label"], first["b"]["label"]) == (a[index], b[index])
    assert first["label"] == data.labels[index]
    assert compared.agreement == pytest.approx((a == b).mean())
    same = compare_models(one, one, source, "test")
    assert (same.difference, same.mcnemar_p, same.agreement) == (0, 1, 1)
    assert same.n_differing == 0
