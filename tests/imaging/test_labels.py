"""Components, their sizes, and holes, against scikit-image and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage
from skimage.measure import label

from radlake.imaging.labels import connected, filled, largest, only

CUBE = np.zeros((2, 2, 2), np.bool_)
CUBE[0, 0, 0] = CUBE[1, 1, 0] = True  # they share an edge


@settings(max_examples=60)
@given(arrays.arrays(np.bool_, arrays.array_shapes(min_dims=2, max_dims=3, max_side=7)), st.booleans())
def test_components_are_scikit_images(mask: np.ndarray, widest: bool) -> None:
    parts = connected(mask, None, widest=widest)
    theirs, count = label(mask, connectivity=mask.ndim if widest else 1, return_num=True)
    np.testing.assert_array_equal(parts.labels().reshape(mask.shape), theirs)
    np.testing.assert_array_equal(parts.sizes(), np.bincount(theirs[theirs > 0], minlength=count + 1))


@pytest.mark.parametrize(("connectivity", "count"), [(6, 2), (18, 1), (26, 1)])
def test_connectivity_decides_who_is_a_neighbour(connectivity: int, count: int) -> None:
    assert connected(CUBE, connectivity, widest=True).count == count


def test_a_connectivity_of_other_axes_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must be one of \(4, 8\) for 2 axes, got 26"):
        connected(CUBE[0], 26, widest=True)


def test_an_empty_image_has_no_components() -> None:
    assert connected(np.zeros((0, 3), np.bool_), None, widest=True).sizes().tolist() == [0]


def test_the_largest_is_chosen_by_voxels_and_others_by_number() -> None:
    mask = np.array([[1, 1, 0, 1], [0, 0, 0, 1], [1, 0, 0, 1]], np.bool_)
    assert largest(mask).sum() == 3
    parts = connected(mask, 4, widest=True)
    assert only(parts, 1, 3)[0].astype(int).tolist() == [[1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]


@settings(max_examples=30)
@given(arrays.arrays(np.bool_, st.tuples(st.integers(0, 3), st.integers(0, 6), st.integers(0, 6))))
def test_planes_are_filled_one_by_one(mask: np.ndarray) -> None:
    expected = [ndimage.binary_fill_holes(plane) for plane in mask]
    np.testing.assert_array_equal(filled(mask, by_plane=True), np.array(expected, np.bool_).reshape(mask.shape))
