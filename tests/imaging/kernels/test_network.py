"""Networks sort: shown by the zero-one principle (Knuth 5.3.4, theorem Z)."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import ndimage

from radlake.imaging.kernels.network import GREATEST, LEAST, median_27, median_of_columns, merge_exchange, sort_nine
from radlake.imaging.kernels.padding import padded


@pytest.mark.parametrize("count", [1, 2, 3, 7, 11, 13])
def test_merge_exchange_sorts_all_zeros_and_ones(count: int) -> None:
    values = np.array(list(itertools.product((0, 1), repeat=count)))
    for low, high in merge_exchange(count):
        values[:, [low, high]] = np.sort(values[:, [low, high]])
    assert np.all(np.diff(values) >= 0)


def test_nine_values_are_sorted() -> None:
    values = np.array(list(itertools.product((0, 1), repeat=9)))
    for low, high, _ in sort_nine():
        values[:, [low, high]] = np.sort(values[:, [low, high]])
    assert np.all(np.diff(values) >= 0)


def test_three_sorted_columns_give_the_median() -> None:
    # a sorted column of zeros and ones is told by its number of ones, so there are 10^3 cases in all
    steps, middle = median_of_columns()
    for ones in itertools.product(range(10), repeat=3):
        columns = np.array([[0] * (9 - n) + [1] * n for n in ones])
        values = np.sort(columns, axis=0).ravel()  # least, middle, greatest of each rank
        for low, high, keep in steps:
            least, greatest = sorted(values[[low, high]])
            if keep != GREATEST:
                values[low] = least
            if keep != LEAST:
                values[high] = greatest
        assert values[middle] == int(sum(ones) >= 14)


@pytest.mark.parametrize("dtype", [np.int16, np.int32])
@pytest.mark.parametrize("width", [1, 511, 512, 515])
def test_the_kernel_equals_scipy_across_blocks(dtype: type, width: int) -> None:
    limits = np.iinfo(dtype)
    array = np.random.default_rng(width).integers(limits.min, limits.max, (3, 4, width), dtype, endpoint=True)
    assert np.array_equal(median_27(padded(array, (3, 3, 3), "reflect")), ndimage.median_filter(array, 3))
