"""Paired tests against published values and against independent implementations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from radlake.learn.evaluation.paired import delong, delong_interval, mcnemar


def slow_delong(y: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Equations 5 to 8 of DeLong et al. (1988), pair by pair: difference of AUCs and its variance."""
    placed = []
    for scores in (first, second):
        wins = np.array([[float(a > b) + 0.5 * float(a == b) for b in scores[y == 0]] for a in scores[y == 1]])
        placed.append((wins.mean(axis=1), wins.mean(axis=0)))
    (v10a, v01a), (v10b, v01b) = placed
    s10, s01 = np.cov(v10a, v10b), np.cov(v01a, v01b)
    s = s10 / (y == 1).sum() + s01 / (y == 0).sum()
    return float(v10a.mean() - v10b.mean()), float(s[0, 0] + s[1, 1] - 2 * s[0, 1])


def cases(seed: int, n: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.r_[0, 0, 1, 1, rng.integers(0, 2, n - 4)]
    return y, np.round(y + rng.normal(size=n), 1), np.round(0.5 * y + rng.normal(size=n), 1)


@given(st.integers(0, 50))
def test_delong_is_what_its_equations_say(seed: int) -> None:
    y, a, b = cases(seed)
    gap, variance = slow_delong(y, a, b)
    found = delong(y, a, b)
    assert found.difference == pytest.approx(gap, abs=1e-12)
    assert (found.high - found.low) / 2 == pytest.approx(1.959964 * variance**0.5, rel=1e-9)
    assert delong(y, b, a).p == pytest.approx(found.p)


def test_delong_holds_its_level_and_its_interval_its_coverage() -> None:
    inside, small = 0, 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        y = np.repeat([0, 1], 50)
        shared = rng.normal(size=100) + y
        a, b = shared + rng.normal(size=100), shared + rng.normal(size=100)
        low, high = delong_interval(y, a)
        inside += low < 0.6915 < high  # normal CDF of 1 / sqrt(2 + 2)
        small += delong(y, a, b).p < 0.05
    assert inside / 300 == pytest.approx(0.95, abs=0.04)  # three standard errors of 300 draws
    assert small / 300 == pytest.approx(0.05, abs=0.04)


@pytest.mark.parametrize(("only_a", "only_b"), [(10, 25), (0, 3), (7, 7), (600, 500)])
def test_mcnemar_agrees_with_statsmodels(only_a: int, only_b: int) -> None:
    first = np.r_[np.ones(only_a), np.zeros(only_b), np.ones(20)].astype(bool)
    second = np.r_[np.zeros(only_a), np.ones(only_b), np.ones(20)].astype(bool)
    table = [[20, only_a], [only_b, 0]]
    expected = statsmodels_mcnemar(table, exact=only_a + only_b <= 1000, correction=True).pvalue
    assert mcnemar(first, second) == pytest.approx(float(expected))


def test_models_that_never_differ_are_not_told_apart() -> None:
    assert mcnemar([True, False], [True, False]) == 1.0


def test_delong_needs_two_cases_of_each_answer() -> None:
    with pytest.raises(ValueError, match="two positive and two negative"):
        delong([0, 0, 0, 1], [1, 2, 3, 4], [4, 3, 2, 1])
