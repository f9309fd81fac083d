"""Cropping to the region, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.features.roi import Roi, bounding_box, region_of_interest

masks = st.one_of(
    arrays.arrays(np.bool_, st.tuples(*[st.integers(1, 5)] * 3)),
    arrays.arrays(np.bool_, st.tuples(*[st.integers(1, 7)] * 2)),
)


@settings(max_examples=60)
@given(masks)
def test_the_box_is_the_smallest_that_holds_everything(mask: np.ndarray) -> None:
    if not mask.any():
        with pytest.raises(ItemError, match="no voxel"):
            bounding_box(mask)
        return
    places = np.argwhere(mask)
    box = bounding_box(mask)
    assert [s.start for s in box] == places.min(axis=0).tolist()
    assert [s.stop for s in box] == (places.max(axis=0) + 1).tolist()


def test_a_mask_of_another_shape_is_a_fault() -> None:
    with pytest.raises(ItemError) as problem:
        region_of_interest(np.zeros((3, 3)), np.ones((3, 4)))
    assert problem.value.code == "misaligned_mask"


def test_a_mask_elsewhere_is_a_fault_and_rounding_is_not() -> None:
    geometry = Geometry((2.0, 0.5, 0.5), origin=(10.0, 20.0, 30.0))
    image = Image(np.zeros((3, 4, 5)), geometry)
    rounded = Geometry((2.0, 0.5001, 0.5), origin=(10.0, 20.001, 30.0))
    assert region_of_interest(image, Image(np.ones((3, 4, 5), bool), rounded)).spacing == geometry.spacing
    for other in (Geometry((2.0, 0.5, 0.5)), Geometry((2.5, 0.5, 0.5), origin=geometry.origin)):
        with pytest.raises(ItemError) as problem:
            region_of_interest(image, Image(np.ones((3, 4, 5), bool), other))
        assert problem.value.code == "misaligned_mask"


def test_arrays_without_spacing_are_not_calibrated() -> None:
    assert not region_of_interest(None, np.ones((2, 2))).calibrated
    assert region_of_interest(None, np.ones((2, 2)), spacing=(1.0, 1.0)).calibrated


def test_an_image_brings_unit_and_spacing() -> None:
    image = Image(np.zeros((3, 3)), Geometry((2.0, 0.5), calibrated=False), unit="HU")
    roi = region_of_interest(image, np.eye(3))
    assert (roi.spacing, roi.unit, roi.calibrated) == ((2.0, 0.5), "HU", False)
    with pytest.raises(ValueError, match="brings its own spacing"):
        region_of_interest(image, np.eye(3), spacing=(1.0, 1.0))


def test_the_intensity_range_holds_its_bounds() -> None:
    roi = region_of_interest(np.arange(6).reshape(2, 3), np.ones((2, 3)), intensity_range=(1, 3))
    assert roi.intensity_mask().tolist() == [[False, True, True], [True, False, False]]
    assert roi.intensity_mask(1).tolist() == [True, False, False]


def test_views_are_taken_not_copies() -> None:
    image, mask = np.zeros((4, 4, 4)), np.zeros((4, 4, 4), bool)
    mask[1:3, 1:3, 1:3] = True
    roi = region_of_interest(image, mask)
    assert np.shares_memory(roi.mask, mask)
    assert roi.intensity is not None
    assert np.shares_memory(roi.intensity, image)


def test_outliers_are_those_of_the_voxels_in_range() -> None:
    values = np.array([[0.0] * 50 + [1.0] * 50 + [3.0, 9.0, 1000.0]])
    mask = np.ones(values.shape, bool)
    roi = region_of_interest(values, mask, intensity_range=(-5, 10), outlier_sigma=3)
    inside = values[values <= 10]
    assert roi.limits == pytest.approx((inside.mean() - 3 * inside.std(), inside.mean() + 3 * inside.std()))
    assert roi.values.max() == 3.0
    # Without the range the one far voxel widens the limits: the others all stay.
    assert region_of_interest(values, mask, outlier_sigma=3).values.max() == 9.0


def test_outliers_of_nothing_and_of_what_is_not_finite() -> None:
    mask = np.ones((1, 2), bool)
    assert region_of_interest(np.array([[1.0, 2.0]]), mask, intensity_range=(5, 6), outlier_sigma=3).values.size == 0
    with pytest.raises(ItemError, match="not finite"):
        _ = region_of_interest(np.array([[1.0, np.inf]]), mask, outlier_sigma=3).limits
    with pytest.raises(ValueError, match="outlier_sigma must be greater than 0"):
        region_of_interest(np.ones((1, 2)), mask, outlier_sigma=0)


def test_the_surroundings_reach_as_far_as_asked_and_no_farther_than_the_image() -> None:
    image = np.arange(60.0).reshape(3, 4, 5)
    mask = np.zeros(image.shape, bool)
    mask[1, 1:3, 3] = True
    roi = region_of_interest(image, mask, spacing=(2.0, 1.0, 1.0))
    around, corner = roi.around(1.5)
    assert np.array_equal(around, image[1:2, 0:4, 2:5])
    assert corner == (0, 1, 1)
    alone, start = Roi(mask[1:2, 1:3, 3:4], (2.0, 1.0, 1.0), image[1:2, 1:3, 3:4]).around(9)
    assert (alone.shape, start) == ((1, 2, 1), (0, 0, 0))


def test_features_of_intensities_need_an_image() -> None:
    roi = region_of_interest(None, np.ones((1, 2), bool))
    for use in (lambda: roi.values, lambda: roi.around(1.0)):
        with pytest.raises(ValueError, match="need an image"):
            use()
