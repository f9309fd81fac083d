"""Morphology with lengths in millimetres: greatest and least values under a box or a ball, and what is made of them.

Grey images and masks alike; the dtype is kept. What needs a mask (holes, small parts, distances) is in `masks`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from radlake.core.image import Array, BoolArray, Image
from radlake.imaging.arguments import (
    Border,
    Footprint,
    ImageOrArray,
    Lengths,
    Spacing,
    box_size,
    in_voxels,
    on_spatial_axes,
)
from radlake.imaging.kernels.extremes import extreme_under
from radlake.imaging.kernels.threads import by_slabs


def dilate(
    image: ImageOrArray,
    *,
    radius_mm: Lengths | None = None,
    size_vox: Lengths | None = None,
    footprint: Footprint = "box",
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
) -> ImageOrArray:
    """Greatest value under a box or ball around each sample, in the unit and dtype of the input.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Any real dtype, masks too. Where the footprint holds a NaN the result is NaN.
    radius_mm : float or one per axis
        Box: 2 floor(radius / spacing) + 1 samples along each axis. Ball: all samples at most that far away; with one
        radius per axis an ellipsoid.
    size_vox : int or one per axis
        Instead of `radius_mm`: odd sides in voxels of the box, or of the box about the ball or ellipsoid (a ball of
        size 5 has radius 2).
    footprint : {"box", "ball"}
        A ball is a disc in two dimensions.
    spacing : floats, optional
        For arrays: millimetres between samples along each axis.
    channel_axis : int, optional
        For arrays: channels are taken one by one.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        How the image goes on outside, named as in scipy.ndimage; "constant" is zero.

    Raises
    ------
    ValueError
        For contradictory lengths, even sizes, an unknown footprint or border.

    References
    ----------
    Serra (1982), Image Analysis and Mathematical Morphology, chapters II and XII.

    Examples
    --------
    >>> dilate(np.array([[0, 7, 0, 0]]), size_vox=(1, 3)).tolist()
    [[7, 7, 7, 0]]
    """

    def greatest(array: Array, steps: Spacing) -> Array:
        return extreme_under(array, footprint_of(radius_mm, size_vox, footprint, steps), border, greatest=True)

    return on_spatial_axes(image, greatest, spacing=spacing, channel_axis=channel_axis)


def erode(
    image: ImageOrArray,
    *,
    radius_mm: Lengths | None = None,
    size_vox: Lengths | None = None,
    footprint: Footprint = "box",
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
) -> ImageOrArray:
    """Least value under a box or ball around each sample, in the unit and dtype of the input.

    Parameters, errors and source as for `dilate`.

    References
    ----------
    Serra (1982), Image Analysis and Mathematical Morphology, chapters II and XII.

    Examples
    --------
    >>> erode(np.array([[5, 7, 6, 9]]), size_vox=(1, 3)).tolist()
    [[5, 5, 6, 6]]
    """

    def least(array: Array, steps: Spacing) -> Array:
        return extreme_under(array, footprint_of(radius_mm, size_vox, footprint, steps), border, greatest=False)

    return on_spatial_axes(image, least, spacing=spacing, channel_axis=channel_axis)


def opening(
    image: ImageOrArray,
    *,
    radius_mm: Lengths | None = None,
    size_vox: Lengths | None = None,
    footprint: Footprint = "box",
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
) -> ImageOrArray:
    """Image without bright parts that the footprint does not fit into, in the unit and dtype of the input.

    Erosion, then dilation. Parameters and errors as for `dilate`.

    References
    ----------
    Soille (2003), Morphological Image Analysis, 2nd ed., section 4.2.

    Examples
    --------
    >>> opening(np.array([[1, 9, 1, 5, 5, 5, 1]]), size_vox=(1, 3)).tolist()
    [[1, 1, 1, 5, 5, 5, 1]]
    """

    def opened(array: Array, steps: Spacing) -> Array:
        shape = footprint_of(radius_mm, size_vox, footprint, steps)
        return _opened(array, shape, border)

    return on_spatial_axes(image, opened, spacing=spacing, channel_axis=channel_axis)


def closing(
    image: ImageOrArray,
    *,
    radius_mm: Lengths | None = None,
    size_vox: Lengths | None = None,
    footprint: Footprint = "box",
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
) -> ImageOrArray:
    """Image without dark parts that the footprint does not fit into, in the unit and dtype of the input.

    Dilation, then erosion. Parameters and errors as for `dilate`.

    References
    ----------
    Soille (2003), Morphological Image Analysis, 2nd ed., section 4.3.

    Examples
    --------
    >>> closing(np.array([[5, 1, 5, 1, 1, 1, 5]]), size_vox=(1, 3)).tolist()
    [[5, 5, 5, 1, 1, 1, 5]]
    """

    def closed(array: Array, steps: Spacing) -> Array:
        shape = footprint_of(radius_mm, size_vox, footprint, steps)
        return _closed(array, shape, border)

    return on_spatial_axes(image, closed, spacing=spacing, channel_axis=channel_axis)


def gradient(
    image: ImageOrArray,
    *,
    radius_mm: Lengths | None = None,
    size_vox: Lengths | None = None,
    footprint: Footprint = "box",
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
) -> ImageOrArray:
    """Greatest minus least value under the footprint, in the unit and dtype of the input.

    Integers that do not hold the difference are clipped. Parameters and errors as for `dilate`.

    References
    ----------
    Soille (2003), Morphological Image Analysis, 2nd ed., section 3.8.1 (Beucher's gradient).

    Examples
    --------
    >>> gradient(np.array([[0, 0, 4, 4]], np.uint8), size_vox=(1, 3)).tolist()
    [[0, 4, 4, 0]]
    """

    def steepness(array: Array, steps: Spacing) -> Array:
        shape = footprint_of(radius_mm, size_vox, footprint, steps)
        high = extreme_under(array, shape, border, greatest=True)
        return _difference(high, extreme_under(array, shape, border, greatest=False))

    return _differences(on_spatial_axes(image, steepness, spacing=spacing, channel_axis=channel_axis))


def top_hat(
    image: ImageOrArray,
    *,
    radius_mm: Lengths | None = None,
    size_vox: Lengths | None = None,
    footprint: Footprint = "box",
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
) -> ImageOrArray:
    """Bright parts that the footprint does not fit into: image minus opening, in its unit and dtype.

    Integers that do not hold the difference are clipped. Parameters and errors as for `dilate`.

    References
    ----------
    Soille (2003), Morphological Image Analysis, 2nd ed., section 4.5 (white top-hat).

    Examples
    --------
    >>> top_hat(np.array([[1, 9, 1, 5, 5, 5, 1]]), size_vox=(1, 3)).tolist()
    [[0, 8, 0, 0, 0, 0, 0]]
    """

    def bright(array: Array, steps: Spacing) -> Array:
        shape = footprint_of(radius_mm, size_vox, footprint, steps)
        return _difference(array, _opened(array, shape, border))

    return _differences(on_spatial_axes(image, bright, spacing=spacing, channel_axis=channel_axis))


def black_hat(
    image: ImageOrArray,
    *,
    radius_mm: Lengths | None = None,
    size_vox: Lengths | None = None,
    footprint: Footprint = "box",
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
) -> ImageOrArray:
    """Dark parts that the footprint does not fit into: closing minus image, in its unit and dtype.

    Integers that do not hold the difference are clipped. Parameters and errors as for `dilate`.

    References
    ----------
    Soille (2003), Morphological Image Analysis, 2nd ed., section 4.5 (black top-hat).

    Examples
    --------
    >>> black_hat(np.array([[5, 1, 5, 1, 1, 1, 5]]), size_vox=(1, 3)).tolist()
    [[0, 4, 0, 0, 0, 0, 0]]
    """

    def dark(array: Array, steps: Spacing) -> Array:
        shape = footprint_of(radius_mm, size_vox, footprint, steps)
        return _difference(_closed(array, shape, border), array)

    return _differences(on_spatial_axes(image, dark, spacing=spacing, channel_axis=channel_axis))


def footprint_of(
    radius_mm: Lengths | None, size_vox: Lengths | None, footprint: Footprint, spacing: Spacing
) -> BoolArray:
    """The samples of a box, ball or ellipsoid, as an array with odd sides.

    Raises
    ------
    ValueError
        As for `box_size`, and for an unknown footprint.

    Examples
    --------
    >>> footprint_of(2.0, None, "ball", (2.0, 1.0)).astype(int).tolist()
    [[0, 0, 1, 0, 0], [1, 1, 1, 1, 1], [0, 0, 1, 0, 0]]
    """
    size = box_size(radius_mm, size_vox, spacing)
    if footprint == "box":
        return np.ones(size, np.bool_)
    if footprint != "ball":
        raise ValueError(f"footprint must be 'box' or 'ball', got {footprint!r}")
    radii = [side // 2 for side in size] if radius_mm is None else in_voxels("radius", radius_mm, None, spacing)
    squares = sum(
        (offset / radius) ** 2
        for offset, radius, side in zip(
            np.ogrid[tuple(slice(-(s // 2), s // 2 + 1) for s in size)], radii, size, strict=True
        )
        if side > 1
    )
    return np.broadcast_to(squares <= 1 + 1e-9, size)  # 1e-9: as in `box_size`


def _opened(array: Array, footprint: BoolArray, border: Border) -> Array:
    """Erosion, then dilation."""
    return extreme_under(extreme_under(array, footprint, border, greatest=False), footprint, border, greatest=True)


def _closed(array: Array, footprint: BoolArray, border: Border) -> Array:
    """Dilation, then erosion."""
    return extreme_under(extreme_under(array, footprint, border, greatest=True), footprint, border, greatest=False)


def _differences(result: ImageOrArray) -> ImageOrArray:
    """A difference of two values in HU is no value in HU, and the file's window does not show it."""
    if isinstance(result, Image) and result.kind != "label":
        return cast(ImageOrArray, result.with_array(result.array, unit="a.u.", window=None, padding=None))
    return result


def _difference(high: Array, low: Array) -> Array:
    """First minus second, clipped to the dtype; for masks what is in the first only."""
    found = np.empty(high.shape, high.dtype)

    def slabs(start: int, stop: int) -> None:
        found[start:stop] = _less(high[start:stop], low[start:stop])

    by_slabs(slabs, len(high))
    return found


def _less(high: Array, low: Array) -> Array:
    """The same for a part of the samples."""
    if high.dtype == np.bool_:
        return high & ~low
    with np.errstate(over="ignore", invalid="ignore"):
        found = np.asarray(high - low)
    if high.dtype.kind == "u":
        return np.where(high >= low, found, 0).astype(high.dtype)
    if high.dtype.kind == "i":
        limits = np.iinfo(high.dtype)
        wrapped = (high >= low) != (found >= 0)
        found[wrapped] = np.where(high[wrapped] >= low[wrapped], limits.max, limits.min)
    return found
