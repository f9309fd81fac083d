"""Filters with lengths in millimetres: Gaussian, mean, median, unsharp masking.

Linear filters return float32 unless `out_dtype` asks for more or for rounded integers; the median keeps the dtype.
Nothing rescales intensities. Lengths are given as `*_mm` or `*_vox`, never both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

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
from radlake.imaging.kernels.extremes import extreme_under
from radlake.imaging.kernels.threads import by_slabs
from radlake.imaging.rounding import to_dtype
from radlake.imaging.separable import correlate, working_dtype

_TRUNCATE = 4.0  # Gaussian kernels end at four standard deviations, as in scipy.ndimage
_MOST_SUMMED = 65535  # samples of a box whose sum fits 32 bits, at 16 bits each


def gaussian(
    image: ImageOrArray,
    *,
    sigma_mm: Lengths | None = None,
    sigma_vox: Lengths | None = None,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
    out_dtype: DTypeLike = np.float32,
) -> ImageOrArray:
    """Image smoothed by a sampled Gaussian kernel, in the unit of the input.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Any real dtype. NaN spreads as far as the kernel reaches.
    sigma_mm, sigma_vox : float or one per axis
        Standard deviation in millimetres or in voxels; exactly one of them. 0 leaves an axis alone.
    spacing : floats, optional
        For arrays: millimetres between samples along each axis.
    channel_axis : int, optional
        For arrays: channels are filtered one by one.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        How the image goes on outside, named as in scipy.ndimage; "constant" is zero.
    out_dtype : dtype
        Integers are rounded to the nearest and clipped. Computed in float64 for integers and float64, else in
        float32.

    Raises
    ------
    ValueError
        For contradictory or negative lengths or an unknown border.

    References
    ----------
    Lindeberg (1990), Scale-space for discrete signals, IEEE PAMI 12:234-254 (the sampled kernel, section III);
    kernel radius as `scipy.ndimage.gaussian_filter`: round(4 sigma).

    Examples
    --------
    >>> pulse = np.zeros((1, 5)); pulse[0, 2] = 1
    >>> gaussian(pulse, sigma_vox=(0, 0.5), out_dtype=float).round(2).tolist()
    [[0.0, 0.11, 0.79, 0.11, 0.0]]
    """

    def smooth(array: Array, steps: Spacing) -> Array:
        kernels = [_gaussian_kernel(s) for s in in_voxels("sigma", sigma_mm, sigma_vox, steps)]
        return correlate(array, kernels, border, out_dtype)

    return on_spatial_axes(image, smooth, spacing=spacing, channel_axis=channel_axis)


def mean(
    image: ImageOrArray,
    *,
    radius_mm: Lengths | None = None,
    size_vox: Lengths | None = None,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
    out_dtype: DTypeLike = np.float32,
) -> ImageOrArray:
    """Mean over a box around each sample, in the unit of the input.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Any real dtype. NaN spreads over the box.
    radius_mm : float or one per axis
        The box holds 2 floor(radius / spacing) + 1 samples along each axis.
    size_vox : int or one per axis
        Odd sides of the box in voxels, instead of `radius_mm`.
    spacing, channel_axis, border, out_dtype
        As in `gaussian`.

    Raises
    ------
    ValueError
        For contradictory lengths, even sizes or an unknown border.

    References
    ----------
    Zwanenburg et al. (2020), IBSI chapter 2, arXiv:2006.05470, section 3.1 (mean filter).

    Examples
    --------
    >>> mean(np.array([[0, 3, 6]]), size_vox=(1, 3)).tolist()
    [[1.0, 3.0, 5.0]]
    """

    def average(array: Array, steps: Spacing) -> Array:
        return _mean(array, box_size(radius_mm, size_vox, steps), border, out_dtype)

    return on_spatial_axes(image, average, spacing=spacing, channel_axis=channel_axis)


def median(
    image: ImageOrArray,
    *,
    radius_mm: Lengths | None = None,
    size_vox: Lengths | None = None,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
) -> ImageOrArray:
    """Median over a box around each sample, in the unit and dtype of the input.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Any real dtype. Where the box holds a NaN the result is NaN.
    radius_mm, size_vox
        As in `mean`.
    spacing, channel_axis, border
        As in `gaussian`.

    Raises
    ------
    ValueError
        For contradictory lengths, even sizes or an unknown border.

    References
    ----------
    Tukey (1977), Exploratory Data Analysis, chapter 7 (running medians).

    Examples
    --------
    >>> median(np.array([[1, 9, 2, 3]], np.int16), size_vox=(1, 3)).tolist()
    [[1, 2, 3, 3]]
    """

    def middle(array: Array, steps: Spacing) -> Array:
        return _median(array, box_size(radius_mm, size_vox, steps), border)

    return on_spatial_axes(image, middle, spacing=spacing, channel_axis=channel_axis)


def unsharp(
    image: ImageOrArray,
    *,
    sigma_mm: Lengths | None = None,
    sigma_vox: Lengths | None = None,
    amount: float = 1.0,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
    out_dtype: DTypeLike = np.float32,
) -> ImageOrArray:
    """Image plus `amount` times what a Gaussian takes from it, in the unit of the input: steeper edges, more noise.

    Parameters
    ----------
    image, sigma_mm, sigma_vox, spacing, channel_axis, border, out_dtype
        As in `gaussian`. Values may leave the range of the input.
    amount : float
        0 leaves the image as it is; 0.5 to 2 is usual.

    Raises
    ------
    ValueError
        For contradictory or negative lengths, an unknown border or an `amount` that is not finite.

    References
    ----------
    Gonzalez and Woods (2018), Digital Image Processing, 4th ed., section 3.6 (unsharp masking and highboost
    filtering).

    Examples
    --------
    >>> unsharp(np.array([[0, 0, 0, 8, 8, 8]]), sigma_vox=(0, 0.5)).astype(float).round(1).tolist()
    [[0.0, -0.0, -0.9, 8.9, 8.0, 8.0]]
    """
    if not math.isfinite(amount):
        raise ValueError(f"amount must be finite, got {amount}")

    def sharpen(array: Array, steps: Spacing) -> Array:
        work = working_dtype(out_dtype)
        kernels = [_gaussian_kernel(s) for s in in_voxels("sigma", sigma_mm, sigma_vox, steps)]
        smooth = correlate(array, kernels, border, work)
        sharp = np.empty(array.shape, out_dtype)

        def slabs(start: int, stop: int) -> None:
            exact = array[start:stop].astype(work)
            with np.errstate(invalid="ignore"):  # infinity less infinity is NaN, as it should be
                sharp[start:stop] = to_dtype(exact + work.type(amount) * (exact - smooth[start:stop]), out_dtype)

        by_slabs(slabs, len(array))
        return sharp

    return on_spatial_axes(image, sharpen, spacing=spacing, channel_axis=channel_axis)


def _gaussian_kernel(sigma: float) -> NDArray[np.float64]:
    """Normalised samples of a Gaussian, radius round(4 sigma)."""
    radius = int(_TRUNCATE * sigma + 0.5)
    if radius == 0:
        return np.ones(1)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return np.asarray(weights / weights.sum())


def _median(array: Array, size: tuple[int, ...], border: Border) -> Array:
    """Median of each box, and NaN wherever it holds one."""
    from radlake.imaging.kernels.median import median_of_boxes

    mode = known_border(border)
    if array.size == 0:
        return array.copy()
    volume, sides = _as_volume(array, size)
    result = median_of_boxes(volume, sides, mode).reshape(array.shape)
    if array.dtype.kind == "f":
        missing = np.isnan(array)
        if missing.any():
            result[extreme_under(missing, np.ones(size, np.bool_), mode, greatest=True)] = np.nan
    return result


def _mean(array: Array, size: tuple[int, ...], border: Border, out_dtype: DTypeLike) -> Array:
    """Mean of each box: 8 and 16 bits by exact sums, everything else by two or three passes along the axes."""
    mode, dtype = known_border(border), np.dtype(out_dtype)
    volume, sides = _as_volume(array, size)
    exact = array.dtype.kind in "biu" and array.itemsize <= 2 and dtype != np.float64
    if array.size == 0 or not exact or math.prod(size) > _MOST_SUMMED:
        return correlate(array, [np.full(side, 1.0 / side) for side in size], border, dtype)
    from radlake.imaging.kernels.ordered import ordered
    from radlake.imaging.kernels.padding import padded
    from radlake.imaging.kernels.running_mean import mean_of_boxes

    codes, restore = ordered(padded(volume, sides, mode))
    whole = np.issubdtype(dtype, np.integer)
    # the codes of uint16 are the values less half their range
    offset = 32768.0 if array.dtype.kind == "u" and array.itemsize == 2 else 0.0
    result = mean_of_boxes(codes, sides, whole=whole, offset=offset).reshape(array.shape)
    return to_dtype(restore(result) if whole else result, dtype)


def _as_volume(array: Array, size: tuple[int, ...]) -> tuple[Array, tuple[int, int, int]]:
    """Array and box with three axes; a plane is a volume of one."""
    if array.ndim == 2:
        return array[None], (1, size[0], size[1])
    return array, (size[0], size[1], size[2])
