"""Zones against scipy's labels."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from radlake.features import zone_kernels
from radlake.features.texture import ACROSS, IN_PLANE

COUNT = 3
volumes = arrays.arrays(
    np.uint16, st.tuples(*[st.integers(1, 5)] * 3), elements=st.integers(0, COUNT), fill=st.nothing()
).map(lambda a: np.pad(a, 1))


def _zones(levels: np.ndarray, distance: np.ndarray, deep: bool) -> np.ndarray:
    offsets = np.array([*IN_PLANE, *ACROSS] if deep else IN_PLANE, np.int64)
    return zone_kernels.zones(levels, distance, offsets, zone_kernels.representatives(offsets))


def test_one_of_each_group_of_neighbours_that_touch_is_joined() -> None:
    joined = zone_kernels.representatives(np.array(IN_PLANE, np.int64))
    # left and upper right do not touch: both; with the one above, which touches all, the first alone
    assert [joined[code] for code in (0b0000, 0b0001, 0b1001, 0b1101, 0b0111)] == [0, 1, 1 | 4 << 4, 1, 1]


def test_four_corners_of_the_plane_before_are_joined_one_by_one() -> None:
    offsets = np.array([*IN_PLANE, *ACROSS], np.int64)
    corners = [k for k, (dz, dy, dx) in enumerate(offsets.tolist()) if dz and dy and dx]
    joined = zone_kernels.representatives(offsets)[sum(1 << k for k in corners)]
    assert [joined >> shift & 15 for shift in (0, 4, 8, 12)] == [k + 1 for k in corners]


@settings(max_examples=40)
@given(volumes, st.booleans(), st.integers(0, 2**32 - 1))
def test_zones_are_scipys_connected_components(levels: np.ndarray, deep: bool, seed: int) -> None:
    distance = np.random.default_rng(seed).integers(1, 9, levels.shape).astype(np.uint16)
    structure = np.ones((3, 3, 3), bool)
    if not deep:
        structure[0] = structure[2] = False
    expected = []
    for level in range(1, COUNT + 1):
        labels, number = ndimage.label(levels == level, structure)
        for k in range(1, number + 1):
            zone = labels == k
            expected.append((np.argwhere(zone)[0, 0] - 1, level, zone.sum(), distance[zone].min()))
    assert sorted(map(tuple, _zones(levels, distance, deep))) == sorted(expected)


@settings(max_examples=30)
@given(volumes, st.booleans())
def test_zones_of_planes_are_listed_plane_by_plane(levels: np.ndarray, deep: bool) -> None:
    rows = _zones(levels, np.ones_like(levels), deep)
    assert (np.diff(rows[:, 0]) >= 0).all()
    assert rows[:, 2].sum() == np.count_nonzero(levels)


def test_a_winding_zone_is_one() -> None:
    spiral = np.array([[1, 1, 1, 1, 1], [1, 2, 2, 2, 1], [1, 2, 2, 2, 1], [1, 2, 2, 2, 1], [0, 2, 1, 2, 1]], np.uint16)
    rows = _zones(np.pad(spiral[None], 1), np.ones((3, 7, 7), np.uint16), False)
    assert sorted(rows[:, 1:3].tolist()) == [[1, 1], [1, 12], [2, 11]]
