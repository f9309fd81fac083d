"""Canny's edges: scikit-image as oracle in two axes; a ball, spacing and 16 bits in three."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.feature
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from radlake.core.image import Geometry, Image
from radlake.imaging.edges import canny

RNG = np.random.default_rng(2)


def _scene(shape: tuple[int, int]) -> np.ndarray:
    scene = ndimage.gaussian_filter(RNG.normal(size=shape), 3) * 3000
    scene[10:30, 15:50] += 400
    return scene


@pytest.mark.parametrize("sigma", [0.7, 1.0, 2.0])
def test_edges_of_a_picture_are_scikit_images(sigma: float) -> None:
    scene = _scene((60, 80))
    # scikit-image's Sobel is 8 times the slope per sample
    theirs = skimage.feature.canny(scene, sigma, low_threshold=8 * 20, high_threshold=8 * 40, mode="reflect")
    ours = canny(scene, low=20, high=40, sigma_vox=sigma)
    assert theirs.sum() > 200
    # float32 here, float64 there: equal lengths may fall apart
    assert np.count_nonzero(ours != theirs) <= 2


def test_the_surface_of_a_ball_is_thin_closed_and_in_its_place() -> None:
    spacing = np.array([2.0, 0.8, 1.0])
    grid = (np.indices((25, 61, 49)) - np.array([12, 30, 24])[:, None, None, None]) * spacing[:, None, None, None]
    radius = np.sqrt((grid**2).sum(axis=0))
    ball = (1000 / (1 + np.exp(radius - 15.2))).astype(np.int16)
    edge = canny(ball, low=20, high=60, sigma_mm=1.0, spacing=spacing)
    assert np.abs(radius[edge] - 15.2).max() < 1.5
    inside = ndimage.label(~edge)[0]
    assert inside[12, 30, 24] != inside[0, 0, 0]


def test_small_steps_among_sixteen_bits_are_found() -> None:
    picture = np.full((20, 20), 60000, np.uint16)
    picture[:, 10:] += 8
    assert canny(picture, low=1, high=2, sigma_vox=1.0)[5:15].any(axis=1).all()


def test_weak_edges_need_a_strong_neighbour() -> None:
    picture = np.zeros((30, 30), np.float32)
    picture[:15, 10:] = np.linspace(2, 10, 15)[:, None]  # a step that fades
    picture[20:, 20:] = 3.0  # a weak one by itself
    found = canny(picture, low=0.8, high=3.0, sigma_vox=0)
    assert found[4:12, 9:11].any(axis=1).all()
    assert not found[22:, 16:].any()


@settings(max_examples=20)
@given(st.floats(0.1, 1000.0))
def test_edges_do_not_depend_on_the_unit(factor: float) -> None:
    scene = _scene((40, 60)) if factor < 0 else np.arange(24.0 * 20).reshape(24, 20) % 17
    plain = canny(scene, low=1.0, high=2.0, sigma_vox=1.1)
    scaled = canny(scene * factor, low=1.0 * factor, high=2.0 * factor, sigma_vox=1.1)
    assert np.count_nonzero(plain != scaled) <= 4  # rounding at the thresholds


def test_constant_small_and_unfinished_images_have_no_edges() -> None:
    for array in (np.full((9, 9), 7), np.ones((1, 1)), np.ones((2, 2, 2)), np.full((9, 9), np.nan)):
        assert not canny(array, low=1, high=2, sigma_vox=1.0).any()


def test_a_colour_cine_is_judged_by_its_middle() -> None:
    frames = np.zeros((3, 20, 20, 3), np.uint8)
    frames[1, :, 10:] = 200
    edges = canny(
        Image(frames, Geometry((0.5, 0.5)), kind="us", time_axis=0, channel_axis=3), low=5, high=9, sigma_mm=0.5
    )
    assert (edges.array.shape, edges.array.dtype, edges.kind) == ((20, 20), np.bool_, "label")
    assert edges.array[5:15].any(axis=1).all()


@pytest.mark.parametrize(("low", "high"), [(0, 1), (2, 1), (np.nan, 1)])
def test_thresholds_out_of_order_are_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="low <= high"):
        canny(np.zeros((4, 4)), low=low, high=high, sigma_vox=1)
