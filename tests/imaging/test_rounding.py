"""Rounding to integers without wrapping."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.imaging.rounding import to_dtype

INTEGERS = [np.uint8, np.int8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64]


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("source", [np.float32, np.float64])
def test_limits_are_kept_exactly(dtype: type, source: type) -> None:
    limits = np.iinfo(dtype)
    values = np.array([-np.inf, -1e30, float(limits.min), float(limits.max), 1e30, np.inf], source)
    low, high = int(limits.min), int(limits.max)
    assert [int(v) for v in to_dtype(values, dtype)] == [low, low, low, high, high, high]


@settings(max_examples=50)
@given(st.floats(-1e6, 1e6))
def test_integers_are_the_nearest(value: float) -> None:
    assert to_dtype(np.array([value]), np.int32)[0] == round(value)


def test_the_input_stays_and_nan_has_no_integer() -> None:
    values = np.array([1.5, 300.0])
    to_dtype(values, np.uint8)
    assert values.tolist() == [1.5, 300.0]
    assert np.isnan(to_dtype(np.array([np.nan]), np.float32)[0])
    with pytest.raises(ValueError, match="NaN"):
        to_dtype(np.array([np.nan]), np.int16)
