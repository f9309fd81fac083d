"""Ridges of a gradient, and which of them strong ones reach."""

from __future__ import annotations

import numpy as np

from radlake.imaging import threads
from radlake.imaging.kernels.ridges import STRONG, TAKEN, flood, mark_ridges, thin_edges
from radlake.imaging.kernels.slopes import field_of


def _thin(
    length: np.ndarray,
    direction: tuple[float, float, float],
    low: float,
    high: float,
    spacing: tuple[float, float, float] = (1, 1, 1),
) -> np.ndarray:
    """Edges where slopes have one direction and the given length."""
    unit = np.asarray(direction) / np.linalg.norm(direction)
    field = np.concatenate([unit[:, None, None, None] * length[None], length[None]]).astype(np.float32)
    slopes = np.ascontiguousarray(field.swapaxes(0, 1))
    marks = np.zeros(length.shape, np.uint8)
    depth, rows, _ = length.shape
    edge = 1 if depth > 1 else 0
    per_voxel = np.array([edge / spacing[0], 1 / spacing[1], 1 / spacing[2]])
    for z in range(edge, depth - edge):
        mark_ridges(slopes, z, per_voxel, low, high, marks[z, 1:-1])
    flood(marks, STRONG, (0, depth, 0, rows), (0, depth, 0, rows), np.empty(marks.size, np.int64))
    return np.asarray(marks == TAKEN)


def test_a_slanted_ridge_is_compared_between_samples() -> None:
    y, x = np.indices((9, 9)) - 4
    away = np.abs(2 * x + y)
    length = np.maximum(10.0 - away, 0)[None]
    found = _thin(length, (0, 1, 2), 1.0, 5.0)[0]
    # a step is one column and half a row, 2.5 of `away`: beside the ridge, 1 is compared with the mean of 1 and 2
    assert np.array_equal(found[1:-1, 1:-1], (away <= 1)[1:-1, 1:-1])
    assert not found[[0, -1]].any()


def test_weak_samples_are_taken_through_corners_and_planes_from_strong_ones() -> None:
    length = np.zeros((7, 7, 7))
    for i in range(1, 4):
        length[i, i, i] = 2.0  # a diagonal in space
    length[5, 1, 5] = 2.0
    length[3, 3, 3] = 9.0
    found = _thin(length, (0, 0, 1), 1.0, 5.0)
    assert [tuple(place) for place in np.argwhere(found)] == [(1, 1, 1), (2, 2, 2), (3, 3, 3)]


def test_a_step_is_measured_in_voxels_of_the_spacing() -> None:
    length = np.zeros((1, 5, 5))
    length[0, 2, 2], length[0, 3, 3] = 5.0, 6.0
    # along the diagonal of voxels the greater one hides the lesser; where rows are far apart the step goes along x
    assert not _thin(length, (0, 1, 1), 1.0, 2.0)[0, 2, 2]
    assert _thin(length, (0, 1, 1), 1.0, 2.0, (1, 1e6, 1))[0, 2, 2]


def test_edges_go_on_from_part_to_part() -> None:
    volume = np.zeros((40, 80, 24), np.float32)
    volume[:, :, 12:] = 2.0  # a weak edge through all rows and planes, strong at one corner alone
    volume[:4, :4, 12:] = 40.0
    field = field_of(volume, (2, 1, 1), (0.25, 0.5), "reflect", planar=False)
    alone = thin_edges(field, (2, 1, 1), 0.5, 10.0)
    assert alone[8:-1, 8:-1].any(axis=2).all()
    for count in (2, 3, 7):
        with threads(count):
            assert np.array_equal(thin_edges(field, (2, 1, 1), 0.5, 10.0), alone)


def test_threads_do_not_show() -> None:
    volume = np.random.default_rng(4).normal(0, 10, (12, 70, 20)).astype(np.float32)
    for planar in (False, True):
        field = field_of(volume[:1] if planar else volume, (2, 1, 1), (0.25, 0.5), "reflect", planar=planar)
        alone = thin_edges(field, (2, 1, 1), 2.0, 6.0)
        assert 0 < alone.mean() < 0.5
        with threads(3):
            assert np.array_equal(thin_edges(field, (2, 1, 1), 2.0, 6.0), alone)
