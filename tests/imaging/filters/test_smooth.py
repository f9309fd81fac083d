"""Smoothing filters against scipy.ndimage, borders and dtypes included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.lib.stride_tricks import sliding_window_view
from scipy import ndimage

from radlake.core.image import Geometry, Image
from radlake.imaging.arguments import BORDERS, Border
from radlake.imaging.filters import gaussian, mean, median, unsharp
from radlake.imaging.kernels.padding import padded

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


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16, np.int32])
@pytest.mark.parametrize("border", BORDERS)
def test_means_as_integers_are_rounded_correctly(border: Border, dtype: type) -> None:
    limits = np.iinfo(dtype)
    array = np.random.default_rng(5).integers(limits.min, limits.max, (4, 7, 9), dtype, endpoint=True)
    windows = sliding_window_view(padded(array, (3, 5, 7), border).astype(object), (3, 5, 7))
    sums = windows.reshape(*array.shape, -1).sum(axis=-1)  # Python's own integers
    expected = (2 * sums + 105) // 210
    assert np.array_equal(mean(array, size_vox=(3, 5, 7), border=border, out_dtype=dtype), expected.astype(dtype))


def test_means_of_unsigned_values_lose_no_digits() -> None:
    array = np.array([[0, 1, 3, 65535]], np.uint16)
    expected = np.array([1 / 3, 4 / 3, 65539 / 3, 131073 / 3])
    assert np.allclose(mean(array, size_vox=(1, 3)), expected, rtol=1e-7, atol=0)
    assert mean(array, size_vox=(1, 3), out_dtype=np.uint8).tolist() == [[0, 1, 255, 255]]


def test_boxes_whose_sum_does_not_fit_32_bits_are_averaged_all_the_same() -> None:
    array = np.full((1, 300, 300), 32767, np.int16)
    array[0, 150, 150] = -32768
    result = mean(array, size_vox=(1, 299, 299), out_dtype=np.int16)
    assert result[0, 150, 150] == 32766  # 32767 - 65535 / 89401


@settings(max_examples=30, deadline=None)
@given(
    arrays.arrays(np.int16, st.tuples(*[st.integers(1, 5)] * 3)),
    st.tuples(*[st.sampled_from([1, 3, 7])] * 3),
    st.sampled_from(BORDERS),
)
def test_means_of_images_smaller_than_the_box_equal_scipy(
    array: np.ndarray, size: tuple[int, ...], border: Border
) -> None:
    expected = ndimage.uniform_filter(array.astype(np.float64), size, mode=border)
    # scipy's running sums drift; both stay within float32
    assert np.allclose(mean(array, size_vox=size, border=border), expected, rtol=1e-6, atol=0.01)


def test_medians_keep_masks_and_colours() -> None:
    mask = RNG.random((6, 9, 9)) > 0.4
    assert np.array_equal(median(mask, size_vox=3), ndimage.median_filter(mask.astype(np.uint8), 3) > 0)
    colours = RNG.integers(0, 255, (9, 9, 3), dtype=np.uint8)
    expected = np.stack([ndimage.median_filter(colours[..., c], 3) for c in range(3)], axis=-1)
    assert np.array_equal(median(colours, size_vox=3, channel_axis=2), expected)


@pytest.mark.parametrize("smooth", [gaussian, mean, median])
def test_complex_images_are_refused(smooth: Callable[..., np.ndarray]) -> None:
    options = {"sigma_vox": 1.0} if smooth is gaussian else {"size_vox": 3}
    with pytest.raises(TypeError, match="expected real numbers"):
        smooth(np.ones((3, 3), np.complex64), **options)


def test_unsharp_adds_what_a_gaussian_takes() -> None:
    array = np.random.default_rng(7).integers(0, 255, (6, 20, 30)).astype(np.uint8)
    smooth = ndimage.gaussian_filter(array.astype(np.float64), [0.4, 1.5, 1.5])
    expected = array + 0.7 * (array - smooth)
    options: dict[str, Any] = {"sigma_mm": 1.5, "amount": 0.7, "spacing": (3.75, 1, 1)}
    # float32 on values up to 400
    np.testing.assert_allclose(unsharp(array, **options), expected, rtol=1e-5, atol=1e-4)
    rounded = unsharp(array, **options, out_dtype=np.uint8)
    assert np.array_equal(rounded, np.clip(np.rint(expected), 0, 255).astype(np.uint8))
    assert np.array_equal(unsharp(array, sigma_mm=1.5, amount=0), array.astype(np.float32))
    with pytest.raises(ValueError, match="amount must be finite"):
        unsharp(array, sigma_mm=1.5, amount=np.inf)


@pytest.mark.parametrize("smooth", [gaussian, unsharp])
def test_nan_cannot_become_an_integer(smooth: Callable[..., Any]) -> None:
    array = np.array([[1.0, np.nan, 2.0]])
    with pytest.raises(ValueError, match="the result holds NaN"):
        smooth(array, sigma_vox=1.0, out_dtype=np.int16)
