"""Robust scaling and distances by hand, against scikit-learn, and with gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics.pairwise import nan_euclidean_distances
from sklearn.preprocessing import RobustScaler

from radlake.features.similar import distances, most_different, robust_scaling


def test_scaling_is_scikit_learns_where_half_of_the_values_differ() -> None:
    table = np.random.default_rng(0).normal(3, 2, (40, 5))
    table[3, 2] = np.nan
    theirs = RobustScaler(unit_variance=True).fit_transform(table)
    assert robust_scaling(table)(table) == pytest.approx(np.clip(theirs, -5, 5), nan_ok=True)


def test_mostly_equal_values_are_scaled_by_their_deviation_and_equal_ones_not_at_all() -> None:
    table = np.array([[0.0, 3, np.nan]] * 7 + [[8.0, 3, np.nan]])
    scaled = robust_scaling(table)(table)
    assert scaled[:, 0].tolist() == pytest.approx([0.0] * 7 + [8 / table[:, 0].std()])
    assert np.isnan(scaled[:, 1:]).all()


def test_one_odd_value_does_not_decide_alone() -> None:
    table = np.array([[0.0], [1.0], [2.0], [3.0], [1e9]])
    assert robust_scaling(table)(table).max() == 5


@given(st.integers(0, 2**32 - 1))
def test_distances_in_one_group_are_scikit_learns_with_gaps(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = np.where(rng.random((6, 8)) > 0.2, rng.normal(size=(6, 8)), np.nan)
    table[:, 0] = rng.normal(size=6)
    found = distances(table[0], table[1:], ["a"] * 8)
    theirs = nan_euclidean_distances(table[:1], table[1:])[0] / np.sqrt(8)  # theirs scales up what is missing
    own = np.isfinite(table[0]).sum()
    enough = np.isfinite(table[1:] + table[0]).sum(axis=1) >= own / 2
    assert found.distance == pytest.approx(np.where(enough, theirs, np.nan), nan_ok=True)
    assert found.total == own


def test_families_count_the_same_whatever_their_size() -> None:
    found = distances(np.zeros(11), np.array([[2.0] + [0.0] * 10, [0.0] + [2.0] * 10]), ["a"] + ["b"] * 10)
    assert found.distance.tolist() == pytest.approx([np.sqrt(2)] * 2)


def test_nothing_shared_has_no_distance() -> None:
    found = distances(np.array([1.0, np.nan]), np.array([[np.nan, 1.0]]), "aa")
    assert np.isnan(found.distance).all()
    assert found.shared.tolist() == [0]
    assert most_different(np.array([1.0, np.nan]), np.array([np.nan, 1.0])) is None
