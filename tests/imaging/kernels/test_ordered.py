"""Codes order like the values they stand for, and lead back to them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from radlake.imaging.kernels.ordered import ordered

DTYPES = ["bool", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", ">u2", ">i4", ">f4"]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_codes_compare_like_values_and_lead_back(data: st.DataObject) -> None:
    dtype = np.dtype(data.draw(st.sampled_from(DTYPES)))
    elements = {"allow_nan": False} if dtype.kind == "f" else {}
    values = data.draw(arrays.arrays(dtype, st.integers(1, 12), elements=elements))
    codes, restore = ordered(values)
    assert codes.dtype in (np.int16, np.int32)
    assert np.array_equal(
        np.sign(np.subtract.outer(codes.astype(np.int64), codes)) > 0,
        np.greater.outer(values, values) | _signed_zeros(values),
    )
    back = restore(codes)
    assert back.dtype == dtype
    assert np.array_equal(back, values)


def _signed_zeros(values: np.ndarray) -> np.ndarray:
    """Pairs (0.0, -0.0): equal as numbers; whichever way their codes order, results are equal too."""
    if values.dtype.kind != "f":
        return np.zeros((values.size, values.size), bool)
    codes, _ = ordered(values)
    equal = np.equal.outer(values, values)
    return equal & np.greater.outer(codes, codes)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([0, 65535], np.uint16), [-32768, 32767]),
        (np.array([-7.0, 3.0], np.float32), [-7, 3]),
        (np.array([1.0, -1.5], np.float32), [0x3F800000, -0x3FC00001]),
        (np.array([10**12, -(10**12), 5]), [2, 0, 1]),
        (np.array([0.1, 0.2, 0.1]), [0, 1, 0]),
    ],
)
def test_codes_by_hand(values: np.ndarray, expected: list[int]) -> None:
    assert ordered(values)[0].tolist() == expected


def test_nan_leaves_the_order_of_the_others_alone() -> None:
    for dtype in (np.float16, np.float32, np.float64):
        values = np.array([2.5, np.nan, -1.0, np.inf, 0.1], dtype)
        codes, restore = ordered(values)
        assert np.argsort(codes[[0, 2, 3, 4]]).tolist() == [1, 3, 0, 2]
        assert np.array_equal(restore(codes), values, equal_nan=True)


def test_complex_numbers_have_no_order() -> None:
    with pytest.raises(TypeError, match="real numbers"):
        ordered(np.array([1j]))
