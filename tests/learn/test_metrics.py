"""Scores against scikit-learn and statsmodels-style regressions, weighted and not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle
from sklearn.linear_model import LogisticRegression

from radlake.learn import metrics

SEEDS = st.integers(0, 10_000)


def sample(seed: int, n: int = 80) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcomes, probabilities on a coarse grid (so that there are ties), weights with zeros."""
    rng = np.random.default_rng(seed)
    p = np.round(rng.random(n), 1) * 0.98 + 0.01
    y = (rng.random(n) < p).astype(np.int64)
    y[:2] = 0, 1
    w = rng.integers(0, 4, (5, n)).astype(float)
    w[:, :2] += 1
    return y, p, w


@settings(max_examples=40)
@given(seed=SEEDS)
def test_scores_agree_with_scikit_learn_for_every_row_of_weights(seed: int) -> None:
    y, p, w = sample(seed)
    hard = (p >= 0.5).astype(int)
    pairs = [
        (metrics.auc, lambda v: oracle.roc_auc_score(y, p, sample_weight=v)),
        (metrics.brier, lambda v: oracle.brier_score_loss(y, p, sample_weight=v)),
        (metrics.sensitivity, lambda v: oracle.recall_score(y, hard, sample_weight=v)),
        (metrics.specificity, lambda v: oracle.recall_score(y, hard, pos_label=0, sample_weight=v)),
        (metrics.balanced_accuracy, lambda v: oracle.balanced_accuracy_score(y, hard, sample_weight=v)),
    ]
    for ours, theirs in pairs:
        assert ours(y, p, w) == pytest.approx([theirs(v) for v in w], abs=1e-12)
        assert float(ours(y, p)) == pytest.approx(theirs(np.ones(len(y))), abs=1e-12)


@settings(max_examples=20)
@given(seed=SEEDS, sure=st.sampled_from([1, 8]), shift=st.sampled_from([0, 3]))
def test_the_calibration_slope_agrees_with_an_unpenalised_regression(seed: int, sure: int, shift: int) -> None:
    y, p, w = sample(seed, 200)
    p = 1 / (1 + np.exp(-(sure * np.log(p / (1 - p)) + shift)))
    p = np.clip(p, 1e-6, 1 - 1e-6)
    logit = np.log(p / (1 - p))
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit[:, None], y, sample_weight=w[0])
    assert float(metrics.calibration_slope(y, p, w[0])) == pytest.approx(float(model.coef_[0, 0]), abs=1e-5)


@settings(max_examples=20)
@given(seed=SEEDS)
def test_the_calibration_intercept_makes_the_mean_right(seed: int) -> None:
    y, p, w = sample(seed, 200)
    logit = np.log(p / (1 - p))
    for weights, shift in zip(w, metrics.calibration_intercept(y, p, w), strict=True):
        moved = 1 / (1 + np.exp(-(logit + shift)))
        assert np.average(moved, weights=weights) == pytest.approx(np.average(y, weights=weights), abs=1e-8)


def test_the_calibration_error_is_the_weighted_gap_of_the_bins() -> None:
    y = [0, 0, 1, 1, 1]
    p = [0.05, 0.05, 0.75, 0.75, 1.0]
    assert float(metrics.calibration_error(y, p)) == pytest.approx((2 * 0.05 + 2 * 0.25 + 0) / 5)
    assert metrics.calibration_error(y, p, np.array([[1, 1, 0, 0, 0], [0, 0, 0, 0, 1]])).tolist() == [0.05, 0.0]


def test_what_is_not_defined_is_nan() -> None:
    y, p = np.array([1, 1, 0]), np.array([0.9, 0.6, 0.2])
    one_class = np.array([1.0, 1.0, 0.0])
    assert np.isnan(metrics.auc(y, p, one_class))
    assert np.isnan(metrics.specificity(y, p, one_class))
    assert np.isnan(metrics.calibration_slope(y, p))  # separable: the slope is infinite
    assert np.isnan(metrics.calibration_slope(y, p, np.stack([one_class, np.ones(3), np.zeros(3)]))).all()
    assert np.isnan(metrics.calibration_intercept(y, p, one_class))
    assert np.isnan(metrics.brier(y, p, np.zeros(3)))
