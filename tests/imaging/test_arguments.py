"""Lengths, spacing and axes that every operation of the room shares."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.core.image import Geometry, Image
from radlake.imaging.arguments import box_size, in_voxels, on_spatial_axes, spacing_of


def test_millimetres_are_divided_by_the_spacing_of_each_axis() -> None:
    assert in_voxels("sigma", (5.0, 1.4, 0.7), None, (5.0, 0.7, 0.7)) == pytest.approx((1.0, 2.0, 1.0))


def test_voxels_are_taken_as_they_are() -> None:
    assert in_voxels("sigma", None, 2, (5.0, 0.7, 0.7)) == (2.0, 2.0, 2.0)


@pytest.mark.parametrize("lengths", [(1.0, 1.0), (None, None)])
def test_both_or_neither_unit_is_an_error(lengths: tuple[float | None, float | None]) -> None:
    with pytest.raises(ValueError, match="exactly one of sigma_mm and sigma_vox"):
        in_voxels("sigma", *lengths, (1.0, 1.0))


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_negative_and_infinite_lengths_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="finite and not negative"):
        in_voxels("sigma", bad, None, (1.0, 1.0))


def test_lengths_are_one_or_one_an_axis() -> None:
    with pytest.raises(ValueError, match="sigma must be one number or one for each of 3 axes"):
        in_voxels("sigma", (1.0, 2.0), None, (1.0, 1.0, 1.0))


def test_a_box_in_millimetres_reaches_exact_multiples_of_the_spacing() -> None:
    # 2.1 / 0.7 = 2.9999999999999996 in binary; three voxels all the same
    assert box_size(2.1, None, (0.7, 0.7)) == (7, 7)


@pytest.mark.parametrize("size", [0, 2, 2.5])
def test_boxes_have_odd_sides(size: float) -> None:
    with pytest.raises(ValueError, match="odd"):
        box_size(None, size, (1.0, 1.0))


def test_a_box_takes_one_unit_only() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        box_size(1.0, 3, (1.0, 1.0))
    with pytest.raises(ValueError, match="exactly one"):
        box_size(None, None, (1.0, 1.0))


@pytest.mark.parametrize("spacing", [(1.0,), (1.0, 0.0), (1.0, np.nan)])
def test_spacing_that_does_not_fit_is_refused(spacing: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="spacing"):
        spacing_of(2, spacing)


def test_four_spatial_axes_are_refused() -> None:
    with pytest.raises(ValueError, match="spatial axes"):
        spacing_of(4, None)


def test_each_channel_and_time_point_is_handled_by_itself() -> None:
    array = np.arange(2 * 3 * 4 * 3).reshape(2, 3, 4, 3)
    cine = Image(array, Geometry((1.0, 1.0)), time_axis=0, channel_axis=3)
    result = on_spatial_axes(cine, lambda plane, _: plane - plane.min())
    expected = array - array.min(axis=(1, 2), keepdims=True)
    assert np.array_equal(result.array, expected)
    assert (result.time_axis, result.channel_axis) == (0, 3)


def test_an_image_does_not_take_a_second_spacing() -> None:
    with pytest.raises(ValueError, match="brings its own spacing"):
        on_spatial_axes(Image(np.zeros((2, 2)), Geometry((1.0, 1.0))), lambda a, _: a, spacing=(1.0, 1.0))


def test_no_time_points_stay_no_time_points() -> None:
    empty = Image(np.zeros((0, 2, 2)), Geometry((1.0, 1.0)), time_axis=0)
    assert on_spatial_axes(empty, lambda a, _: a).array.shape == (0, 2, 2)
