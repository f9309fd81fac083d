"""Oriented box and ellipsoid: known bodies, turned ones, and that they enclose."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from radlake.features.enclosure import PLANE, enclosure, smallest_box, smallest_ellipsoid
from radlake.features.roi import Roi

turns = st.integers(0, 2**32 - 1).map(lambda seed: Rotation.random(rng=np.random.default_rng(seed)).as_matrix())
CORNERS = np.array([*np.ndindex(2, 2, 2)], float) * [5.0, 3.0, 2.0]


@settings(max_examples=15)
@given(turns)
def test_a_turned_box_is_found(turn: np.ndarray) -> None:
    assert smallest_box(CORNERS @ turn.T + 100) == pytest.approx((5.0, 3.0, 2.0))


@settings(max_examples=15)
@given(turns)
def test_the_ellipsoid_of_a_box_goes_through_its_corners(turn: np.ndarray) -> None:
    # by symmetry and affinity: the sphere round a cube, stretched
    found = smallest_ellipsoid(CORNERS @ turn.T - 50)
    assert found == pytest.approx(np.sqrt(3) / 2 * np.array([5.0, 3.0, 2.0]), rel=1e-5)


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_the_ellipsoid_is_no_smaller_than_the_hull_and_no_larger_than_three_times_its_axes(seed: int) -> None:
    from scipy.spatial import ConvexHull

    points = np.random.default_rng(seed).normal(size=(40, 3)) * [9, 3, 1]
    volume = 4 / 3 * np.pi * np.prod(smallest_ellipsoid(points))
    hull = ConvexHull(points).volume
    # John (1948): shrunk by the dimension about its centre it lies inside the hull
    assert hull <= volume <= 27 * hull
    a, b, c = smallest_box(points)
    assert hull <= a * b * c <= np.prod(np.ptp(points, axis=0)) * (1 + 1e-9)


def test_densities_of_a_block() -> None:
    found = enclosure(Roi(np.ones((4, 6, 8), bool), (2.0, 1.0, 1.0)))
    # the mesh lacks only its edges and corners; the smallest box is the box of the mesh
    assert found["morph_vol_dens_ombb"] == pytest.approx((8 * 6 * 8 - 14) / (8 * 6 * 8), abs=0.02)
    assert 0.3 < float(found["morph_vol_dens_mvee"]) < float(found["morph_vol_dens_ombb"])
    assert float(found["morph_area_dens_mvee"]) > 0.5


def test_a_single_voxel_fills_a_third_of_its_sphere() -> None:
    found = enclosure(Roi(np.ones((1, 1, 1), bool), (1.0, 1.0, 1.0)))
    # an octahedron in the sphere through its corners: 1 / pi
    assert found["morph_vol_dens_mvee"] == pytest.approx(1 / np.pi, rel=1e-5)


def test_planes_have_no_enclosing_body() -> None:
    assert set(enclosure(Roi(np.ones((3, 3), bool), (1.0, 1.0))).values()) == {PLANE}
