"""Edge filters: slopes by hand, scipy and scikit-image as oracles, every layout of image."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import skimage.filters
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from radlake.core.image import Geometry, Image
from radlake.imaging.arguments import BORDERS
from radlake.imaging.edges import (
    gradient,
    gradient_magnitude,
    laplacian,
    laplacian_of_gaussian,
    prewitt,
    scharr,
    sobel,
)

RNG = np.random.default_rng(11)
VOLUME = RNG.normal(0, 100, (7, 9, 8))
LENGTHS = {"sobel": sobel, "prewitt": prewitt, "scharr": scharr, "central": gradient_magnitude}
LINEAR = [*LENGTHS.values(), laplacian, lambda a, **o: laplacian_of_gaussian(a, sigma_vox=0.8, **o)]


@pytest.mark.parametrize("name", LENGTHS)
@settings(max_examples=10)
@given(slopes=st.tuples(*[st.floats(-50, 50)] * 3), spacing=st.tuples(*[st.floats(0.3, 5.0)] * 3))
def test_the_slope_of_a_plane_is_exact(name: str, slopes: tuple[float, ...], spacing: tuple[float, ...]) -> None:
    plane = sum(s * mm * g for s, mm, g in zip(slopes, spacing, np.indices((5, 5, 5)), strict=True))
    length = LENGTHS[name](plane, spacing=spacing, out_dtype=float)
    np.testing.assert_allclose(length[2, 2, 2], np.linalg.norm(slopes), atol=1e-8)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize(
    ("operator", "filter_", "weights"), [("sobel", ndimage.sobel, 32), ("prewitt", ndimage.prewitt, 18)]
)
def test_derivatives_equal_scipys(border: str, operator: str, filter_: Callable[..., np.ndarray], weights: int) -> None:
    for axis in range(3):
        ours = gradient(VOLUME, axis=axis, operator=operator, border=border, out_dtype=float)  # type: ignore[arg-type]
        np.testing.assert_allclose(ours, filter_(VOLUME, axis=axis, mode=border) / weights, atol=1e-10)


@pytest.mark.parametrize("name", ["sobel", "prewitt", "scharr"])
def test_magnitudes_equal_scikit_images(name: str) -> None:
    # scikit-image divides by the root of the number of axes and does not halve the span of two samples
    theirs = getattr(skimage.filters, name)(VOLUME, mode="reflect") * np.sqrt(3) / 2
    np.testing.assert_allclose(LENGTHS[name](VOLUME, out_dtype=float), theirs, atol=1e-10)


@pytest.mark.parametrize("border", BORDERS)
def test_the_laplacian_equals_scipys(border: str) -> None:
    ours = laplacian(VOLUME, border=border, out_dtype=float)  # type: ignore[arg-type]
    np.testing.assert_allclose(ours, ndimage.laplace(VOLUME, mode=border), atol=1e-10)
    ours = laplacian_of_gaussian(VOLUME, sigma_vox=1.3, border=border, out_dtype=float)  # type: ignore[arg-type]
    # scipy's kernel is not corrected for being cut off: 0.2 percent of the values that went in
    np.testing.assert_allclose(ours, ndimage.gaussian_laplace(VOLUME, 1.3, mode=border), atol=0.5)


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", ">i2", "f4"])
@pytest.mark.parametrize("border", ["reflect", "nearest", "mirror", "wrap", "constant"])
@pytest.mark.parametrize("shape", [(31, 40), (1, 9), (1, 1)])
def test_planes_of_square_samples_are_like_a_slice_of_a_volume(dtype: str, border: str, shape: tuple[int, int]) -> None:
    plane = RNG.integers(0, 200, shape).astype(dtype)
    volume = np.stack([plane] * 3)
    alone = laplacian(plane, spacing=(0.5, 0.5), border=border)
    # nothing changes along z, except where beyond the volume is zero
    among = laplacian(volume, spacing=(3.0, 0.5, 0.5), border=border)[1]
    np.testing.assert_array_equal(alone, among)


def test_second_derivatives_of_a_paraboloid_are_per_square_millimetre() -> None:
    spacing = (2.0, 0.5, 0.8)
    bowl = sum(c * (g * mm) ** 2 for c, g, mm in zip((1, 2, 3), np.indices((41, 41, 41)) - 20, spacing, strict=True))
    assert laplacian(bowl, spacing=spacing, out_dtype=float)[20, 20, 20] == pytest.approx(12)
    smooth = laplacian_of_gaussian(bowl, spacing=spacing, sigma_mm=2.0, out_dtype=float)
    assert smooth[20, 20, 20] == pytest.approx(12)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64, bool])
def test_unsigned_values_do_not_wrap(dtype: type) -> None:
    step = np.array([[1, 1, 0, 0]] * 3).astype(dtype)
    assert gradient(step, axis=1)[1].tolist() == [0.0, -0.5, -0.5, 0.0]
    assert laplacian(step)[1].tolist() == [0.0, -1.0, 1.0, 0.0]


@pytest.mark.parametrize("function", LINEAR)
def test_every_layout_gives_its_own_shape(function: Callable[..., np.ndarray]) -> None:
    for shape in ((1, 1), (1, 5), (4, 4), (1, 1, 1), (1, 6, 5), (3, 4, 5), (0, 4, 4)):
        result = function(np.ones(shape, np.int16))
        assert (result.shape, result.dtype) == (shape, np.float32)
        np.testing.assert_allclose(result, 0.0, atol=2e-6)
    cine = Image(RNG.integers(0, 9, (2, 5, 6, 3)).astype(np.uint8), Geometry((1.0, 1.0)), time_axis=0, channel_axis=3)
    alone = function(cine.array[1, ..., 2])
    np.testing.assert_array_equal(function(cine).array[1, ..., 2], alone)


@pytest.mark.parametrize("function", LINEAR)
def test_the_input_is_left_alone_and_nan_stays_near(function: Callable[..., np.ndarray]) -> None:
    array = VOLUME.copy()
    function(array)
    assert np.array_equal(array, VOLUME)
    array[0, 0, 0] = np.nan
    result = function(array)
    assert np.isnan(result).any()
    assert np.isfinite(result[-1]).all()


def test_integers_are_rounded_and_clipped() -> None:
    ramp = np.array([[0, 1000, 2000]] * 3, np.int16)
    assert sobel(ramp, out_dtype=np.uint8)[1].tolist() == [255, 255, 255]
    assert gradient(ramp, axis=1, spacing=(1, 300), out_dtype=np.int8)[1].tolist() == [2, 3, 2]


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="operator"):
        gradient(VOLUME, axis=0, operator="roberts")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="axis"):
        gradient(VOLUME, axis=3)
    with pytest.raises(ValueError, match="border"):
        laplacian(VOLUME, border="zero")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="border"):
        laplacian_of_gaussian(VOLUME, sigma_vox=1, border="zero")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="above 0"):
        laplacian_of_gaussian(VOLUME, sigma_vox=0)
