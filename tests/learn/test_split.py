"""Folds: no patient on both sides, classes spread, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.learn.split import grouped_folds, repeated_folds


def cohort(seed: int, patients: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels and patients: one to five cases each, a third positive, correlated within a patient."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(patients), rng.integers(1, 6, patients))
    y = (rng.random(patients)[groups] + 0.2 * rng.random(len(groups)) > 0.75).astype(np.int64)
    return y, groups


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), patients=st.integers(40, 120), folds=st.integers(2, 5))
def test_patients_stay_together_and_classes_are_spread(seed: int, patients: int, folds: int) -> None:
    y, groups = cohort(seed, patients)
    if min(len(np.unique(groups[y == c])) for c in (0, 1)) < folds:
        return
    fold = grouped_folds(y, groups, folds=folds, rng=np.random.default_rng(seed))
    assert sorted(np.unique(fold)) == list(range(folds))
    assert all(len(np.unique(fold[groups == g])) == 1 for g in np.unique(groups))
    positives = np.bincount(fold, weights=y, minlength=folds)
    # A fold can miss its fair share by about one patient's cases.
    assert np.abs(positives - y.sum() / folds).max() <= 5


def test_single_case_patients_are_spread_exactly() -> None:
    y = np.repeat([0, 1], [30, 10])
    fold = grouped_folds(y, np.arange(40), folds=5, rng=np.random.default_rng(1))
    assert np.bincount(fold[y == 1]).tolist() == [2] * 5
    assert np.bincount(fold[y == 0]).tolist() == [6] * 5


def test_folds_follow_the_seed_and_not_the_order_of_names() -> None:
    y, groups = cohort(3, 60)
    twice = repeated_folds(y, groups, folds=5, seeds=[0, 1])
    assert np.array_equal(twice, repeated_folds(y, groups, folds=5, seeds=[0, 1]))
    assert not np.array_equal(twice[0], twice[1])
    assert np.array_equal(twice, repeated_folds(y, np.char.mod("p%03d", groups), folds=5, seeds=[0, 1]))


def test_a_class_with_fewer_patients_than_folds_is_refused() -> None:
    y = np.array([1, 1, 1, 1, 0, 0, 0])
    patients = np.array(["a", "a", "a", "b", "c", "d", "e"])
    with pytest.raises(ValueError, match="2 groups only, fewer than 3 folds"):
        grouped_folds(y, patients, folds=3, rng=np.random.default_rng(0))
