"""Gabor filters against direct convolution and on waves of known direction."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from radlake.core.fault import ItemError
from radlake.imaging.arguments import BORDERS
from radlake.imaging.gabor import gabor


@pytest.mark.parametrize("border", BORDERS)
def test_the_response_is_the_modulus_of_two_convolutions(border: str) -> None:
    image = np.random.default_rng(3).normal(size=(17, 20))
    y, x = np.mgrid[-24:25, -24:25] * np.array([0.5, 0.8])[:, None, None]
    angle = np.deg2rad(30)
    along, across = x * np.cos(angle) + y * np.sin(angle), x * np.sin(angle) - y * np.cos(angle)
    envelope = np.exp(-(along**2 + 4 * across**2) / (2 * 1.5**2))
    parts = [ndimage.convolve(image, envelope * wave(2 * np.pi / 3 * along), mode=border) for wave in (np.cos, np.sin)]
    found = gabor(
        image,
        sigma_mm=1.5,
        wavelength_mm=3,
        aspect=2,
        angle_deg=30,
        spacing=(0.5, 0.8),
        border=border,  # type: ignore[arg-type]
    )
    # complex64 transforms
    np.testing.assert_allclose(found, np.hypot(*parts), atol=1e-4)


def test_waves_answer_in_their_direction_clockwise_from_x() -> None:
    y, x = np.mgrid[:64, :64]
    angle = np.deg2rad(60)
    wave = np.cos(2 * np.pi / 5 * (x * np.cos(angle) + y * np.sin(angle)))
    responses = {a: gabor(wave, sigma_mm=6, wavelength_mm=5, angle_deg=a)[32, 32] for a in range(0, 180, 30)}
    assert max(responses, key=responses.__getitem__) == 60
    assert responses[60] > 5 * responses[120]


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_pooling_takes_all_multiples_of_the_angle(pooling: str) -> None:
    volume = np.random.default_rng(5).normal(size=(6, 12, 14)).astype(np.float32)
    options = {"sigma_mm": 2.0, "wavelength_mm": 3.0, "aspect": 0.7}
    each = [gabor(volume, angle_deg=120.0 * k, **options) for k in range(3)]
    expected = np.mean(each, 0) if pooling == "average" else np.max(each, 0)
    found = gabor(volume, angle_deg=120, pooling=pooling, **options)  # type: ignore[arg-type]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_orthogonal_planes_are_those_of_the_turned_volume() -> None:
    volume = np.random.default_rng(6).normal(size=(7, 9, 8)).astype(np.float32)
    spacing = (2.0, 1.0, 0.5)
    options = {"sigma_mm": 2.0, "wavelength_mm": 3.0, "angle_deg": 90.0}
    each = []
    for order in ((0, 1, 2), (2, 0, 1), (1, 0, 2)):
        turned = gabor(volume.transpose(order), spacing=[spacing[a] for a in order], **options, pooling="average")
        each.append(turned.transpose(np.argsort(order)))
    found = gabor(volume, spacing=spacing, **options, pooling="average", orthogonal=True)
    np.testing.assert_allclose(found, np.mean(each, 0), rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sigma_mm": 0}, "sigma_mm must be above 0"),
        ({"wavelength_mm": -1}, "wavelength_mm must be above 0"),
        ({"aspect": np.nan}, "aspect must be above 0"),
        ({"angle_deg": 50, "pooling": "max"}, "angle_deg must divide 360"),
        ({"pooling": "max"}, "angle_deg must divide 360"),
        ({"border": "mirrored"}, "border must be one of"),
    ],
)
def test_impossible_parameters_are_named(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gabor(np.zeros((4, 4)), **({"sigma_mm": 1, "wavelength_mm": 2} | options))


def test_nan_and_planes_without_others_are_faults() -> None:
    with pytest.raises(ItemError, match="expected an image with 3 axes, found 2"):
        gabor(np.zeros((4, 4)), sigma_mm=1, wavelength_mm=2, orthogonal=True)
    with pytest.raises(ItemError, match="finite"):
        gabor(np.full((4, 4), np.nan), sigma_mm=1, wavelength_mm=2)
