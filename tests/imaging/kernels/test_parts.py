"""Parts by runs, against scipy's labels: every connectivity, places, edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from radlake.imaging.kernels.parts import parts_of

IN_PLANE = np.zeros((3, 3, 3), np.bool_)
IN_PLANE[1] = True
STRUCTURES = {
    4: IN_PLANE & ndimage.generate_binary_structure(3, 1),
    8: IN_PLANE,
    6: ndimage.generate_binary_structure(3, 1),
    18: ndimage.generate_binary_structure(3, 2),
    26: ndimage.generate_binary_structure(3, 3),
}
SMALL = st.tuples(st.integers(0, 4), st.integers(0, 7), st.integers(0, 12))


@pytest.mark.parametrize("connectivity", STRUCTURES)
@settings(max_examples=60, deadline=None)
@given(mask=arrays.arrays(np.bool_, SMALL))
def test_parts_are_numbered_as_scipy_labels_them(connectivity: int, mask: np.ndarray) -> None:
    parts = parts_of(mask, connectivity)
    labels, count = ndimage.label(mask, STRUCTURES[connectivity])
    assert parts.count == count
    assert np.array_equal(parts.labels(), labels)
    assert np.array_equal(parts.at(np.argwhere(np.ones_like(mask))), labels.ravel())


def test_a_spiral_is_one_part_however_late_its_arms_meet() -> None:
    spiral = np.zeros((1, 7, 7), np.bool_)
    spiral[0, [0, 6]], spiral[0, :, [0, 6]] = True, True  # a ring
    spiral[0, 0, 1:6], spiral[0, 2:5, 3] = False, True  # open at the top, with an island
    parts = parts_of(spiral, 6)
    assert (parts.count, parts.sizes().tolist()) == (2, [0, 19, 3])
    assert parts.labels(np.array([0, 0, 9])).sum() == 27
    assert parts.at_edge((1, 2)).tolist() == [False, True, False]


@settings(max_examples=60, deadline=None)
@given(mask=arrays.arrays(np.bool_, SMALL), axis=st.integers(0, 2))
def test_parts_at_an_edge_have_a_sample_there(mask: np.ndarray, axis: int) -> None:
    parts = parts_of(mask, 26)
    labels = np.moveaxis(parts.labels(), axis, 0)
    expected = np.zeros(parts.count + 1, np.bool_)
    expected[np.unique(labels[[0, -1]]) if labels.size else []] = True
    expected[0] = False
    assert parts.at_edge((axis,)).tolist() == expected.tolist()


def test_noise_of_many_parts_is_told_apart() -> None:
    mask = np.random.default_rng(3).random((9, 40, 150)) < 0.3
    labels, count = ndimage.label(mask)
    parts = parts_of(mask, 6)
    assert parts.count == count
    keep = np.arange(count + 1) % 3 == 1
    assert np.array_equal(parts.mask(keep), keep[labels])
    assert np.array_equal(parts.mask(keep, outside=True), keep[labels] | ~mask)
