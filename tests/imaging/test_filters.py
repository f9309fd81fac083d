"""Smoothing filters against scipy.ndimage, borders and dtypes included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from radlake.core.image import Geometry, Image
from radlake.imaging.arguments import BORDERS, Border
from radlake.imaging.filters import gaussian, mean, median

RNG = np.random.default_rng(7)
PICTURES = {
    "int16 volume": RNG.integers(-1000, 3000, (7, 11, 13)).astype(np.int16),
    "uint8 plane": RNG.integers(0, 256, (17, 5), dtype=np.uint8),
    "float32 volume": RNG.normal(size=(4, 9, 9)).astype(np.float32),
    "one voxel": np.array([[[5]]], np.int16),
    "one line": RNG.integers(0, 9, (1, 12)).astype(np.int32),
}


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("name", PICTURES)
def test_gaussian_equals_scipy(name: str, border: Border) -> None:
    array = PICTURES[name]
    sigma = (0.7, 1.3, 2.1)[-array.ndim :]
    expected = ndimage.gaussian_filter(array.astype(np.float64), sigma, mode=border)
    result = gaussian(array, sigma_vox=sigma, border=border)
    assert result.dtype == np.float32
    # float32 sums of up to 19 terms a pass: 1e-6 of the range
    assert np.abs(result - expected).max() <= 1e-6 * max(np.ptp(array), 1)


def test_gaussian_in_millimetres_divides_by_the_spacing() -> None:
    array = PICTURES["int16 volume"]
    image = Image(array, Geometry((5.0, 0.5, 0.5)))
    assert np.array_equal(gaussian(image, sigma_mm=1.0).array, gaussian(array, sigma_vox=(0.2, 2.0, 2.0)))


def test_gaussian_of_sigma_zero_changes_nothing() -> None:
    array = PICTURES["int16 volume"]
    assert np.array_equal(gaussian(array, sigma_vox=0), array.astype(np.float32))


def test_gaussian_in_float64_is_exact_to_float64() -> None:
    array = PICTURES["float32 volume"].astype(np.float64)
    expected = ndimage.gaussian_filter(array, 1.5)
    assert np.allclose(gaussian(array, sigma_vox=1.5, out_dtype=np.float64), expected, rtol=0, atol=1e-13)


def test_integer_output_is_rounded_and_clipped_not_wrapped() -> None:
    array = np.array([[0, 255, 255, 255, 0]], np.uint8)
    result = mean(array.astype(np.int16) * 2, size_vox=(1, 3), out_dtype=np.uint8)
    assert result.tolist() == [[170, 255, 255, 255, 170]]


def test_filters_along_z_in_chunks_equal_one_go() -> None:
    wide = RNG.normal(size=(3, 300, 300)).astype(np.float32)  # more columns than one chunk holds
    expected = ndimage.gaussian_filter1d(wide.astype(np.float64), 1.0, axis=0)
    assert np.abs(gaussian(wide, sigma_vox=(1.0, 0, 0)) - expected).max() < 1e-5


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("name", PICTURES)
def test_mean_equals_scipy(name: str, border: Border) -> None:
    array = PICTURES[name]
    expected = ndimage.uniform_filter(array.astype(np.float64), 3, mode=border)
    assert np.abs(mean(array, size_vox=3, border=border) - expected).max() <= 1e-6 * max(np.ptp(array), 1)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("name", PICTURES)
def test_median_equals_scipy_and_keeps_the_dtype(name: str, border: Border) -> None:
    array = PICTURES[name]
    result = median(array, size_vox=3, border=border)
    assert result.dtype == array.dtype
    assert np.array_equal(result, ndimage.median_filter(array, 3, mode=border))


def test_median_is_nan_where_the_box_holds_one() -> None:
    array = np.zeros((5, 5))
    array[0, 0] = np.nan
    assert np.argwhere(np.isnan(median(array, size_vox=3))).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_colours_do_not_mix() -> None:
    colours = np.zeros((9, 9, 3), np.uint8)
    colours[..., 1] = 90
    # float32 weights do not add up to exactly one
    assert np.allclose(gaussian(colours, sigma_vox=1.0, channel_axis=2), colours, rtol=1e-6, atol=0)


@settings(max_examples=25)
@given(
    arrays.arrays(np.int16, st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 6))),
    st.floats(0.1, 3.0),
)
def test_gaussian_stays_between_least_and_greatest(array: np.ndarray, sigma: float) -> None:
    result = gaussian(array, sigma_vox=sigma)
    slack = 1e-6 * max(1.0, np.abs(array.astype(float)).max())
    assert result.min() >= array.min() - slack
    assert result.max() <= array.max() + slack


def test_an_unknown_border_is_refused() -> None:
    with pytest.raises(ValueError, match="border must be one of"):
        gaussian(np.zeros((3, 3)), sigma_vox=1.0, border="zero")  # type: ignore[arg-type]
