"""Shape of plane regions that does not change when they move, turn or grow: moments (family "moments") and the outline
(family "fourier").

Positions are in millimetres, so pixels need not be square; all values are pure numbers.
"""

from __future__ import annotations

from functools import cache
from math import factorial

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import BoolArray
from radlake.features.planar import ONE_PIXEL
from radlake.features.roi import Roi, Values, largest_plane
from radlake.imaging.arguments import Spacing

ZERNIKE_DEGREE = 8
HARMONICS = (*range(-8, 0), *range(2, 9))
# (0, 0) and (1, 1) are the same for every region, whose size and middle are taken out.
ZERNIKE = tuple((n, m) for n in range(2, ZERNIKE_DEGREE + 1) for m in range(n % 2, n + 1, 2))


def invariant_moments(roi: Roi) -> Values:
    """Hu's seven moments and Zernike moments up to degree 8 of a plane region, or of the largest slice of a volume.

    Parameters
    ----------
    roi : Roi

    Returns
    -------
    dict
        "hu_1" to "hu_7", and "zernike_n_m": magnitudes, which do not change when the region turns.

    References
    ----------
    Hu (1962), Visual pattern recognition by moment invariants, IRE Trans Inf Theory 8:179-187, in OpenCV's order;
    Khotanzad, Hong (1990), Invariant image recognition by Zernike moments, IEEE PAMI 12:489-497, on the smallest disc
    about the centroid that holds all pixel centres.

    Examples
    --------
    A square of many pixels: 1/6.

    >>> round(float(invariant_moments(Roi(np.ones((90, 90), bool), (1.0, 1.0)))["hu_1"]), 4)
    0.1666
    """
    plane = largest_plane(roi)
    return {**_hu(plane.mask, plane.spacing), **_zernike(plane.mask, plane.spacing)}


def fourier(roi: Roi) -> Values:
    """Fourier descriptors of the outline of a plane region's longest part, or of that of the largest slice.

    The outline runs anticlockwise through the centres of the outermost pixels. A descriptor is the magnitude of a
    harmonic over that of the first, a circle: so neither place, size, turn nor starting point
    count.

    Parameters
    ----------
    roi : Roi

    Returns
    -------
    dict
        "fourier_2" to "fourier_8", and "fourier_minus_1" (elongation) to "fourier_minus_8".

    References
    ----------
    Granlund (1972), Fourier preprocessing for hand print character recognition, IEEE Trans Comput C-21:195-201
    (descriptors); Kuhl, Giardina (1982), Elliptic Fourier features of a closed contour, CGIP 18:236-258 (coefficients
    of a polygon, exact: the outline is not sampled).

    Examples
    --------
    >>> turned = fourier(Roi(np.ones((3, 9), bool), (1.0, 1.0)))
    >>> round(float(turned["fourier_minus_1"]), 3), round(float(turned["fourier_2"]), 3)
    (0.51, 0.0)
    """
    plane = largest_plane(roi)
    names = [f"fourier_{k}" if k > 0 else f"fourier_minus_{-k}" for k in HARMONICS]
    corners = _outline(plane.mask) * np.asarray(plane.spacing)
    if len(corners) < 2:
        return dict.fromkeys(names, ONE_PIXEL)
    sizes = np.abs(_coefficients(corners[:, 1] - 1j * corners[:, 0], np.array([1, *HARMONICS])))
    return {name: float(size / sizes[0]) for name, size in zip(names, sizes[1:], strict=True)}


def _hu(mask: BoolArray, spacing: Spacing) -> Values:
    """Hu's moments, from normalised central moments up to the third."""
    powers = []
    for axis, step in enumerate(spacing):
        counts = mask.sum(axis=1 - axis)
        place = np.arange(len(counts)) * step
        powers.append((place - counts @ place / counts.sum()) ** np.arange(4)[:, None])
    pixel = spacing[0] * spacing[1]
    mu = powers[0] @ mask.astype(np.float64) @ powers[1].T * pixel  # [power of y, power of x]
    order = np.add.outer(np.arange(4), np.arange(4))
    eta = mu / mu[0, 0] ** (1 + order / 2)
    (n20, n11, n02), (n30, n21, n12, n03) = (
        (eta[0, 2], eta[1, 1], eta[2, 0]),
        (eta[0, 3], eta[1, 2], eta[2, 1], eta[3, 0]),
    )
    a, b = n30 + n12, n21 + n03
    c, d = n30 - 3 * n12, 3 * n21 - n03
    e, f = a * (a**2 - 3 * b**2), b * (3 * a**2 - b**2)
    found = (
        n20 + n02,
        (n20 - n02) ** 2 + 4 * n11**2,
        c**2 + d**2,
        a**2 + b**2,
        c * e + d * f,
        (n20 - n02) * (a**2 - b**2) + 4 * n11 * a * b,
        d * e - c * f,
    )
    return {f"hu_{k}": float(value) for k, value in enumerate(found, 1)}


def _zernike(mask: BoolArray, spacing: Spacing) -> Values:
    """Magnitudes of Zernike moments of the pixels' centres, their weights adding up to one."""
    names = [f"zernike_{n}_{m}" for n, m in ZERNIKE]
    y, x = (index * step for index, step in zip(np.nonzero(mask), spacing, strict=True))
    place = (x - x.mean()) + 1j * (y - y.mean())
    radius = np.abs(place)
    if radius.max() == 0:
        return dict.fromkeys(names, ONE_PIXEL)
    radius = radius / radius.max()
    turn = np.exp(-1j * np.angle(place))
    around = [turn**m for m in range(ZERNIKE_DEGREE + 1)]
    along = [radius**k for k in range(ZERNIKE_DEGREE + 1)]
    found = {}
    for name, (n, m) in zip(names, ZERNIKE, strict=True):
        radial = sum(factor * along[power] for power, factor in _radial(n, m))
        found[name] = float(abs((radial * around[m]).mean()) * (n + 1) / np.pi)
    return dict(found)


@cache
def _radial(n: int, m: int) -> tuple[tuple[int, int], ...]:
    """Powers and factors of a radial polynomial."""
    return tuple(
        (
            n - 2 * s,
            (-1) ** s * factorial(n - s)
            // (factorial(s) * factorial((n + m) // 2 - s) * factorial((n - m) // 2 - s)),
        )
        for s in range((n - m) // 2 + 1)
    )  # fmt: skip


def _outline(mask: BoolArray) -> NDArray[np.float64]:
    """Corners (y, x) of the longest outer outline, pixel by pixel, anticlockwise as an image is seen."""
    import cv2

    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    longest = max(found, key=len).reshape(-1, 2)[:, ::-1].astype(np.float64)
    y, x = longest.T
    area = (x * np.roll(y, -1) - y * np.roll(x, -1)).sum()
    return np.asarray(longest[::-1] if area > 0 else longest)


def _coefficients(corners: NDArray[np.complex128], harmonics: NDArray[np.int64]) -> NDArray[np.complex128]:
    """Fourier coefficients of the closed polygon through some points, as a function of its length."""
    steps = np.roll(corners, -1) - corners
    lengths = np.abs(steps)
    ends = 2 * np.pi * np.cumsum(lengths) / lengths.sum()
    waves = np.exp(-1j * harmonics[:, None] * np.concatenate([[0.0], ends])[None, :])
    return np.asarray((np.diff(waves, axis=1) @ (steps / lengths)) * lengths.sum() / (2 * np.pi * harmonics) ** 2)
