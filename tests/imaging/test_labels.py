"""Components and their sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from skimage.measure import label

from radlake.imaging.labels import connected, voxel_counts

CUBE = np.zeros((2, 2, 2), np.bool_)
CUBE[0, 0, 0] = CUBE[1, 1, 0] = True  # they share an edge


@settings(max_examples=60)
@given(arrays.arrays(np.bool_, arrays.array_shapes(min_dims=2, max_dims=3, max_side=7)), st.booleans())
def test_components_are_scikit_images(mask: np.ndarray, widest: bool) -> None:
    ours = connected(mask, None, widest=widest)
    theirs = label(mask, connectivity=mask.ndim if widest else 1)
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(voxel_counts(ours), np.bincount(theirs.ravel(), minlength=1))


@pytest.mark.parametrize(("connectivity", "count"), [(6, 2), (18, 1), (26, 1)])
def test_connectivity_decides_who_is_a_neighbour(connectivity: int, count: int) -> None:
    assert connected(CUBE, connectivity, widest=True).max() == count


def test_a_connectivity_of_other_axes_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must be one of \(4, 8\) for 2 axes, got 26"):
        connected(CUBE[0], 26, widest=True)


def test_an_empty_image_has_no_components() -> None:
    assert voxel_counts(connected(np.zeros((0, 3), np.bool_), None, widest=True)).tolist() == [0]
