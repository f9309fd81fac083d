"""Smoothing that keeps edges: bilateral filter, non-local means, anisotropic diffusion.

Computed in float32 and returned in it, unless `out_dtype` asks for rounded integers; intensities keep their unit. The
kernels run on several threads where `radlake.imaging.threads` allows it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import DTypeLike, NDArray

from radlake.core.image import Array
from radlake.imaging.arguments import (
    Border,
    ImageOrArray,
    Lengths,
    Spacing,
    box_size,
    in_voxels,
    known_border,
    on_spatial_axes,
)
from radlake.imaging.rounding import to_dtype

_TRUNCATE = 2.0  # the bilateral window ends at two standard deviations


def bilateral(
    image: ImageOrArray,
    *,
    sigma_mm: Lengths | None = None,
    sigma_vox: Lengths | None = None,
    sigma_value: float,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
    out_dtype: DTypeLike = np.float32,
) -> ImageOrArray:
    """Image smoothed by a Gaussian that counts neighbours less the more they differ, in the unit of the input.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Any real dtype. NaN spreads over the window.
    sigma_mm, sigma_vox : float or one per axis
        Standard deviation of distances in millimetres or in voxels, exactly one of them. The window holds the voxels
        at most two standard deviations away.
    sigma_value : float
        Standard deviation of differences, in the unit of the image, above 0.
    spacing : floats, optional
        For arrays: millimetres between samples along each axis.
    channel_axis : int, optional
        For arrays: channels are filtered one by one.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        How the image goes on outside, named as in scipy.ndimage; "constant" is zero.
    out_dtype : dtype
        Integers are rounded to the nearest and clipped.

    Raises
    ------
    ValueError
        For contradictory or negative lengths, a `sigma_value` that is not above 0 or an unknown border.

    References
    ----------
    Tomasi and Manduchi (1998), Bilateral filtering for gray and color images, ICCV, equations 5 and 6.

    Examples
    --------
    >>> edge = np.array([[0, 2, 0, 100, 102, 100]])
    >>> bilateral(edge, sigma_vox=(0, 1), sigma_value=10).astype(float).round(1).tolist()
    [[0.6, 0.9, 0.7, 100.7, 100.9, 100.6]]
    """
    _above_zero("sigma_value", sigma_value)

    def smooth(volume: Array, steps: Spacing) -> Array:
        from radlake.imaging.kernels.bilateral import weighted_mean
        from radlake.imaging.kernels.padding import padded

        window = _gaussian_window(in_voxels("sigma", sigma_mm, sigma_vox, steps))
        return weighted_mean(padded(volume, window.shape, known_border(border)), window, sigma_value)

    return _in_float32(image, smooth, spacing, channel_axis, out_dtype)


def non_local_means(  # noqa: PLR0913 - two lengths in two units each
    image: ImageOrArray,
    *,
    strength: float,
    patch_radius_mm: Lengths | None = None,
    patch_size_vox: Lengths | None = None,
    search_radius_mm: Lengths | None = None,
    search_size_vox: Lengths | None = None,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
    out_dtype: DTypeLike = np.float32,
) -> ImageOrArray:
    """Mean of the samples nearby, each weighed by how alike its surroundings are, in the unit of the input.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Any real dtype. NaN spreads over both boxes.
    strength : float
        Differences up to about this size are smoothed, in the unit of the image, above 0: weights are
        exp(-d / strength^2), d the mean squared difference of two patches. Once to twice the standard deviation of
        the noise is usual.
    patch_radius_mm, search_radius_mm : float or one per axis
        The boxes that are compared and searched hold 2 floor(radius / spacing) + 1 samples along each axis.
    patch_size_vox, search_size_vox : int or one per axis
        Odd sides of the boxes in voxels, instead of radii; 3 and 11 where a box is not given at all.
    spacing, channel_axis, border, out_dtype
        As in `bilateral`.

    Raises
    ------
    ValueError
        For contradictory lengths, even sizes, a `strength` that is not above 0 or an unknown border.

    References
    ----------
    Buades, Coll and Morel (2005), A non-local algorithm for image denoising, CVPR 2:60-65; with flat patches,
    and the sample itself with its own weight of 1.

    Examples
    --------
    >>> edge = np.array([[0, 2, 0, 100, 102, 100]])
    >>> smooth = non_local_means(edge, strength=10, patch_size_vox=(1, 3), search_size_vox=(1, 5))
    >>> smooth.astype(float).round(1).tolist()
    [[1.0, 0.7, 0.0, 100.0, 100.7, 101.0]]
    """
    _above_zero("strength", strength)

    def smooth(volume: Array, steps: Spacing) -> Array:
        from radlake.imaging.kernels.padding import padded
        from radlake.imaging.kernels.patches import mean_of_alike

        patch = _sides(patch_radius_mm, patch_size_vox, 3, steps)
        search = _sides(search_radius_mm, search_size_vox, 11, steps)
        reach = [p + s - 1 for p, s in zip(patch, search, strict=True)]
        return mean_of_alike(padded(volume, reach, known_border(border)), patch, search, strength)

    return _in_float32(image, smooth, spacing, channel_axis, out_dtype)


def anisotropic_diffusion(
    image: ImageOrArray,
    *,
    slope: float,
    iterations: int = 10,
    step_mm2: float | None = None,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    out_dtype: DTypeLike = np.float32,
) -> ImageOrArray:
    """Image smoothed by diffusion that is slow across steep slopes, in the unit of the input.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Any real dtype. NaN spreads by a voxel an iteration.
    slope : float
        Slope at which diffusion is half as fast as on flat ground, in the unit of the image per millimetre, above 0.
    iterations : int
        Explicit steps. Without edges, n steps equal a Gaussian with a standard deviation of sqrt(2 n step_mm2).
    step_mm2 : float, optional
        Time of a step in square millimetres, at most 1 / (2 sum(1 / spacing^2)), beyond which results oscillate; half
        of that where it is not given.
    spacing, channel_axis, out_dtype
        As in `bilateral`. Nothing flows through the border, so the mean of the image stays.

    Raises
    ------
    ValueError
        For a slope that is not above 0, less than one iteration or a step beyond the limit.

    References
    ----------
    Perona and Malik (1990), Scale-space and edge detection using anisotropic diffusion, IEEE PAMI 12:629-639, with the
    second conductance, 1 / (1 + (slope / K)^2).

    Examples
    --------
    >>> edge = np.array([[0, 2, 0, 100, 102, 100]])
    >>> anisotropic_diffusion(edge, slope=5, iterations=20).astype(float).round(1).tolist()
    [[0.8, 0.8, 1.0, 100.3, 100.5, 100.6]]
    """
    _above_zero("slope", slope)
    if iterations < 1:
        raise ValueError(f"expected at least one iteration, got {iterations}")

    def smooth(volume: Array, steps: Spacing) -> Array:
        from radlake.imaging.kernels.diffusion import diffused

        step = _stable_step(step_mm2, steps)
        if len(steps) == 2:  # rows as planes, which is what threads share
            rows = volume.reshape(-1, 1, volume.shape[-1])
            return diffused(rows, (steps[0], 1.0, steps[1]), slope, step, iterations)
        return diffused(volume, steps, slope, step, iterations)

    return _in_float32(image, smooth, spacing, channel_axis, out_dtype)


def _above_zero(name: str, value: float) -> None:
    """Raise unless a parameter is a positive number."""
    if not 0 < value < np.inf:
        raise ValueError(f"{name} must be above 0 and finite, got {value}")


def _gaussian_window(sigmas: tuple[float, ...]) -> NDArray[np.float64]:
    """Weights exp(-r^2 / 2) with three axes and odd sides, r in standard deviations; 0 beyond two of them."""
    axes = []
    for sigma in (0.0,) * (3 - len(sigmas)) + sigmas:
        # 1e-9: two standard deviations of 0.7 mm are two voxels of 0.7 mm, although binary numbers may say less
        radius = int(_TRUNCATE * sigma + 1e-9)
        axes.append((np.arange(-radius, radius + 1) / (sigma or 1.0)) ** 2)
    square = axes[0][:, None, None] + axes[1][:, None] + axes[2]
    return np.where(square <= _TRUNCATE**2 + 1e-9, np.exp(-square / 2), 0.0)


def _sides(radius_mm: Lengths | None, size_vox: Lengths | None, default: int, steps: Spacing) -> tuple[int, int, int]:
    """Sides of a box along three axes; `default` voxels where nothing is given."""
    if radius_mm is None and size_vox is None:
        size_vox = default
    sides = (1,) * (3 - len(steps)) + box_size(radius_mm, size_vox, steps)
    return sides[0], sides[1], sides[2]


def _stable_step(step_mm2: float | None, steps: Spacing) -> float:
    """Time of an iteration, checked against the limit up to which no value leaves the range of its neighbours."""
    limit = 1 / (2 * sum(1 / s**2 for s in steps))
    if step_mm2 is None:
        return limit / 2
    if not 0 < step_mm2 <= limit:
        raise ValueError(f"step_mm2 must be above 0 and at most {limit:.4g} at this spacing, got {step_mm2}")
    return step_mm2


def _in_float32(
    image: ImageOrArray,
    smooth: Callable[[NDArray[np.float32], Spacing], Array],
    spacing: Sequence[float] | None,
    channel_axis: int | None,
    out_dtype: DTypeLike,
) -> ImageOrArray:
    """Run an operation for volumes (planes are volumes of one) on float32 and give its result the dtype asked for."""

    def operation(array: Array, steps: Spacing) -> Array:
        if array.dtype.kind not in "biuf":
            raise TypeError(f"expected real numbers, got {array.dtype}")
        volume = np.require(to_dtype(array, np.float32), requirements=("C", "W")).reshape(
            (1,) * (3 - array.ndim) + array.shape
        )
        result = smooth(volume, steps) if volume.size else volume.copy()
        return to_dtype(result.reshape(array.shape), out_dtype)

    return on_spatial_axes(image, operation, spacing=spacing, channel_axis=channel_axis)
