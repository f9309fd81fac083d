"""Moments against numpy's covariance of all positions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from radlake.features.moments import axis_lengths, moments

masks = st.one_of(
    arrays.arrays(np.bool_, st.tuples(*[st.integers(1, 6)] * 3)),
    arrays.arrays(np.bool_, st.tuples(*[st.integers(1, 9)] * 2)),
)


@settings(max_examples=50)
@given(masks)
def test_moments_equal_those_of_the_list_of_positions(mask: np.ndarray) -> None:
    positions = np.argwhere(mask)
    if len(positions) < 2:
        return
    spacing = (3.0, 0.5, 1.5)[-mask.ndim :]
    result = moments(mask, spacing)
    assert result.voxels == len(positions)
    assert result.centre == pytest.approx(positions.mean(axis=0))
    assert result.covariance == pytest.approx(np.cov(positions * spacing, rowvar=False), rel=1e-12, abs=1e-12)


def test_a_region_far_from_the_origin_has_the_same_moments() -> None:
    mask = np.random.default_rng(0).random((4, 5, 6)) > 0.5
    far = np.pad(mask, ((900, 0), (300, 0), (10, 0)))
    assert np.array_equal(moments(mask, (1.0, 1.0, 1.0)).covariance, moments(far, (1.0, 1.0, 1.0)).covariance)


def test_one_voxel_has_no_extent() -> None:
    assert moments(np.ones((1, 1, 1), bool), (1.0, 1.0, 1.0)).covariance.tolist() == [[0.0] * 3] * 3


def test_a_tilted_plane_has_a_least_axis_of_exactly_zero() -> None:
    z, y, x = np.ogrid[:9, :9, :9]
    assert axis_lengths(moments((z == y) & (x >= 0), (0.7, 1.3, 0.9)).covariance)[2] == 0.0
