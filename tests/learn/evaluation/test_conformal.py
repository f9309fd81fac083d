"""Promised coverage is kept, also in the rare class; Venn-Abers intervals are what isotonic regression says."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from radlake.learn.evaluation.conformal import cutoffs, margin, sets, venn_abers


def drawn(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    y = (rng.random(n) < 0.2).astype(int)
    p = 1 / (1 + np.exp(-(2 * y - 1.5 + rng.normal(size=n))))
    return y, np.stack([1 - p, p], axis=1)


def test_each_class_is_covered_as_promised() -> None:
    rng = np.random.default_rng(0)
    inside: dict[int, list[float]] = {0: [], 1: []}
    for _ in range(40):
        cut = cutoffs(*drawn(300, rng), coverage=0.9)
        y, p = drawn(2000, rng)
        held = sets(p, cut)
        for c, shares in inside.items():
            shares.append(float(held[y == c, c].mean()))
    for c, shares in inside.items():
        # .9 to .9 + 1 / (cases of the class + 1); three standard errors of 40 calibrations of 60 and 240 cases
        assert 0.9 - 0.02 < np.mean(shares) < 0.9 + 0.04, c


def test_too_few_cases_promise_nothing_and_keep_every_class() -> None:
    cut = cutoffs([0] * 50 + [1] * 5, np.full((55, 2), 0.5), coverage=0.9)
    assert cut.tolist() == [0.5, 0.0]


def test_venn_abers_is_isotonic_regression_with_the_case_added_twice() -> None:
    rng = np.random.default_rng(1)
    scores = np.round(rng.random(60), 1)
    y = (rng.random(60) < scores).astype(float)
    new = np.array([0.0, 0.33, 0.5, 0.97])
    low, high = venn_abers(scores, y, new)
    for i, value in enumerate(new):
        for label, found in ((0.0, low[i]), (1.0, high[i])):
            fitted = IsotonicRegression(out_of_bounds="clip").fit(np.r_[scores, value], np.r_[y, label])
            assert found == pytest.approx(float(fitted.predict([value])[0]), abs=1e-12)
    assert (low <= high).all()


def test_values_have_a_margin_that_holds() -> None:
    rng = np.random.default_rng(2)
    y = np.abs(rng.normal(size=(50, 400)))
    held = [np.mean(row[200:] <= margin(row[:200], np.zeros(200), coverage=0.8)) for row in y]
    assert np.mean(held) == pytest.approx(0.8, abs=0.02)  # three standard errors of 50 pairs of 200 cases
    assert margin([1.0], [0.0]) == float("inf")
