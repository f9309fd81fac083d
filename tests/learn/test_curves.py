"""Curves against scikit-learn and hand-computed points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from radlake.learn.curves import calibration, net_benefit, roc
from radlake.learn.metrics import auc


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), digits=st.integers(1, 4))
def test_the_roc_curve_has_the_corners_of_scikit_learn_and_the_area_of_the_auc(seed: int, digits: int) -> None:
    rng = np.random.default_rng(seed)
    p = np.round(rng.random(60), digits)
    y = np.r_[0, 1, (rng.random(58) < p[2:]).astype(int)]
    curve = roc(y, p)
    x, up, _ = oracle.roc_curve(y, p, drop_intermediate=True)
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(float(auc(y, p)), abs=1e-12)
    assert {(round(a, 9), round(b, 9)) for a, b in zip(*curve, strict=True)} <= {
        (round(a, 9), round(b, 9)) for a, b in zip(x, up, strict=True)
    }


def test_a_roc_curve_of_one_class_is_refused() -> None:
    with pytest.raises(ValueError, match="both classes"):
        roc([1, 1], [0.2, 0.3])


def test_equal_scores_make_one_diagonal() -> None:
    curve = roc([0, 1, 1], [0.4, 0.4, 0.4])
    assert (curve.x.tolist(), curve.y.tolist()) == ([0.0, 1.0], [0.0, 1.0])


def test_calibration_bins_hold_equally_many_cases_and_join_equal_probabilities() -> None:
    p = np.linspace(0.005, 0.995, 100)
    curve = calibration((p > 0.5).astype(int), p, bins=4)
    assert curve.x == pytest.approx([0.125, 0.375, 0.625, 0.875])
    assert curve.y.tolist() == [0, 0, 1, 1]
    joined = calibration([0, 1, 0, 1], [0.3, 0.3, 0.3, 0.3], bins=10)
    assert (joined.x.tolist(), joined.y.tolist()) == ([0.3], [0.5])


def test_the_net_benefit_of_treating_everybody_falls_with_the_threshold() -> None:
    y = np.r_[np.ones(20), np.zeros(80)]
    everybody = net_benefit(y, np.ones(100), [0.1, 0.2, 0.5])
    assert everybody == pytest.approx([0.2 - 0.8 * 0.1 / 0.9, 0.0, -0.6])
    assert net_benefit(y, y, [0.1, 0.9]) == pytest.approx([0.2, 0.2])  # a perfect model treats the ill only
