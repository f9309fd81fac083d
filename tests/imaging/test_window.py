"""Display windows: what the file says, presets, percentiles."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.core.image import Geometry, Image
from radlake.imaging.window import Window, apply_window, display_window

PLANE = Geometry((1.0, 1.0))


def test_the_files_own_window_wins() -> None:
    image = Image(np.zeros((2, 2)), PLANE, kind="ct", unit="HU", window=(-600.0, 1500.0))
    assert display_window(image) == (-600, 1500)


@pytest.mark.parametrize("useless", [(0.0, 0.0), (np.nan, 100.0), (10.0, -5.0)])
def test_a_useless_window_is_passed_over(useless: tuple[float, float]) -> None:
    assert display_window(Image(np.zeros((2, 2)), PLANE, kind="ct", unit="HU", window=useless)) == (40, 400)


def test_other_kinds_are_shown_between_percentiles_without_padding() -> None:
    array = np.arange(1001, dtype=np.int32).reshape(7, 143)
    array[-1, -1] = -9999
    window = display_window(Image(array, PLANE, padding=-9999))
    low, high = np.percentile(np.arange(1000), (0.5, 99.5))
    assert window == pytest.approx(((low + high) / 2, high - low))


def test_a_window_is_linear_between_its_ends() -> None:
    values = np.array([np.nan, -1e9, 0.0, 25.0, 50.0, 100.0, np.inf])
    assert apply_window(values, Window(50, 100)).tolist() == [0, 0, 0, 64, 128, 255, 255]


def test_constant_and_empty_of_finite_values_do_not_divide_by_zero() -> None:
    for array in (np.full((3, 3), 5.0), np.full((3, 3), np.nan)):
        image = Image(array, PLANE)
        assert apply_window(array, display_window(image)).shape == (3, 3)
