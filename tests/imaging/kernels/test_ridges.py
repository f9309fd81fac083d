"""Ridges of a gradient, and which of them strong ones reach."""

from __future__ import annotations

import numpy as np

from radlake.imaging import threads
from radlake.imaging.kernels.ridges import thin_edges


def _field(length: np.ndarray, direction: tuple[float, float, float]) -> np.ndarray:
    """Slopes of one direction and the given length."""
    unit = np.asarray(direction) / np.linalg.norm(direction)
    return np.concatenate([unit[:, None, None, None] * length[None], length[None]]).astype(np.float32)


def test_a_slanted_ridge_is_compared_between_samples() -> None:
    y, x = np.indices((9, 9)) - 4
    away = np.abs(2 * x + y)
    length = np.maximum(10.0 - away, 0)[None]
    found = thin_edges(_field(length, (0, 1, 2)), (1, 1, 1), 1.0, 5.0, planar=True)[0]
    # a step is one column and half a row, 2.5 of `away`: beside the ridge, 1 is compared with the mean of 1 and 2
    assert np.array_equal(found[1:-1, 1:-1], (away <= 1)[1:-1, 1:-1])
    assert not found[[0, -1]].any()


def test_weak_samples_are_taken_through_corners_and_planes_from_strong_ones() -> None:
    length = np.zeros((7, 7, 7))
    for i in range(1, 4):
        length[i, i, i] = 2.0  # a diagonal in space
    length[5, 1, 5] = 2.0
    length[3, 3, 3] = 9.0
    found = thin_edges(_field(length, (0, 0, 1)), (1, 1, 1), 1.0, 5.0, planar=False)
    assert [tuple(place) for place in np.argwhere(found)] == [(1, 1, 1), (2, 2, 2), (3, 3, 3)]


def test_a_step_is_measured_in_voxels_of_the_spacing() -> None:
    length = np.zeros((1, 5, 5))
    length[0, 2, 2], length[0, 3, 3] = 5.0, 6.0
    # along the diagonal of voxels the greater one hides the lesser; where rows are far apart the step goes along x
    assert not thin_edges(_field(length, (0, 1, 1)), (1, 1, 1), 1.0, 2.0, planar=True)[0, 2, 2]
    assert thin_edges(_field(length, (0, 1, 1)), (1, 1e6, 1), 1.0, 2.0, planar=True)[0, 2, 2]


def test_threads_do_not_show() -> None:
    field = np.random.default_rng(4).normal(0, 10, (4, 12, 20, 20)).astype(np.float32)
    field[3] = np.sqrt((field[:3] ** 2).sum(axis=0))
    alone = thin_edges(field, (2, 1, 1), 5.0, 15.0, planar=False)
    with threads(3):
        assert np.array_equal(thin_edges(field, (2, 1, 1), 5.0, 15.0, planar=False), alone)
    assert alone.any()
