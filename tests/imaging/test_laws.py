"""Laws' kernels, by hand and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from radlake.core.fault import ItemError
from radlake.imaging.laws import laws


def test_kernels_are_convolved_along_their_axes() -> None:
    image = np.random.default_rng(1).normal(size=(5, 9, 8)).astype(np.float32)
    expected = image.astype(np.float64)
    for axis, kernel in ((2, [-1, -2, 0, 2, 1]), (1, [1, -4, 6, -4, 1]), (0, [1, 2, 1])):
        expected = ndimage.convolve1d(expected, np.array(kernel) / np.linalg.norm(kernel), axis=axis, mode="mirror")
    # float32
    np.testing.assert_allclose(laws(image, kernels="E5R5L3", border="mirror"), expected, atol=1e-5)


def test_energy_is_the_mean_of_absolute_values() -> None:
    image = np.random.default_rng(2).normal(size=(4, 12, 13)).astype(np.float32)
    response = laws(image, kernels="s3w5", pooling="max")
    expected = ndimage.uniform_filter(np.abs(response).astype(np.float64), (1, 5, 5))
    np.testing.assert_allclose(laws(image, kernels="S3W5", pooling="max", energy_vox=2), expected, atol=1e-5)


@pytest.mark.parametrize("kernels", ["L5", "L5L5L5L5", "L4E5", "L5E", ""])
def test_unknown_kernels_are_named(kernels: str) -> None:
    with pytest.raises(ValueError, match="kernels must be two or three of L3, E3"):
        laws(np.zeros((4, 4)), kernels=kernels)


def test_a_plane_takes_two_kernels_and_no_negative_reach() -> None:
    with pytest.raises(ItemError, match="expected an image with 3 axes, found 2"):
        laws(np.zeros((4, 4)), kernels="L5E5E5")
    with pytest.raises(ValueError, match="energy_vox must not be negative"):
        laws(np.zeros((4, 4)), kernels="L5E5", energy_vox=-1)
