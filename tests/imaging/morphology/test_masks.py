"""Holes, small parts and distances of masks against scipy, skeletons against scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.morphology
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from radlake.core.image import Geometry, Image
from radlake.imaging.morphology import distance_map, fill_holes, remove_small, skeleton

MASKS = st.one_of(
    arrays.arrays(np.bool_, st.tuples(*[st.integers(1, 7)] * 3)),
    arrays.arrays(np.bool_, st.tuples(*[st.integers(1, 12)] * 2)),
)


@settings(max_examples=60, deadline=None)
@given(MASKS)
def test_filled_masks_equal_scipy(mask: np.ndarray) -> None:
    assert np.array_equal(fill_holes(mask), ndimage.binary_fill_holes(mask))


def test_a_hole_that_touches_a_corner_is_open_to_paths_of_26() -> None:
    mask = np.ones((5, 5, 5), bool)
    for place in ((2, 2, 2), (1, 1, 1), (0, 0, 0)):
        mask[place] = False
    assert fill_holes(mask).sum() == 124
    assert fill_holes(mask, connectivity=26).sum() == 122


def _removed(mask: np.ndarray, least: int) -> np.ndarray:
    labels, _ = ndimage.label(mask, np.ones((3,) * mask.ndim))
    sizes = np.bincount(labels.ravel())
    return mask & (sizes[labels] >= least)


@settings(max_examples=60, deadline=None)
@given(MASKS, st.integers(1, 9))
def test_parts_below_a_size_go_as_counted_by_scipy(mask: np.ndarray, least: int) -> None:
    assert np.array_equal(remove_small(mask, least_vox=least), _removed(mask, least))


def test_sizes_in_mm_follow_the_spacing() -> None:
    mask = np.zeros((3, 8, 8), bool)
    mask[1, 1, 1:4] = True  # three voxels: 2.1 mm3
    mask[1, 5, 5] = True
    image = Image(mask, Geometry((1.0, 1.0, 0.7)), kind="label", unit="label")
    assert remove_small(image, least_mm=2.1).array.sum() == 3
    assert remove_small(image, least_mm=2.2).array.sum() == 0
    assert remove_small(image, least_mm=0.7).array.sum() == 4


@settings(max_examples=40, deadline=None)
@given(MASKS, st.floats(0.3, 5.0))
def test_distances_equal_scipy(mask: np.ndarray, slice_mm: float) -> None:
    spacing = (slice_mm, 0.7, 0.9)[-mask.ndim :]
    result = distance_map(mask, spacing=spacing)
    assert result.dtype == np.float32
    if mask.all():
        assert np.isinf(result).all()
    else:
        # both compute in float64; here rounded to float32
        assert np.allclose(result, ndimage.distance_transform_edt(mask, sampling=spacing), rtol=1e-7, atol=0)


def test_a_distance_map_is_in_mm_where_the_spacing_is_known() -> None:
    mask = np.pad(np.ones((1, 3), np.uint8), 1)
    for calibrated, unit in ((True, "mm"), (False, "a.u.")):
        image = Image(mask, Geometry((0.5, 0.25), calibrated=calibrated), kind="label", unit="label")
        result = distance_map(image)
        assert (result.unit, result.kind) == (unit, "other")
        assert result.array[1].tolist() == [0, 0.25, 0.5, 0.25, 0]


@pytest.mark.parametrize("shape", [(0, 4, 4), (4, 0)])
def test_empty_arrays_stay_empty(shape: tuple[int, ...]) -> None:
    for operation in (fill_holes, distance_map, lambda m: remove_small(m, least_vox=2)):
        assert operation(np.zeros(shape)).shape == shape


def test_wrong_arguments_are_refused() -> None:
    mask = np.ones((3, 3), bool)
    for options in ({}, {"least_mm": 1.0, "least_vox": 2}):
        with pytest.raises(ValueError, match="exactly one"):
            remove_small(mask, **options)
    for operation in (fill_holes, lambda m, connectivity: remove_small(m, least_vox=2, connectivity=connectivity)):
        with pytest.raises(ValueError, match="connectivity must be"):
            operation(mask, connectivity=6)


def test_a_skeleton_is_thin_and_connected_like_the_mask() -> None:
    tube = np.zeros((9, 30, 9), bool)
    tube[2:7, 2:28, 2:7] = True
    line = skeleton(tube)
    assert line.any(axis=(0, 2)).sum() > 20
    assert line.sum(axis=(0, 2)).max() == 1
    ring = np.hypot(*np.indices((21, 21)) - 10)
    ring = (ring > 4) & (ring < 9)
    thin = skeleton(ring)
    assert ndimage.label(~thin)[1] == 2
    assert not ndimage.binary_erosion(thin, np.ones((2, 2))).any()
    assert np.array_equal(thin, skimage.morphology.skeletonize(ring))


def test_the_skeleton_of_nothing_is_nothing() -> None:
    assert not skeleton(np.zeros((4, 4, 4))).any()
    assert skeleton(np.zeros((0, 4))).shape == (0, 4)
