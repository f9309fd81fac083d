"""Slopes and Laplacians in one pass: every border against scipy, planes, threads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from radlake.imaging import threads
from radlake.imaging.arguments import BORDERS
from radlake.imaging.kernels.slopes import LENGTH, field_of, laplacian_of, slopes_into, slopes_of

SOBEL = (0.25, 0.5)
RNG = np.random.default_rng(6)


def _all(volume: np.ndarray, spacing: tuple[float, float, float], border: str, *, planar: bool) -> np.ndarray:
    """Slopes along all axes and their length."""
    found = np.empty((4, *volume.shape), volume.dtype)
    slopes_into(field_of(volume, spacing, SOBEL, border, planar=planar), (0, len(volume), 0, volume.shape[1]), found)
    return found


def test_a_plane_that_rises_by_three_a_millimetre_has_that_slope() -> None:
    plane = np.tile(3.0 * 0.5 * np.arange(5), (4, 1))[None]
    field = _all(plane, (1.0, 1.0, 0.5), "nearest", planar=True)
    assert field[:, 0, 1, 2].tolist() == [0.0, 0.0, 3.0, 3.0]


@pytest.mark.parametrize("border", BORDERS)
@settings(max_examples=15, deadline=None)
@given(shape=st.tuples(*[st.integers(1, 6)] * 3))
def test_borders_are_scipys_for_every_shape(border: str, shape: tuple[int, int, int]) -> None:
    volume = RNG.normal(0, 100, shape)
    field = _all(volume, (2.0, 1.0, 0.5), border, planar=False)
    whole = field_of(volume, (2.0, 1.0, 0.5), SOBEL, border, planar=False)
    for k in range(4):
        assert np.array_equal(slopes_of(whole, k), field[k])
    for axis, step in enumerate((2.0, 1.0, 0.5)):
        expected = ndimage.sobel(volume, axis=axis, mode=border) / (32 * step)
        np.testing.assert_allclose(field[axis], expected, atol=1e-10)
    np.testing.assert_allclose(field[3], np.sqrt((field[:3] ** 2).sum(axis=0)), rtol=1e-12)
    laplacian = laplacian_of(volume, (1.0, 1.0, 1.0), border, planar=False)
    np.testing.assert_allclose(laplacian, ndimage.laplace(volume, mode=border), atol=1e-10)


def test_without_weights_a_sample_is_not_seen() -> None:
    volume = np.zeros((3, 3, 5))
    volume[1, 1, 2] = np.nan
    length = slopes_of(field_of(volume, (1.0, 1.0, 1.0), (0.0, 1.0), "reflect", planar=False), LENGTH)
    assert np.isnan(length).sum() == 6  # the face neighbours alone


@pytest.mark.parametrize("shape", [(9, 7, 6), (1, 31, 6)])
def test_threads_do_not_show(shape: tuple[int, int, int]) -> None:
    volume = RNG.normal(0, 100, shape).astype(np.float32)
    planar = shape[0] == 1
    field = field_of(volume, (1, 1, 1), SOBEL, "reflect", planar=planar)
    alone = [slopes_of(field, k) for k in (1, LENGTH)]
    with threads(3):
        together = [slopes_of(field, k) for k in (1, LENGTH)]
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_nothing_has_no_slope() -> None:
    field = field_of(np.zeros((0, 4, 4)), (1, 1, 1), SOBEL, "reflect", planar=False)
    assert slopes_of(field, LENGTH).shape == (0, 4, 4)
