"""Means of boxes are exact: against sums in Python's own integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.lib.stride_tricks import sliding_window_view

from radlake.imaging.kernels.running_mean import mean_of_boxes

Sizes = st.tuples(*[st.sampled_from([1, 3, 5, 7])] * 3)


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.int16, st.tuples(*[st.integers(7, 12)] * 3)), Sizes)
def test_means_are_exact_sums_divided_once(padded: np.ndarray, size: Any) -> None:
    sums = sliding_window_view(padded.astype(np.int64), size).sum(axis=(-1, -2, -3))
    count = int(np.prod(size))
    assert np.array_equal(mean_of_boxes(padded, size, whole=True), (2 * sums + count) // (2 * count))
    exact = mean_of_boxes(padded, size, whole=False, offset=100.0)
    assert np.allclose(exact, sums / count + 100, rtol=1e-7, atol=0)


@pytest.mark.parametrize("value", [-32768, 32767])
def test_the_largest_sums_do_not_overflow(value: int) -> None:
    padded = np.full((255, 257, 2), value, np.int16)  # 65535 samples a box
    assert mean_of_boxes(padded, (255, 257, 1), whole=True).tolist() == [[[value, value]]]
