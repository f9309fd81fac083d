"""Maxima and minima under footprints made of runs, against scipy.ndimage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from radlake.imaging.kernels.ball import extreme_under_runs, runs_of


def _ball(*radii: float) -> np.ndarray:
    grid = np.ogrid[tuple(slice(-int(r), int(r) + 1) for r in radii)]
    return np.asarray(sum((g / max(r, 1)) ** 2 for g, r in zip(grid, radii, strict=True)) <= 1)


@pytest.mark.parametrize("dtype", [np.int16, np.int32])
@pytest.mark.parametrize("border", ["reflect", "nearest", "mirror", "wrap"])
@pytest.mark.parametrize("radii", [(0, 0, 1), (1, 1, 1), (2, 2, 2), (0, 4, 4), (3, 1, 5), (5, 0, 0)])
def test_extremes_equal_scipy(radii: tuple[int, ...], border: str, dtype: type) -> None:
    limits = np.iinfo(dtype)
    array = np.random.default_rng(2).integers(limits.min, limits.max, (6, 40, 70), dtype, endpoint=True)
    array.flags.writeable = False
    ball = _ball(*radii)
    expected = ndimage.grey_dilation(array, footprint=ball, mode=border)
    assert np.array_equal(extreme_under_runs(array, ball, border, greatest=True), expected)
    expected = ndimage.grey_erosion(array, footprint=ball, mode=border)
    assert np.array_equal(extreme_under_runs(array, ball, border, greatest=False), expected)


def test_rows_shorter_than_the_footprint_and_wider_than_a_tile_equal_scipy() -> None:
    ball = _ball(1, 1, 6)
    for width in (1, 3, 511, 512, 517, 1030):
        array = np.random.default_rng(3).integers(-900, 900, (2, 3, width), np.int16)
        for border in ("reflect", "wrap"):
            expected = ndimage.grey_dilation(array, footprint=ball, mode=border)
            assert np.array_equal(extreme_under_runs(array, ball, border, greatest=True), expected)


def test_runs_make_up_the_footprint() -> None:
    ball = _ball(3, 4, 6)
    runs = runs_of(ball)
    again = np.zeros_like(ball)
    for z, y, k in zip(runs.z, runs.y, runs.width, strict=True):
        w = runs.widths[k]
        again[z + 3, y + 4, 6 - w : 7 + w] = True
    assert np.array_equal(again, ball)
