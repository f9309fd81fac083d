"""Filters that pass a band of frequencies, alike in all directions or steered by a Riesz transform."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError
from radlake.core.image import Array
from radlake.imaging.arguments import Border, ImageOrArray, Lengths, Spacing, in_voxels, known_border, on_spatial_axes
from radlake.imaging.fourier import Frequencies, filtered, riesz_factors, rotated_order, simoncelli_band
from radlake.imaging.rotations import Pooling, pooled, right_angles

Values = NDArray[np.float32]


def laplacian_of_gaussian(
    image: ImageOrArray,
    *,
    sigma_mm: Lengths | None = None,
    sigma_vox: Lengths | None = None,
    by_plane: bool = False,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
) -> ImageOrArray:
    """Laplacian of Gaussian as the IBSI defines it, in the unit of the input per square voxel; float32.

    Dark blobs with a radius of sqrt(3) sigma answer most. `radlake.imaging.edges.laplacian_of_gaussian` is the same per
    square millimetre, and corrected to be exactly 0 on constants.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Any real dtype. NaN spreads as far as the kernel reaches.
    sigma_mm, sigma_vox : float or one per axis
        Standard deviation in millimetres or in voxels, exactly one of them, above 0; the kernel ends at 4 sigma.
    by_plane : bool
        Filter a volume plane by plane.
    spacing : floats, optional
        For arrays: millimetres between samples along each axis. Where axes differ, derivatives are true slopes all the
        same, per square voxel of the last axis.
    channel_axis : int, optional
        For arrays: channels are filtered one by one.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        How the image goes on outside, named as in scipy.ndimage; "constant" is zero.

    Raises
    ------
    ValueError
        For contradictory lengths, a sigma of 0 or an unknown border.

    References
    ----------
    IBSI reference manual 2 (arXiv:2006.05470), Laplacian of Gaussian.

    Examples
    --------
    >>> pulse = np.zeros((9, 9)); pulse[4, 4] = 1
    >>> laplacian_of_gaussian(pulse, sigma_vox=1.0)[4, 4:7].astype(float).round(3).tolist()
    [-0.318, -0.097, 0.043]
    """

    def respond(array: Array, steps: Spacing) -> Array:
        axes = _axes(array, by_plane)
        sigmas = in_voxels("sigma", sigma_mm, sigma_vox, steps)[-axes:]
        if array.size == 0:
            return array.astype(np.float32)
        return _curvature(array.astype(np.float32), sigmas, steps[-axes:], border)

    return on_spatial_axes(image, respond, spacing=spacing, channel_axis=channel_axis)


def simoncelli(
    image: ImageOrArray,
    *,
    level: int = 1,
    by_plane: bool = False,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
) -> ImageOrArray:
    """Band of Simoncelli's non-separable wavelet, alike in all directions, in the unit of the input; float32.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Any real dtype, all finite.
    level : int
        From 1: the upper half of the frequencies; the next level has half of each.
    by_plane : bool
        Filter a volume plane by plane.
    spacing : floats, optional
        Not used: frequencies are per voxel. Resample images whose voxels differ first.
    channel_axis, border
        As in `laplacian_of_gaussian`.

    Raises
    ------
    ItemError
        `not_finite`.
    ValueError
        For a level below 1 or an unknown border.

    References
    ----------
    Portilla and Simoncelli (2000), Int J Comput Vis 40:49-70, equation 3; IBSI reference manual 2 (arXiv:2006.05470),
    non-separable wavelets.

    Examples
    --------
    >>> stripes = np.tile(np.cos(np.arange(64) * np.pi / 2), (64, 1))  # a period of 4 voxels
    >>> float(np.abs(simoncelli(stripes, border="wrap")).max().round(2))
    1.0
    """
    _positive(level)

    def respond(array: Array, _steps: Spacing) -> Array:
        axes = _axes(array, by_plane)
        if array.size == 0:
            return array.astype(np.float32)
        return filtered(array.astype(np.float32), lambda f: simoncelli_band(f, level), axes, border)

    return on_spatial_axes(image, respond, spacing=spacing, channel_axis=channel_axis)


def riesz(
    image: ImageOrArray,
    *,
    order: Sequence[int] = (1, 0, 0),
    sigma_mm: float | None = None,
    level: int | None = None,
    pooling: Pooling | None = None,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
) -> ImageOrArray:
    """Riesz transform of an image or of one of its bands, in the unit of that; float32.

    The transform of order (1, 0, 0) answers to what changes along x as a derivative does, but alike at all scales.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Any real dtype, all finite.
    order : two or three ints
        Order along x, y and z; two for planes, or to filter a volume plane by plane.
    sigma_mm, level : numbers, optional
        Of the response of `laplacian_of_gaussian` or of `simoncelli`, instead of the image; at most one of them.
    pooling : {"average", "max"}, optional
        Over all right-angle rotations; without, the order as it is.
    spacing, channel_axis, border
        As in `laplacian_of_gaussian`.

    Raises
    ------
    ItemError
        `not_finite`, or `too_few_axes` where the order has more.
    ValueError
        For an order that is negative or 0 along all axes, for both bands, or a level below 1.

    References
    ----------
    Unser and Van De Ville (2010), Wavelet steerability and the higher-order Riesz transform, IEEE TIP 19:636-652; IBSI
    reference manual 2 (arXiv:2006.05470), Riesz transforms.

    Examples
    --------
    >>> wave = np.tile(np.cos(np.arange(64) * np.pi / 4), (64, 1))
    >>> turned = riesz(wave, order=(1, 0), border="wrap")  # a sine
    >>> turned[32, 28:33].astype(float).round(1).tolist()
    [-0.0, -0.7, -1.0, -0.7, -0.0]
    """
    _known_order(order)
    if level is not None:
        _positive(level)
        if sigma_mm is not None:
            raise ValueError("give at most one of sigma_mm and level")

    def respond(array: Array, steps: Spacing) -> Array:
        axes = len(order)
        if axes > array.ndim:
            raise ItemError("too_few_axes", expected=axes, found=array.ndim)
        if array.size == 0:
            return array.astype(np.float32)

        def before(wide: Values) -> Values:
            if sigma_mm is None:
                return wide
            sigmas = in_voxels("sigma", sigma_mm, None, steps)[-axes:]
            return _curvature(wide, sigmas, steps[-axes:], border)

        band = (lambda f: simoncelli_band(f, level)) if level is not None else (lambda _: 1.0)
        values = array.astype(np.float32)
        responses = (
            (sign * filtered(values, _steered(turned, band), axes, border, before=before), count)
            for (turned, sign), count in _orders(order, pooling).items()
        )
        return pooled(responses, pooling or "average")

    return on_spatial_axes(image, respond, spacing=spacing, channel_axis=channel_axis)


def _steered(order: tuple[int, ...], band: Callable[[Frequencies], Any]) -> Callable[[Frequencies], Array]:
    """Transfer function of a band and a Riesz transform; frequencies are z first, orders x first."""
    return lambda frequencies: band(frequencies) * riesz_factors(frequencies, order[::-1])


def _orders(order: Sequence[int], pooling: Pooling | None) -> Counter[tuple[tuple[int, ...], int]]:
    """Order and sign of each rotation, with how many share them."""
    rotations = right_angles(len(order))
    return Counter(rotated_order(order, rotation) for rotation in (rotations if pooling else rotations[:1]))


def _curvature(array: Values, sigmas: Sequence[float], steps: Sequence[float], border: Border) -> Values:
    """Sum over the last axes of second derivatives of a sampled Gaussian that ends at 4 sigma."""
    from scipy import ndimage

    if min(sigmas) <= 0:
        raise ValueError("sigma must be above 0 along every axis")
    mode, total = known_border(border), np.zeros_like(array)
    first = array.ndim - len(sigmas)
    for axis, step in enumerate(steps):
        part = array
        for other, sigma in enumerate(sigmas):
            x = np.arange(-int(4 * sigma + 0.5), int(4 * sigma + 0.5) + 1)
            kernel = np.exp(-(x**2) / (2 * sigma**2)) / (math.sqrt(2 * math.pi) * sigma)
            if other == axis:
                kernel *= (x**2 / sigma**2 - 1) / sigma**2 * (steps[-1] / step) ** 2
            part = ndimage.correlate1d(part, kernel, axis=first + other, mode=mode)
        total += part
    return total


def _axes(array: Array, by_plane: bool) -> int:
    """How many of the last axes are filtered together."""
    return 2 if by_plane else array.ndim


def _positive(level: int) -> None:
    """Raise unless a level counts from 1."""
    if level < 1:
        raise ValueError(f"level must be at least 1, got {level}")


def _known_order(order: Sequence[int]) -> None:
    """Raise unless an order can belong to a Riesz transform."""
    if len(order) not in (2, 3) or min(order) < 0 or sum(order) == 0:
        raise ValueError(f"order must be two or three whole numbers, not all 0, such as (1, 0, 0); got {tuple(order)}")
