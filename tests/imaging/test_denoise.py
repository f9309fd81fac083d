"""Filters that keep edges, against their formulas in numpy, OpenCV and scipy."""

from __future__ import annotations

import itertools
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from radlake.core.image import Geometry, Image
from radlake.imaging import FILTERS, threads
from radlake.imaging.arguments import BORDERS
from radlake.imaging.denoise import anisotropic_diffusion, bilateral, non_local_means

SPACING = (2.5, 0.7, 0.9)
PADS = {"reflect": "symmetric", "nearest": "edge", "mirror": "reflect", "wrap": "wrap", "constant": "constant"}
OPTIONS: dict[str, dict[str, Any]] = {
    "bilateral": {"sigma_mm": 1.3, "sigma_value": 25.0},
    "non_local_means": {"patch_radius_mm": 1.0, "search_radius_mm": 2.6, "strength": 25.0},
    "anisotropic_diffusion": {"slope": 30.0, "iterations": 6},
}
PRECISE = {"rtol": 2e-6, "atol": 2e-4}  # float32 on values up to 130


def _scene(shape: tuple[int, ...] = (7, 21, 34), seed: int = 3) -> np.ndarray:
    """A block in noise, as float32."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 10, shape)
    values[..., shape[-1] // 2 :] += 100
    return values.astype(np.float32)


def _moved(array: np.ndarray, reach: tuple[int, ...], offset: tuple[int, ...], border: str) -> np.ndarray:
    """What lies `offset` away from each sample, in float64."""
    wide = np.pad(array.astype(np.float64), [(r, r) for r in reach], mode=PADS[border])  # type: ignore[call-overload]
    return wide[tuple(slice(r + o, r + o + n) for r, o, n in zip(reach, offset, array.shape, strict=True))]


def _offsets(reach: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [*itertools.product(*(range(-r, r + 1) for r in reach))]


def _bilateral(array: np.ndarray, sigma: float, sigma_value: float, spacing: tuple[float, ...], border: str) -> Any:
    reach = tuple(int(2 * sigma / s) for s in spacing)
    total, weights = np.zeros(array.shape), np.zeros(array.shape)
    for offset in _offsets(reach):
        square = sum((o * s) ** 2 for o, s in zip(offset, spacing, strict=True))
        if square <= (2 * sigma) ** 2:
            other = _moved(array, reach, offset, border)
            weight = np.exp(-square / (2 * sigma**2) - (array - other) ** 2 / (2 * sigma_value**2))
            total += weight * other
            weights += weight
    return total / weights


def _non_local_means(
    array: np.ndarray, patch: tuple[int, ...], search: tuple[int, ...], strength: float, border: str
) -> np.ndarray:
    """By radii of the boxes."""
    reach = tuple(p + s for p, s in zip(patch, search, strict=True))
    total, weights = np.zeros(array.shape), np.zeros(array.shape)
    for offset in _offsets(search):
        distance = np.zeros(array.shape)
        for place in _offsets(patch):
            there = tuple(p + o for p, o in zip(place, offset, strict=True))
            distance += (_moved(array, reach, place, border) - _moved(array, reach, there, border)) ** 2
        weight = np.exp(-distance / np.prod([2 * p + 1 for p in patch]) / strength**2)
        total += weight * _moved(array, reach, offset, border)
        weights += weight
    return np.asarray(total / weights)


def _diffused(array: np.ndarray, slope: float, step: float, iterations: int, spacing: tuple[float, ...]) -> Any:
    values = array.astype(np.float64)
    for _ in range(iterations):
        change = np.zeros(values.shape)
        for axis, s in enumerate(spacing):
            steep = np.diff(values, axis=axis) / s
            flow = step * steep / (1 + (steep / slope) ** 2) / s
            sides = [[(0, 0)] * values.ndim for _ in range(2)]
            sides[0][axis], sides[1][axis] = (0, 1), (1, 0)
            change += np.pad(flow, sides[0]) - np.pad(flow, sides[1])
        values = values + change
    return values


@pytest.mark.parametrize("border", BORDERS)
def test_bilateral_is_its_formula(border: str) -> None:
    scene = _scene()
    expected = _bilateral(scene, 1.6, 25.0, SPACING, border)
    result = bilateral(scene, sigma_mm=1.6, sigma_value=25.0, spacing=SPACING, border=border)  # type: ignore[arg-type]
    np.testing.assert_allclose(result, expected, **PRECISE)


def test_bilateral_equals_opencv_whose_disc_holds_the_same_pixels() -> None:
    scene = _scene((40, 50))
    theirs = cv2.bilateralFilter(scene, 5, sigmaColor=25.0, sigmaSpace=1.0, borderType=cv2.BORDER_REFLECT)
    ours = bilateral(scene, sigma_vox=1.0, sigma_value=25.0)
    # its weights are interpolated in a table of 4096 differences
    np.testing.assert_allclose(ours, theirs, atol=2e-3)


def test_bilateral_without_a_limit_on_differences_is_a_truncated_gaussian() -> None:
    pulse = np.zeros((9, 9))
    pulse[4, 4] = 1
    result = bilateral(pulse, sigma_vox=1.0, sigma_value=1e4)
    assert result[4, 6] / result[4, 4] == pytest.approx(np.exp(-2), rel=1e-5)
    assert result[4, 7] == 0
    assert result[5, 6] == 0  # sqrt(5) voxels away


@pytest.mark.parametrize("border", BORDERS)
def test_non_local_means_is_its_formula(border: str) -> None:
    scene = _scene((5, 19, 26))
    expected = _non_local_means(scene, (0, 1, 1), (1, 3, 2), 25.0, border)
    result = non_local_means(
        scene,
        strength=25.0,
        patch_size_vox=(1, 3, 3),
        search_radius_mm=2.5,
        spacing=SPACING,
        border=border,  # type: ignore[arg-type]
    )
    np.testing.assert_allclose(result, expected, **PRECISE)


@pytest.mark.parametrize("patch", [1, 3, 5, (3, 7, 5)])
def test_patches_of_every_size_are_summed(patch: int | tuple[int, ...]) -> None:
    scene = _scene((9, 18, 12))  # more than a block of planes and of rows
    expected = _non_local_means(scene, tuple(np.broadcast_to(patch, 3) // 2), (1, 1, 1), 25.0, "reflect")
    result = non_local_means(scene, strength=25.0, patch_size_vox=patch, search_size_vox=3)
    np.testing.assert_allclose(result, expected, **PRECISE)


@pytest.mark.parametrize("spacing", [SPACING, (0.8, 1.1)])
def test_diffusion_is_its_formula(spacing: tuple[float, ...]) -> None:
    scene = _scene((7, 21, 34)[-len(spacing) :])
    expected = _diffused(scene, 30.0, 0.1, 7, spacing)
    result = anisotropic_diffusion(scene, slope=30.0, iterations=7, step_mm2=0.1, spacing=spacing)
    np.testing.assert_allclose(result, expected, **PRECISE)


def test_diffusion_without_edges_is_a_gaussian_in_millimetres() -> None:
    pulse = np.zeros((31, 61, 61), np.float32)
    pulse[15, 30, 30] = 1
    result = anisotropic_diffusion(pulse, slope=1e6, iterations=60, step_mm2=0.05, spacing=(1.0, 0.5, 0.5))
    sigma = np.sqrt(2 * 60 * 0.05)
    expected = ndimage.gaussian_filter(pulse, [sigma, 2 * sigma, 2 * sigma])
    # explicit steps differ from the continuous solution by less than 2% of the peak
    np.testing.assert_allclose(result, expected, atol=0.02 * float(expected.max()))


@settings(max_examples=15)
@given(st.integers(0, 1000), st.floats(0.5, 1e4), st.tuples(*[st.floats(0.3, 6.0)] * 3))
def test_diffusion_keeps_the_mean_and_the_range(seed: int, slope: float, spacing: tuple[float, ...]) -> None:
    scene = _scene((4, 9, 8), seed)
    limit = 1 / (2 * sum(1 / s**2 for s in spacing))
    result = anisotropic_diffusion(scene, slope=slope, iterations=5, step_mm2=limit, spacing=spacing)
    assert result.mean(dtype=np.float64) == pytest.approx(scene.mean(dtype=np.float64), abs=1e-4)
    assert result.min() >= scene.min() - 1e-4
    assert result.max() <= scene.max() + 1e-4


@pytest.mark.parametrize("name", OPTIONS)
def test_noise_goes_and_the_edge_stays(name: str) -> None:
    scene = _scene()
    result = FILTERS[name](scene, **OPTIONS[name])
    left, right = result[..., :15], result[..., 19:]
    assert left.std() < 0.7 * scene[..., :15].std()
    assert right.mean() - left.mean() == pytest.approx(100, abs=3)
    assert (result[..., 17] - result[..., 16]).mean() > 80


@pytest.mark.parametrize("shape", [(9, 40, 23), (60, 41)])
@pytest.mark.parametrize("name", OPTIONS)
def test_results_do_not_depend_on_threads(name: str, shape: tuple[int, ...]) -> None:
    scene = _scene(shape)
    alone = FILTERS[name](scene, **OPTIONS[name])
    for count in (2, 3):
        with threads(count):
            assert np.array_equal(FILTERS[name](scene, **OPTIONS[name]), alone)


@pytest.mark.parametrize("name", OPTIONS)
def test_a_plane_is_a_volume_of_one(name: str) -> None:
    scene = _scene((21, 34))
    plane = FILTERS[name](scene, spacing=(0.7, 0.9), **OPTIONS[name])
    # so far apart that neither a window nor a flow reaches a neighbour, of which there is none
    volume = FILTERS[name](scene[None], spacing=(1e6, 0.7, 0.9), **OPTIONS[name])
    np.testing.assert_allclose(plane, volume[0], rtol=1e-6, atol=1e-5)


def test_nan_reaches_as_far_as_the_window() -> None:
    scene = np.zeros((1, 15))
    scene[0, 7] = np.nan
    assert np.flatnonzero(np.isnan(bilateral(scene, sigma_vox=(0, 1), sigma_value=1.0))).tolist() == [5, 6, 7, 8, 9]
    one = anisotropic_diffusion(scene, slope=1.0, iterations=2)
    assert np.flatnonzero(np.isnan(one)).tolist() == [5, 6, 7, 8, 9]
    searched = non_local_means(scene, strength=1.0, patch_size_vox=(1, 3), search_size_vox=(1, 5))
    assert np.flatnonzero(np.isnan(searched)).tolist() == [4, 5, 6, 7, 8, 9, 10]


def test_results_are_rounded_and_clipped_on_request() -> None:
    image = Image(np.array([[0, 255, 255, 255]], np.uint8), Geometry((1.0, 1.0)))
    result = bilateral(image, sigma_mm=1.0, sigma_value=1e3, out_dtype=np.uint8)
    assert result.array.dtype == np.uint8
    assert result.array[0, -1] > 240


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: bilateral(a, sigma_vox=1, sigma_value=0), "sigma_value must be above 0"),
        (lambda a: bilateral(a, sigma_value=1), "exactly one of sigma_mm and sigma_vox"),
        (lambda a: bilateral(a, sigma_vox=1, sigma_value=1, border="mirrored"), "border must be one of"),
        (lambda a: non_local_means(a, strength=np.nan), "strength must be above 0"),
        (lambda a: non_local_means(a, strength=1, patch_size_vox=2), "must be odd"),
        (lambda a: non_local_means(a, strength=1, patch_size_vox=3, patch_radius_mm=1), "exactly one of"),
        (lambda a: anisotropic_diffusion(a, slope=-1), "slope must be above 0"),
        (lambda a: anisotropic_diffusion(a, slope=1, iterations=0), "at least one iteration"),
        (lambda a: anisotropic_diffusion(a, slope=1, step_mm2=0.3), "at most 0.25"),
    ],
)
def test_impossible_parameters_are_named(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(np.zeros((4, 4)))


def test_complex_numbers_are_refused() -> None:
    with pytest.raises(TypeError, match="expected real numbers"):
        bilateral(np.zeros((4, 4), np.complex64), sigma_vox=1, sigma_value=1)
