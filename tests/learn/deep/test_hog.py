"""Edges and textures against scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.feature import hog, local_binary_pattern

from radlake.learn.deep.hog import described, gradient_histograms, texture_histograms

IMAGES = np.random.default_rng(0).normal(size=(4, 32, 32)).astype(np.float32)


def test_gradients_are_those_of_scikit_image() -> None:
    found = gradient_histograms(IMAGES)
    for image, own in zip(IMAGES, found, strict=True):
        theirs = hog(
            image, orientations=9, pixels_per_cell=(8, 8), cells_per_block=(2, 2), block_norm="L2-Hys"
        ).reshape(-1, 2, 2, 9)  # fmt: skip
        assert own.reshape(-1, 2, 2, 9) == pytest.approx(theirs, abs=1e-4)  # theirs sums in float32


def test_textures_are_those_of_scikit_image_inside() -> None:
    ranks = np.random.default_rng(1).permutation(32 * 32).reshape(1, 32, 32).astype(np.float32)
    # theirs interpolates on a circle; on the axes both take the same pixels: a plane has the same code everywhere
    plane = np.arange(32, dtype=np.float32)[None, :, None] * np.ones((1, 1, 32), np.float32)
    theirs = local_binary_pattern(plane[0].astype(np.uint8), 8, 1, "uniform")[1:-1, 1:-1]
    own = texture_histograms(plane)[0, :10]
    assert own[int(theirs[0, 0])] == 1.0
    assert texture_histograms(ranks)[0].reshape(2, 10).sum(axis=1) == pytest.approx(1)


def test_numbers_do_not_depend_on_the_other_images() -> None:
    together = described(IMAGES)
    assert together.shape == (4, 408)
    assert np.array_equal(described(IMAGES[2:3])[0], together[2])
    assert np.isfinite(described(np.zeros((1, 32, 32), np.float32))).all()
