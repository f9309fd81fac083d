"""Histograms: every sample is counted once, at its level."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from radlake.imaging.histogram import histogram


@settings(max_examples=40)
@given(arrays.arrays(np.int16, st.integers(1, 80)))
def test_integers_are_counted_exactly(values: np.ndarray) -> None:
    levels, counts = np.unique(values, return_counts=True)
    found = histogram(values)
    assert found.uppers.tolist() == levels.tolist()
    assert found.counts.tolist() == counts.tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint32])
def test_wide_values_fall_into_equal_bins(dtype: type) -> None:
    values = (np.random.default_rng(0).random(5000) * 1e9).astype(dtype)
    found = histogram(values)
    assert found.counts.sum() == 5000
    below = np.searchsorted(np.sort(values.astype(float)), found.uppers, side="right")
    # a value on the edge of two bins may be counted in either
    assert np.abs(np.cumsum(found.counts) - below).max() <= 1


def test_what_is_no_value_is_not_counted() -> None:
    assert histogram(np.array([np.nan, np.inf, -np.inf, 1.0, 2.0, 2.0])).counts.tolist() == [1, 2]
    assert histogram(np.array([7, 7, 3]), padding=7).counts.tolist() == [1]
    assert histogram(np.zeros((0, 3))).counts.tolist() == []
