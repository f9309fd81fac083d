"""Stationary wavelets against PyWavelets, whose borders are periodic."""

from __future__ import annotations

import numpy as np
import pytest
import pywt
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core.fault import ItemError
from radlake.imaging.wavelets import wavelet


@settings(max_examples=20)
@given(st.sampled_from(["haar", "db2", "db3", "sym4", "coif1"]), st.sampled_from(["LH", "HL", "HH"]), st.integers(1, 3))
def test_bands_are_those_of_the_stationary_transform(family: str, bands: str, level: int) -> None:
    image = np.random.default_rng(level).normal(size=(16, 24))
    key = {"L": "a", "H": "d"}
    theirs = pywt.swtn(image, family, level, start_level=0, axes=(0, 1))[0][key[bands[1]] + key[bands[0]]]
    ours = wavelet(image, family=family, bands=bands, level=level, border="wrap")
    # theirs is placed otherwise: the response as a whole is moved by some voxels
    spectrum = np.fft.fft2(theirs) * np.conj(np.fft.fft2(ours))
    y, x = np.unravel_index(np.argmax(np.fft.ifft2(spectrum).real), image.shape)
    np.testing.assert_allclose(np.roll(ours, (y, x), (0, 1)), theirs, atol=1e-5)


def test_levels_spread_the_kernels() -> None:
    pulse = np.zeros((1, 17))
    pulse[0, 8] = 1
    second = wavelet(pulse, family="haar", bands="HL", level=2, border="wrap")
    # low pass (1, 1), then high pass (-1, 0, 1, 0), each over root 2; along y the image is constant: times 2
    assert second[0, 5:11].astype(float).round(6).tolist() == [-1.0, -1.0, 1.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"family": "bior1.3"}, "family must name an orthogonal wavelet"),
        ({"family": "db0"}, "family must name an orthogonal wavelet"),
        ({"bands": "LX"}, "bands must be two or three letters"),
        ({"bands": "L"}, "bands must be two or three letters"),
        ({"bands": "LH", "level": 0}, "level must be at least 1"),
    ],
)
def test_what_does_not_exist_is_named(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wavelet(np.zeros((4, 4)), **options)


def test_a_plane_has_two_bands() -> None:
    with pytest.raises(ItemError, match="expected an image with 3 axes, found 2"):
        wavelet(np.zeros((4, 4)), bands="LLH")
