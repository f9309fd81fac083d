"""Distances to the outside: by hand, and against every sample outside."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage
from scipy.spatial.distance import cdist

from radlake.imaging import threads
from radlake.imaging.kernels.distance import distance_to_outside


def test_distances_are_to_the_nearest_centre_outside() -> None:
    mask = np.ones((3, 3, 4), np.bool_)
    mask[0, 0, 0] = mask[2, 2, 3] = False
    found = distance_to_outside(mask, (3.0, 4.0, 12.0))
    assert (found[0, 0, 1], found[1, 1, 0], found[2, 1, 3], found[0, 0, 0]) == (12.0, 5.0, 4.0, 0.0)


def test_nothing_outside_is_infinitely_far() -> None:
    assert np.isinf(distance_to_outside(np.ones((2, 3, 4), np.bool_), (1.0, 1.0, 1.0))).all()
    assert distance_to_outside(np.ones((0, 3, 4), np.bool_), (1.0, 1.0, 1.0)).shape == (0, 3, 4)


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(np.bool_, st.tuples(*[st.integers(1, 9)] * 3)),
    st.tuples(*[st.sampled_from([0.3, 1.0, 2.5, 40.0])] * 3),
)
def test_no_sample_outside_is_nearer(mask: np.ndarray, spacing: tuple[float, ...]) -> None:
    outside = np.argwhere(~mask) * spacing
    expected = cdist(np.argwhere(np.ones_like(mask)) * spacing, outside).min(axis=1) if len(outside) else np.inf
    found = distance_to_outside(mask, spacing)
    # float64 until the result is rounded to float32
    assert np.allclose(found.ravel(), expected, rtol=1e-7, atol=0)


def test_sparse_and_dense_volumes_equal_scipy_on_any_number_of_threads() -> None:
    rng = np.random.default_rng(5)
    for share in (0.5, 0.999):
        mask = rng.random((40, 33, 50)) < share
        found = distance_to_outside(mask, (2.5, 0.7, 0.7))
        expected = ndimage.distance_transform_edt(mask, sampling=(2.5, 0.7, 0.7))
        assert np.allclose(found, expected, rtol=1e-7, atol=0)
        with threads(2):
            assert np.array_equal(distance_to_outside(mask, (2.5, 0.7, 0.7)), found)
