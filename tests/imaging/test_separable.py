"""Separable correlation against scipy: kernels that are not symmetric too, every border."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from radlake.imaging.arguments import BORDERS
from radlake.imaging.separable import correlate, working_dtype

KERNELS = [np.array([0.2, 0.5, 0.3]), np.array([-1.0, 0.0, 1.0]), np.array([1.0, 2.0, 4.0, 2.0, 1.0])]


@pytest.mark.parametrize("border", BORDERS)
def test_one_kernel_an_axis_is_scipys_correlation(border: str) -> None:
    volume = np.random.default_rng(3).normal(0, 50, (6, 9, 11))
    expected = volume
    for axis, kernel in enumerate(KERNELS):
        expected = ndimage.correlate1d(expected, kernel, axis=axis, mode=border)
    np.testing.assert_allclose(correlate(volume, KERNELS, border, np.float64), expected, atol=1e-10)  # type: ignore[arg-type]


def test_results_are_rounded_once_and_clipped() -> None:
    line = np.array([[0, 100, 255]], np.uint8)
    assert correlate(line, [np.ones(1), np.array([0.0, 3.0, 0.0])], "nearest", np.uint8).tolist() == [[0, 255, 255]]
    assert working_dtype(np.float32) == np.float32


def test_complex_numbers_are_refused() -> None:
    with pytest.raises(TypeError, match="real"):
        correlate(np.ones((2, 2), complex), KERNELS[1:], "reflect", np.float32)
