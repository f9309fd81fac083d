"""Maxima and minima under boxes, against scipy.ndimage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from radlake.imaging import threads
from radlake.imaging.kernels import box
from radlake.imaging.kernels.box import extreme_under_box

SIZES = [(1, 1, 1), (3, 3, 3), (1, 5, 9), (9, 1, 7), (11, 7, 1), (5, 21, 25)]


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.int32, np.uint32])
@pytest.mark.parametrize("border", ["reflect", "nearest", "mirror", "wrap"])
def test_extremes_equal_scipy(border: str, dtype: type) -> None:
    limits = np.iinfo(dtype)
    array = np.random.default_rng(4).integers(limits.min, limits.max, (6, 30, 70), dtype, endpoint=True)
    array.flags.writeable = False
    for size in SIZES:
        expected = ndimage.grey_dilation(array, size, mode=border)
        assert np.array_equal(extreme_under_box(array, size, border, greatest=True), expected)
        expected = ndimage.grey_erosion(array, size, mode=border)
        assert np.array_equal(extreme_under_box(array, size, border, greatest=False), expected)


def test_tiles_meet_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box, "_RING", 1)  # tiles as low as they can be
    array = np.random.default_rng(5).integers(-900, 900, (40, 90, 33), np.int16)
    expected = ndimage.grey_dilation(array, (3, 5, 3), mode="reflect")
    for count in (1, 3):
        with threads(count):
            assert np.array_equal(extreme_under_box(array, (3, 5, 3), "reflect", greatest=True), expected)
