"""Planes to stacks: order, spacing, time, repeats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.formats.stacks import Plane, Stack, alike, line_of, normal_of, stacks_of

AXIAL = np.array([1.0, 0, 0, 0, 1, 0])


def _plane(z: float, number: int = 0, *, x: float = 0.0, y: float = 0.0, **row: float) -> Plane:
    """An axial plane."""
    return Plane({"instance_id": f"in-{number:04}", "instance_number": number} | row, None, np.array([x, y, z]), AXIAL)


def _depths(stack: Stack) -> list[list[float]]:
    """z of each plane of each time point."""
    return [[float(p.position[2]) for p in point] for point in stack.planes]


def test_planes_are_ordered_by_place_not_by_number() -> None:
    (stack,) = stacks_of([_plane(4, 1), _plane(0, 2), _plane(2, 3)])
    assert _depths(stack) == [[0, 2, 4]]


def test_equal_repeats_are_time_points_in_the_order_of_their_times() -> None:
    planes = [_plane(z, n, temporal_position=t) for n, (z, t) in enumerate([(0, 2), (0, 1), (3, 1), (3, 2)])]
    (stack,) = stacks_of(planes)
    assert _depths(stack) == [[0, 3], [0, 3]]
    assert [p.row["temporal_position"] for point in stack.planes for p in point] == [1, 1, 2, 2]


def test_overlapping_acquisitions_become_stacks_of_their_own() -> None:
    planes = [_plane(z, n, acquisition_number=1) for n, z in enumerate([0, 1, 2, 3])]
    planes += [_plane(z, 9 + n, acquisition_number=2) for n, z in enumerate([2, 3, 4])]
    assert [_depths(s) for s in stacks_of(planes)] == [[[0, 1, 2, 3]], [[2, 3, 4]]]


def test_an_interrupted_dynamic_keeps_its_whole_volumes_as_time_points() -> None:
    planes = [_plane(z, 10 * t + z, temporal_position=t) for t in range(3) for z in range(4) if (t, z) != (2, 3)]
    assert [_depths(s) for s in stacks_of(planes)] == [[[0, 1, 2, 3], [0, 1, 2, 3]], [[0, 1, 2]]]


def test_a_repeated_slice_that_nothing_tells_apart_is_extra() -> None:
    (stack,) = stacks_of([_plane(0, 1), _plane(1, 2), _plane(1, 3), _plane(2, 4)])
    assert _depths(stack) == [[0, 1, 2]]
    assert [p.row["instance_number"] for p in stack.extra] == [3]


def test_an_attribute_that_numbers_the_slices_does_not_split_them() -> None:
    planes = [_plane(z, n, acquisition_number=n) for n, z in enumerate([0, 1, 1, 2])]
    (stack,) = stacks_of(planes)
    assert len(stack.extra) == 1


def test_slabs_side_by_side_are_not_one_stack() -> None:
    planes = [_plane(z, n, x=x) for n, (z, x) in enumerate([(0, 0), (1, 0), (2, 0), (0.5, 40), (1.5, 40)])]
    assert sorted(map(_depths, stacks_of(planes))) == [[[0, 1, 2]], [[0.5, 1.5]]]


def test_a_tilted_gantry_keeps_one_stack_along_the_table() -> None:
    tilted = np.array([1.0, 0, 0, 0, np.cos(0.3), -np.sin(0.3)])
    planes = [Plane({"instance_number": n}, None, np.array([0.0, 0.0, 5.0 * n]), tilted) for n in range(4)]
    (stack,) = stacks_of(planes)
    line = line_of(np.array([p.position for p in stack.planes[0]]))
    assert line.spacing == pytest.approx(5.0)
    assert line.direction == pytest.approx((0, 0, 1))


@settings(max_examples=40)
@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=12),
    st.floats(0.5, 7.0),
    st.randoms(use_true_random=False),
)
def test_every_plane_ends_in_exactly_one_stack_whatever_the_order(
    steps: list[int], unit: float, random: object
) -> None:
    planes = [_plane(float(z) * unit, n) for n, z in enumerate([0, *np.cumsum(steps)])]
    expected = [_depths(s) for s in stacks_of(planes)]
    random.shuffle(planes)  # type: ignore[attr-defined]
    found = stacks_of(planes)
    assert [_depths(s) for s in found] == expected
    assert sum(len(point) for s in found for point in s.planes) + sum(len(s.extra) for s in found) == len(planes)


@settings(max_examples=40)
@given(st.integers(2, 50), st.floats(0.3, 9.0), st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))
def test_an_even_line_maps_the_first_and_the_last_plane_exactly(count: int, step: float, dx: float, dy: float) -> None:
    positions = np.outer(np.arange(count), np.array([dx, dy, 1.0]) * step) + np.array([5, -7, 100])
    line = line_of(positions)
    assert line.even
    last = positions[0] + (count - 1) * line.spacing * np.array(line.direction)
    assert last == pytest.approx(positions[-1])


def test_an_uneven_line_has_the_median_step() -> None:
    line = line_of(np.array([[0, 0, z] for z in (0.0, 2.0, 4.0, 6.0, 20.0)]))
    assert (line.spacing, line.even) == (2.0, False)


def test_steps_within_one_percent_are_even() -> None:
    assert line_of(np.array([[0, 0, z] for z in (0.0, 1.0, 2.009, 3.0)])).even


def test_normal_of_a_sagittal_plane_points_to_the_right_hand_side() -> None:
    assert normal_of(np.array([0.0, 1, 0, 0, 0, -1])).tolist() == [-1.0, 0.0, 0.0]


def test_alike_keeps_groups_apart_that_differ_by_more_than_the_tolerance() -> None:
    assert alike(np.array([[0.0], [0.2], [0.1]]), tolerance=0.15) == [0, 1, 0]
