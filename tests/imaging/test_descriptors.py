"""Oriented gradients and binary patterns against scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.feature import hog, local_binary_pattern

from radlake.imaging.descriptors import binary_patterns, circle, gradient_histograms, margin, square

IMAGES = np.random.default_rng(0).normal(size=(4, 32, 32)).astype(np.float32)


def test_gradients_are_those_of_scikit_image() -> None:
    found = gradient_histograms(IMAGES)
    for image, own in zip(IMAGES, found, strict=True):
        theirs = hog(
            image, orientations=9, pixels_per_cell=(8, 8), cells_per_block=(2, 2), block_norm="L2-Hys"
        ).reshape(-1, 2, 2, 9)  # fmt: skip
        assert own.reshape(-1, 2, 2, 9) == pytest.approx(theirs, abs=1e-4)  # theirs sums in float32


@pytest.mark.parametrize(("points", "radius"), [(8, 1.0), (16, 2.0), (24, 3.0), (8, 1.5)])
def test_patterns_on_a_circle_are_those_of_scikit_image(points: int, radius: float) -> None:
    image = np.random.default_rng(1).permutation(24 * 30).reshape(24, 30)  # no pixel equals another
    ring = circle(points, radius)
    reach = margin(ring)
    theirs = local_binary_pattern(image, points, radius, "uniform")[reach:-reach, reach:-reach]
    assert np.array_equal(binary_patterns(image[None].astype(float), ring)[0], theirs)


def test_patterns_by_hand() -> None:
    step = np.array([[[0.0, 0, 0], [5, 3, 4], [9, 8, 7]]])  # five neighbours in a row are brighter
    assert binary_patterns(step, square(1)).tolist() == [[[5]]]
    striped = np.array([[[9.0, 0, 9], [0, 3, 0], [9, 0, 9]]])  # eight changes round the ring: not uniform
    assert binary_patterns(striped, square(1)).tolist() == [[[9]]]
    assert binary_patterns(np.full((1, 7, 7), 0.1), circle(16, 2)).tolist() == [[[16] * 3] * 3]


@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_turning_an_image_turns_its_patterns(seed: int, quarters: int) -> None:
    image = np.random.default_rng(seed).integers(0, 9, (1, 8, 8)).astype(np.float64)
    here = binary_patterns(image, square(1))
    there = binary_patterns(np.rot90(image, quarters, (1, 2)), square(1))
    assert np.array_equal(np.rot90(here, quarters, (1, 2)), there)


def test_an_image_smaller_than_the_ring_has_no_patterns() -> None:
    assert binary_patterns(np.zeros((1, 4, 9)), circle(16, 2)).shape == (1, 0, 5)
