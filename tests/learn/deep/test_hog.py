"""Images as numbers: their layout, and what they do not depend on."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.feature import local_binary_pattern

from radlake.imaging.descriptors import gradient_histograms
from radlake.learn.deep.hog import described, texture_histograms

IMAGES = np.random.default_rng(0).normal(size=(4, 32, 32)).astype(np.float32)


def test_textures_are_those_of_scikit_image_inside() -> None:
    ranks = np.random.default_rng(1).permutation(32 * 32).reshape(1, 32, 32).astype(np.float32)
    # theirs interpolates on a circle; on the axes both take the same pixels: a plane has the same code everywhere
    plane = np.arange(32, dtype=np.float32)[None, :, None] * np.ones((1, 1, 32), np.float32)
    theirs = local_binary_pattern(plane[0].astype(np.uint8), 8, 1, "uniform")[1:-1, 1:-1]
    own = texture_histograms(plane)[0, :10]
    assert own[int(theirs[0, 0])] == 1.0
    assert texture_histograms(ranks)[0].reshape(2, 10).sum(axis=1) == pytest.approx(1)


def test_gradients_come_first() -> None:
    assert np.array_equal(described(IMAGES)[:, :324], gradient_histograms(IMAGES))


def test_numbers_do_not_depend_on_the_other_images() -> None:
    together = described(IMAGES)
    assert together.shape == (4, 408)
    assert np.array_equal(described(IMAGES[2:3])[0], together[2])
    assert np.isfinite(described(np.zeros((1, 32, 32), np.float32))).all()
