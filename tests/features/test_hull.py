"""Hulls and diameters against scipy on all points, shapely, and by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.spatial import ConvexHull
from shapely import MultiPoint

from radlake.features.hull import convex_hull, largest_distance

volumes = arrays.arrays(np.bool_, st.tuples(*[st.integers(1, 5)] * 3)).filter(np.any)
planes = arrays.arrays(np.bool_, st.tuples(st.integers(1, 8), st.integers(1, 8))).filter(np.any)


def _all_vertices(mask: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    steps = np.concatenate([np.eye(mask.ndim), -np.eye(mask.ndim)]) / 2
    return np.concatenate([np.argwhere(mask) + step for step in steps]) * spacing


def test_one_voxel_has_the_hull_of_an_octahedron() -> None:
    hull = convex_hull(np.ones((1, 1, 1), bool), (1.0, 1.0, 1.0))
    assert (len(hull.vertices), hull.volume, hull.area) == pytest.approx((6, 1 / 6, np.sqrt(3)))


@settings(max_examples=40)
@given(volumes)
def test_volume_hulls_equal_the_hull_of_all_vertices(mask: np.ndarray) -> None:
    spacing = (2.5, 0.7, 1.0)
    hull, expected = convex_hull(mask, spacing), ConvexHull(_all_vertices(mask, spacing))
    assert (hull.volume, hull.area) == pytest.approx((expected.volume, expected.area), rel=1e-9)


@settings(max_examples=40)
@given(planes)
def test_plane_hulls_agree_with_shapely(mask: np.ndarray) -> None:
    spacing = (2.5, 0.7)
    hull = convex_hull(mask, spacing)
    expected = MultiPoint(_all_vertices(mask, spacing)).convex_hull
    assert (hull.volume, hull.area) == pytest.approx((expected.area, expected.length), rel=1e-9)


@settings(max_examples=30)
@given(volumes)
def test_the_diameter_is_the_greatest_of_all_pairs(mask: np.ndarray) -> None:
    spacing = (2.5, 0.7, 1.0)
    points = _all_vertices(mask, spacing)
    expected = max(float(np.linalg.norm(a - b)) for a, b in combinations(points[:400], 2))
    found = largest_distance(convex_hull(mask, spacing).vertices)
    assert found == pytest.approx(expected, rel=1e-12) if len(points) <= 400 else found >= expected - 1e-12


def test_many_points_are_compared_in_blocks() -> None:
    points = np.random.default_rng(0).normal(size=(1500, 3))
    points[3], points[1400] = (90.0, 0.0, 0.0), (-10.0, 0.0, 0.0)
    assert largest_distance(points) == pytest.approx(100.0)


def test_extreme_spacing_does_not_flatten_the_hull() -> None:
    hull = convex_hull(np.ones((1, 4, 4), bool), (1e-9, 1.0, 1e6))
    cubic = convex_hull(np.ones((1, 4, 4), bool), (1.0, 1.0, 1.0))
    assert hull.volume == pytest.approx(cubic.volume * 1e-3, rel=1e-9)
