"""Intervals and tests: patients are drawn as a whole, coverage is right, published formulas hold."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from radlake.learn.intervals import bootstrap_p, interval, patient_weights, resampled_t


def test_patients_are_drawn_with_all_their_cases() -> None:
    patients = np.array([7, 7, 7, 1, 1, 4])
    w = patient_weights(patients, replicates=4000, rng=np.random.default_rng(0))
    assert (w[:, 0] == w[:, 1]).all()
    assert (w[:, 3] == w[:, 4]).all()
    assert set((w[:, 0] + w[:, 3] + w[:, 5]).tolist()) == {3.0}
    assert w.mean(axis=0) == pytest.approx(np.ones(6), abs=0.06)
    assert w[:, 0].var() == pytest.approx(2 / 3, abs=0.06)  # binomial(3, 1/3)


def test_clustered_cases_give_the_wider_interval() -> None:
    rng = np.random.default_rng(5)
    values = np.repeat(rng.normal(size=60), 4)
    widths = []
    for patients in (np.repeat(np.arange(60), 4), np.arange(240)):
        w = patient_weights(patients, replicates=2000, rng=np.random.default_rng(1)).astype(float)
        low, high = interval(w @ values / w.sum(axis=1))
        widths.append(high - low)
    assert widths[0] / widths[1] == pytest.approx(2, rel=0.15)  # four equal cases count as one


def test_the_interval_of_a_mean_agrees_with_theory() -> None:
    values = np.random.default_rng(2).normal(10, 3, 400)
    w = patient_weights(np.arange(400), replicates=4000, rng=np.random.default_rng(3)).astype(float)
    low, high = interval(w @ values / 400)
    half = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.03)


def test_undefined_replicates_are_left_out_until_they_are_too_many() -> None:
    assert interval([np.nan, *range(1, 20)], level=0.0) == (10.0, 10.0)
    assert np.isnan(interval([np.nan, 1, 2])).all()
    assert np.isnan(interval([])).all()


def test_the_bootstrap_p_value_is_two_sided_and_never_zero() -> None:
    assert bootstrap_p(np.ones(999)) == pytest.approx(2 / 1000)
    assert bootstrap_p(-np.ones(999)) == pytest.approx(2 / 1000)
    assert bootstrap_p(np.zeros(99)) == 1.0


def test_without_shared_training_the_resampled_test_is_the_paired_t_test() -> None:
    gaps = np.random.default_rng(4).normal(0.02, 0.03, 15)
    assert resampled_t(gaps, test_share=0.0) == pytest.approx(tuple(stats.ttest_1samp(gaps, 0)))


def test_the_resampled_test_inflates_the_variance_as_published() -> None:
    gaps = np.array([0.02, 0.05, -0.01, 0.04, 0.03])
    t, p = resampled_t(gaps, test_share=0.25)
    expected = gaps.mean() / np.sqrt((1 / 5 + 1 / 4) * gaps.var(ddof=1))
    assert t == pytest.approx(expected)
    assert p == pytest.approx(2 * stats.t.sf(expected, 4))


def test_equal_models_do_not_differ_and_one_fold_is_not_enough() -> None:
    assert resampled_t(np.zeros(10), test_share=0.25) == (0.0, 1.0)
    assert resampled_t(np.full(10, -0.5), test_share=0.25) == (-np.inf, 0.0)
    with pytest.raises(ValueError, match="at least two"):
        resampled_t([0.1], test_share=0.25)
