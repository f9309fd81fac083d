"""Compiled passes over masks against numpy and scipy on every sample."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.spatial import ConvexHull
from shapely import MultiPoint

from radlake.features import shape_kernels

volumes = arrays.arrays(np.bool_, st.tuples(*[st.integers(1, 5)] * 3)).filter(np.any)
planes = arrays.arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))).filter(np.any)


def _patterns(mask: np.ndarray) -> np.ndarray:
    padded, axes = np.pad(mask, 1).astype(int), mask.ndim
    found = np.zeros([n + 1 for n in mask.shape], int)
    for k in range(1 << axes):
        corner = [k >> (axes - 1 - a) & 1 for a in range(axes)]
        found += padded[tuple(slice(c, c + n + 1) for c, n in zip(corner, mask.shape, strict=True))] << k
    return np.bincount(found.ravel(), minlength=1 << (1 << axes))


@settings(max_examples=40)
@given(volumes, planes)
def test_every_cell_is_counted_under_its_pattern(volume: np.ndarray, plane: np.ndarray) -> None:
    assert (shape_kernels.cells(volume) == _patterns(volume)).all()
    assert (shape_kernels.plane_cells(plane) == _patterns(plane)).all()


@settings(max_examples=40)
@given(volumes)
def test_sums_are_those_over_all_places(mask: np.ndarray) -> None:
    z, y, x = np.nonzero(mask)
    products = [a @ b for a, b in ((z, z), (y, y), (x, x), (z, y), (z, x), (y, x))]
    assert shape_kernels.sums(mask).tolist() == [len(z), z.sum(), y.sum(), x.sum(), *products]


@settings(max_examples=40)
@given(volumes, st.integers(0, 2**32 - 1))
def test_weighted_sums_take_values_in_order(mask: np.ndarray, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=mask.sum())
    expected = [values.sum(), *(np.argwhere(mask) * values[:, None]).sum(axis=0)]
    assert shape_kernels.weighted(mask, values) == pytest.approx(expected, abs=1e-12)


def _vertices(mask: np.ndarray) -> np.ndarray:
    steps = np.concatenate([np.eye(mask.ndim, dtype=int), -np.eye(mask.ndim, dtype=int)])
    return np.unique(np.concatenate([2 * np.argwhere(mask) + step for step in steps]), axis=0)


@settings(max_examples=80)
@given(planes)
def test_corners_of_a_plane_are_those_of_its_hull_in_turn(mask: np.ndarray) -> None:
    every = _vertices(mask)
    corners = shape_kernels.plane_corners(mask)
    assert sorted(map(tuple, corners)) == sorted(map(tuple, every[ConvexHull(every).vertices]))
    following, after = np.roll(corners, -1, axis=0), np.roll(corners, -2, axis=0)
    a, b = following - corners, after - following
    assert len(np.unique(np.sign(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]))) == 1


@settings(max_examples=80)
@given(volumes)
def test_no_corner_of_a_volumes_hull_is_missed_and_none_comes_twice(mask: np.ndarray) -> None:
    every, found = _vertices(mask), [tuple(p) for p in shape_kernels.corners(mask).tolist()]
    assert (
        {tuple(p) for p in every[ConvexHull(every).vertices].tolist()} <= set(found) <= set(map(tuple, every.tolist()))
    )
    assert len(found) == len(set(found))


@settings(max_examples=60)
@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(2, 3)), elements=st.floats(-9, 9)))
def test_the_greatest_distance_is_that_of_all_pairs(points: np.ndarray) -> None:
    expected = max((float(np.linalg.norm(a - b)) for a, b in combinations(points, 2)), default=0.0)
    assert shape_kernels.greatest_distance(points) == pytest.approx(expected, rel=1e-12)


@settings(max_examples=40)
@given(planes)
def test_widths_and_hulls_of_outlines_agree_with_shapely(mask: np.ndarray) -> None:
    spacing = (2.5, 0.7)
    expected = MultiPoint(_vertices(mask) * spacing / 2).convex_hull
    corners = np.array(expected.exterior.coords)[:-1]
    sides = np.diff(np.array(expected.exterior.coords), axis=0)
    widths = [np.ptp(corners @ np.array([-s[1], s[0]]) / np.hypot(*s)) for s in sides]
    _, _, area, greatest, least, box = shape_kernels.outline(mask, *spacing)
    y, x = np.nonzero(mask)
    assert box == pytest.approx((np.ptp(y) + 1) * 2.5 * (np.ptp(x) + 1) * 0.7)
    apart = max(float(np.hypot(*(a - b))) for a, b in combinations(corners, 2))
    assert (area, greatest, least) == pytest.approx((expected.area, apart, min(widths)), rel=1e-9)
