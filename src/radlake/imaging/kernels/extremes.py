"""Greatest and least values under a footprint: boxes by OpenCV or a kernel of our own, balls by another. All exact."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from radlake.core.image import Array, BoolArray
from radlake.imaging.arguments import Border, known_border
from radlake.imaging.kernels.ordered import ordered
from radlake.imaging.kernels.padding import padded
from radlake.imaging.kernels.threads import by_slabs

_COLUMNS = 1 << 12  # columns taken along z at a time, so that a block stays in the cache
_OPENCV = ("b1", "u1", "f4", "f8")  # what OpenCV compares as quickly as we do
_OPENCV_PLANES = (*_OPENCV, "i2", "u2")
_CODES = tuple(np.dtype(t) for t in ("i2", "u2", "i4", "u4"))  # what our kernel compares as it is


def extreme_under(array: Array, footprint: BoolArray, border: Border, *, greatest: bool) -> Array:
    """Greatest or least value under a footprint around each sample, in the dtype of the input.

    Parameters
    ----------
    array : (z, y, x) or (y, x) array
        Any real dtype. Where the footprint holds a NaN the result is NaN.
    footprint : bool array with odd sides
        A box, or rows of runs about the middle as those of an ellipsoid; as many axes as the array.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        As in scipy.ndimage; "constant" is zero.
    greatest : bool
        Otherwise the least.

    Raises
    ------
    ValueError
        For an unknown border.
    TypeError
        For dtypes without an order.

    Examples
    --------
    >>> extreme_under(np.array([[4, 1, 5]]), np.ones((1, 3), bool), "nearest", greatest=False).tolist()
    [[1, 1, 1]]
    """
    known_border(border)
    if array.size == 0 or footprint.size == 1:
        return array.copy()
    if array.dtype.kind not in "biuf":
        raise TypeError(f"expected real numbers, got {array.dtype}")
    one_plane = array.ndim == 2
    shape = footprint[None] if one_plane else footprint
    volume = array[None] if one_plane else array
    under = _of_boxes if shape.all() else _of_balls
    result = under(volume, shape, border, greatest)
    if array.dtype.kind == "f":
        missing = np.isnan(volume)
        if missing.any():
            result[under(missing, shape, border, True)] = np.nan
    return result[0] if one_plane else result


def _of_boxes(volume: Array, shape: BoolArray, border: Border, greatest: bool) -> Array:
    """By OpenCV, or by the kernel for what is no plane, has more than 8 bits, and is whole."""
    size = shape.shape
    if border == "constant":
        return _inner(_of_boxes(padded(volume, size, border), shape, "nearest", greatest), size)
    if volume.dtype.str[1:] not in (_OPENCV if size[0] > 1 else _OPENCV_PLANES):
        from radlake.imaging.kernels.box import extreme_under_box

        if volume.dtype in _CODES:
            return extreme_under_box(volume, size, border, greatest=greatest)
        codes, restore = ordered(volume)
        return restore(extreme_under_box(codes, size, border, greatest=greatest))
    if border == "wrap":
        return _inner(_of_boxes(padded(volume, size, border), shape, "nearest", greatest), size)
    # a box holds every sample that it would see mirrored or repeated at the edge
    native = np.dtype(np.uint8) if volume.dtype == np.bool_ else volume.dtype.newbyteorder("=")
    return _of_whole(volume.astype(native, copy=False), size, greatest).astype(volume.dtype, copy=False)


def _of_whole(work: Array, size: tuple[int, ...], greatest: bool) -> Array:
    """Extremes over the part of the box that lies in the image."""
    import cv2

    operation: Callable[..., Array] = cv2.dilate if greatest else cv2.erode
    result = np.empty(work.shape, work.dtype)
    plane = np.ones(size[1:], np.uint8)

    def planes(start: int, stop: int) -> None:
        for z in range(start, stop):
            result[z] = operation(np.ascontiguousarray(work[z]), plane)

    by_slabs(planes, len(work))
    if size[0] > 1:
        columns, line = result.reshape(len(result), -1), np.ones((size[0], 1), np.uint8)

        def blocks(start: int, stop: int) -> None:
            for block in range(start, stop):
                here = slice(block * _COLUMNS, (block + 1) * _COLUMNS)
                columns[:, here] = operation(np.ascontiguousarray(columns[:, here]), line)

        by_slabs(blocks, -(-columns.shape[1] // _COLUMNS))
    return result


def _of_balls(volume: Array, shape: BoolArray, border: Border, greatest: bool) -> Array:
    """By the kernel on ordered codes."""
    from radlake.imaging.kernels.ball import extreme_under_runs

    if border == "constant":
        return _inner(_of_balls(padded(volume, shape.shape, border), shape, "nearest", greatest), shape.shape)
    codes, restore = ordered(volume)
    return restore(extreme_under_runs(codes, shape, border, greatest=greatest))


def _inner(around: Array, size: tuple[int, ...]) -> Array:
    """What `padded` was given, of its result."""
    return np.ascontiguousarray(
        around[tuple(slice(k // 2, n - k // 2) for n, k in zip(around.shape, size, strict=True))]
    )
