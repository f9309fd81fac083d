"""Cropping to the region, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.features.roi import bounding_box, region_of_interest

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
