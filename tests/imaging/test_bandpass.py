"""Band passes and Riesz transforms on waves whose responses are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from radlake.core.fault import ItemError
from radlake.imaging import edges
from radlake.imaging.bandpass import laplacian_of_gaussian, riesz, simoncelli


def test_the_laplacian_is_that_of_scipy_in_voxels() -> None:
    image = np.random.default_rng(1).normal(size=(12, 14, 15))
    found = laplacian_of_gaussian(image, sigma_vox=1.5)
    # scipy scales its sampled kernels to a sum of 1
    np.testing.assert_allclose(found, ndimage.gaussian_laplace(image, 1.5), atol=2e-3)


def test_the_laplacian_is_a_true_one_where_axes_differ() -> None:
    z, y, x = np.meshgrid(*(np.arange(n) * s for n, s in ((31, 2.0), (61, 1.0), (41, 0.5))), indexing="ij")
    blob = np.exp(-((z - 30) ** 2 + (y - 30) ** 2 + (x - 10) ** 2) / (2 * 4.0**2))
    options = {"sigma_mm": 2.0, "spacing": (2.0, 1.0, 0.5)}
    per_mm2 = edges.laplacian_of_gaussian(blob, **options)
    # the latter is corrected for sampling, which counts most along z where sigma is one voxel
    np.testing.assert_allclose(laplacian_of_gaussian(blob, **options), 0.25 * per_mm2, atol=2e-4)


@pytest.mark.parametrize(("level", "period"), [(1, 4), (2, 8), (3, 16)])
def test_each_level_passes_its_octave(level: int, period: int) -> None:
    x = np.arange(257)  # frequencies of odd sizes lie on the samples of the transform
    wave = np.tile(np.sin(2 * np.pi * x / period), (33, 1))
    for band in (1, 2, 3):
        response = simoncelli(wave, level=band, border="reflect")[16, 64:192]
        assert np.abs(response).max() == pytest.approx(1.0 if band == level else 0.0, abs=0.06)


def test_a_riesz_transform_turns_a_cosine_into_a_sine() -> None:
    y, x = np.mgrid[:65, :65]
    phase = 2 * np.pi * (3 * x + 4 * y) / 65
    cosine = np.cos(phase)
    along_x, along_y = (riesz(cosine, order=o, border="wrap") for o in ((1, 0), (0, 1)))
    # the frequency grid of the reference has 64 steps where the wave has 65
    np.testing.assert_allclose(along_x, 0.6 * np.sin(phase), atol=0.02)
    np.testing.assert_allclose(along_y, 0.8 * np.sin(phase), atol=0.02)
    second = riesz(cosine, order=(1, 1), border="wrap")
    np.testing.assert_allclose(second, -np.sqrt(2) * 0.6 * 0.8 * cosine, atol=0.02)


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_a_pooled_riesz_transform_turns_with_the_image(pooling: str) -> None:
    volume = np.random.default_rng(2).normal(size=(9, 9, 9)).astype(np.float32)
    options = {"order": (2, 1, 0), "level": 1, "pooling": pooling, "border": "reflect"}
    response = riesz(volume, **options)  # type: ignore[arg-type]
    for axes in ((0, 1), (1, 2), (0, 2)):
        turned = riesz(np.ascontiguousarray(np.rot90(volume, 1, axes)), **options)  # type: ignore[arg-type]
        np.testing.assert_allclose(turned, np.rot90(response, 1, axes), atol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: laplacian_of_gaussian(a, sigma_vox=0), "sigma must be above 0"),
        (lambda a: laplacian_of_gaussian(a, sigma_vox=1, sigma_mm=1), "exactly one of sigma_mm"),
        (lambda a: laplacian_of_gaussian(a, sigma_vox=1, border="x"), "border must be one of"),
        (lambda a: simoncelli(a, level=0), "level must be at least 1"),
        (lambda a: riesz(a, order=(0, 0)), "order must be two or three"),
        (lambda a: riesz(a, order=(1, -1)), "order must be two or three"),
        (lambda a: riesz(a, order=(1, 0), level=1, sigma_mm=1), "at most one of"),
        (lambda a: riesz(a, order=(1, 0), level=0), "level must be at least 1"),
        (lambda a: riesz(a, order=(1, 0), pooling="sum"), "pooling must be"),
    ],
)
def test_impossible_parameters_are_named(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        call(np.zeros((6, 6)))


@pytest.mark.parametrize("call", [simoncelli, lambda a: riesz(a, order=(1, 0))])
def test_nan_is_a_fault(call) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ItemError, match="finite"):
        call(np.full((4, 4), np.nan))


def test_a_plane_has_two_orders() -> None:
    with pytest.raises(ItemError, match="expected an image with 3 axes, found 2"):
        riesz(np.zeros((4, 4)), order=(1, 0, 0))
