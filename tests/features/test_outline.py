"""Moments against OpenCV and mahotas; Fourier descriptors by hand; both against turning, moving and growing."""

from __future__ import annotations

import cv2
import mahotas
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from radlake.core.fault import Term
from radlake.features import extract
from radlake.features.outline import ZERNIKE, fourier, invariant_moments
from radlake.features.roi import region_of_interest


def _blob(seed: int, shape: tuple[int, int] = (30, 34)) -> np.ndarray:
    found = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 2.5) > 0.02
    found[3, 4] = found[20, 9] = True
    return found


@pytest.mark.parametrize("seed", range(6))
def test_hu_moments_are_those_of_opencv(seed: int) -> None:
    mask = _blob(seed)
    found = invariant_moments(region_of_interest(None, mask, spacing=(0.7, 0.7)))
    theirs = cv2.HuMoments(cv2.moments(mask.astype(np.uint8), binaryImage=True)).ravel()
    for k in range(7):
        assert found[f"hu_{k + 1}"] == pytest.approx(theirs[k], rel=1e-6, abs=1e-18), k  # moments cancel to the sixth


@pytest.mark.parametrize("seed", range(6))
def test_zernike_moments_are_those_of_mahotas(seed: int) -> None:
    mask = _blob(seed)
    found = invariant_moments(region_of_interest(None, mask))
    y, x = np.nonzero(mask)
    radius = np.hypot(y - y.mean(), x - x.mean()).max() * (1 + 1e-12)  # theirs leaves out what rounding puts outside
    theirs = mahotas.features.zernike_moments(mask.astype(float), radius, degree=8, cm=(y.mean(), x.mean()))
    for (n, m), value in zip(ZERNIKE, theirs[2:], strict=True):
        assert found[f"zernike_{n}_{m}"] == pytest.approx(value, abs=1e-9), (n, m)


def test_a_disc_of_many_pixels_has_the_moments_of_a_disc() -> None:
    y, x = np.ogrid[:201, :301]
    disc = ((y - 100) * 1.5) ** 2 + (x - 150.0) ** 2 < 140**2
    found = extract(None, disc, families=("moments", "fourier"), spacing=(1.5, 1.0), as_dict=True)
    assert found["hu_1"] == pytest.approx(1 / (2 * np.pi), rel=1e-3)
    assert max(found[f"zernike_{n}_{m}"] or 0 for n, m in ZERNIKE) < 0.02
    assert max(v or 0 for n, v in found.items() if n.startswith("fourier")) < 0.01


def test_fourier_descriptors_of_a_line_and_of_an_ellipse_by_hand() -> None:
    # there and back along 8 pixels: both first harmonics alike, the coefficients 4 / pi^2 k^2 at odd k
    line = fourier(region_of_interest(None, np.ones((1, 9), bool)))
    assert line["fourier_minus_1"] == pytest.approx(1)
    assert line["fourier_3"] == pytest.approx(1 / 9)
    assert line["fourier_2"] == pytest.approx(0, abs=1e-12)
    square = fourier(region_of_interest(None, np.ones((5, 5), bool)))
    assert square["fourier_minus_1"] == pytest.approx(0, abs=1e-12)
    assert square["fourier_minus_3"] == pytest.approx(1 / 9)  # of a square: 1 / k^2 at k = 1 modulo 4
    assert square["fourier_5"] == pytest.approx(1 / 25)


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(0, 3), st.booleans(), st.sampled_from([0.5, 3.0]))
def test_turning_mirroring_moving_and_growing_change_nothing(
    seed: int, quarters: int, mirror: bool, grow: float
) -> None:
    mask = ndimage.label(_blob(seed))[0] == 1
    spacing = (2.0, 1.0)
    here = extract(None, mask, families=("moments", "fourier"), spacing=spacing, as_dict=True)
    moved = np.pad(np.rot90(mask[:, ::-1] if mirror else mask, quarters), ((3, 0), (1, 5)))
    steps = tuple(grow * s for s in (spacing if quarters % 2 == 0 else spacing[::-1]))
    there = extract(None, moved, families=("moments", "fourier"), spacing=steps, as_dict=True)
    for name, value in here.items():
        flipped = -1 if mirror and name == "hu_7" else 1  # the only one that tells a shape from its mirror image
        assert there[name] == (None if value is None else pytest.approx(flipped * value, rel=1e-6, abs=1e-9)), name


def test_one_pixel_has_hu_moments_only() -> None:
    found = {
        **invariant_moments(region_of_interest(None, np.ones((1, 1)))),
        **fourier(region_of_interest(None, np.ones((1, 1)))),
    }
    assert all(isinstance(value, Term) == (not name.startswith("hu_")) for name, value in found.items())
