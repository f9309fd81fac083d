"""Signed distances against a search over all voxels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.features.distance import signed_distance


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_distances_are_those_to_the_nearest_voxel_of_the_other_kind(seed: int) -> None:
    inside = np.random.default_rng(seed).random((3, 4, 5)) > 0.5
    inside[0, 0, 0] = True
    steps = np.array([2.0, 1.0, 0.5])
    found = signed_distance(inside, steps)
    around = np.pad(inside, 1)  # the image's end counts as outside
    places = {kind: (np.argwhere(around == kind) - 1) * steps for kind in (False, True)}
    for index in np.ndindex(*inside.shape):
        other = places[not inside[index]]
        nearest = np.sqrt(((other - np.array(index) * steps) ** 2).sum(axis=1)).min()
        assert abs(found[index]) == pytest.approx(nearest)
        assert (found[index] < 0) == inside[index]
