"""Every way to a median against scipy.ndimage, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.lib.stride_tricks import sliding_window_view
from scipy import ndimage

from radlake.imaging.arguments import BORDERS
from radlake.imaging.kernels.bisection import median_by_bisection
from radlake.imaging.kernels.histogram import median_by_histogram
from radlake.imaging.kernels.median import median_of_boxes
from radlake.imaging.kernels.padding import padded

RNG = np.random.default_rng(9)
DTYPES = ["bool", "uint8", "int8", "uint16", "int16", "int32", "uint32", "int64", "uint64", "float32", "float64", ">u2"]
SIZES = [(3, 3, 3), (1, 3, 3), (1, 5, 5), (1, 7, 7), (1, 1, 3), (3, 1, 1), (5, 5, 5), (7, 7, 7), (1, 17, 17)]
Sizes = st.tuples(*[st.sampled_from([1, 3, 5, 7, 9])] * 3)


def _random(dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return RNG.normal(size=shape).astype(kind)
    if kind.kind == "b":
        return RNG.random(shape) > 0.5
    limits = np.iinfo(kind)
    return RNG.integers(limits.min, limits.max, shape, kind.newbyteorder("="), endpoint=True).astype(kind)


def _scipy(array: np.ndarray, size: Any, border: str) -> np.ndarray:
    native = array.astype(array.dtype.newbyteorder("="))
    if native.dtype.itemsize == 8 and native.dtype.kind in "iu":  # scipy goes through float64
        _, ranks = np.unique(np.append(native, 0), return_inverse=True)
        values, codes = np.unique(np.append(native, 0)), ranks[:-1].reshape(native.shape)
        zero = int(np.searchsorted(values, 0))
        return values[ndimage.median_filter(codes - zero, size, mode=border) + zero]
    return ndimage.median_filter(native, size, mode=border)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_and_window_equals_scipy(dtype: str, size: Any) -> None:
    array = _random(dtype, (4, 9, 11))
    for border in ("reflect", "constant"):
        result = median_of_boxes(array, size, border)
        assert result.dtype == array.dtype
        assert np.array_equal(result, _scipy(array, size, border))


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.int16, st.tuples(*[st.integers(1, 6)] * 3)), Sizes, st.sampled_from(BORDERS))
def test_volumes_smaller_than_the_window_equal_scipy(array: np.ndarray, size: Any, border: str) -> None:
    assert np.array_equal(median_of_boxes(array, size, border), ndimage.median_filter(array, size, mode=border))


@settings(max_examples=40, deadline=None)
@given(arrays.arrays(np.uint8, (1, 5, 6)), st.sampled_from([3, 5, 7, 13]), st.sampled_from(BORDERS))
def test_planes_by_opencv_equal_scipy(array: np.ndarray, side: int, border: str) -> None:
    expected = ndimage.median_filter(array, (1, side, side), mode=border)
    assert np.array_equal(median_of_boxes(array, (1, side, side), border), expected)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 65536), Sizes, st.integers(0, 2**32))
def test_three_kernels_agree(values: int, size: Any, seed: int) -> None:
    ranks = np.random.default_rng(seed).integers(0, values, (3, 5, 300), np.uint16, endpoint=False)
    around = padded(ranks, size, "reflect")
    found = median_by_histogram(around, size, values)
    assert np.array_equal(found, median_by_bisection(around.astype(np.int32), size))
    assert np.array_equal(found[:, :, :9], ndimage.median_filter(ranks[:, :, :20], size)[:, :, :9])


def test_floats_with_more_values_than_16_bits_hold_equal_scipy() -> None:
    array = RNG.normal(size=(12, 80, 80)).astype(np.float32)
    assert np.unique(array).size > 1 << 16
    assert np.array_equal(
        median_of_boxes(array, (3, 9, 9), "mirror"), ndimage.median_filter(array, (3, 9, 9), mode="mirror")
    )


def test_sparse_values_far_apart_equal_scipy() -> None:
    array = RNG.choice(np.array([-(2**31), -5, 0, 7, 2**31 - 1], np.int32), (4, 20, 20))
    assert np.array_equal(median_of_boxes(array, (7, 7, 7), "wrap"), ndimage.median_filter(array, 7, mode="wrap"))


def test_windows_of_more_samples_than_counts_hold_are_exact() -> None:
    array = RNG.integers(-99, 99, (1, 4, 5)).astype(np.int16)
    size = (1, 257, 257)  # 66049 samples
    windows = sliding_window_view(padded(array, size, "reflect"), size)
    assert np.array_equal(median_of_boxes(array, size, "reflect"), np.median(windows, axis=(-1, -2, -3)))
