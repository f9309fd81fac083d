"""Greatest and least values under a footprint: boxes by OpenCV, balls by a kernel of our own. All are exact."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from radlake.core.image import Array, BoolArray
from radlake.imaging.arguments import Border, known_border
from radlake.imaging.kernels.ordered import ordered
from radlake.imaging.kernels.padding import padded
from radlake.imaging.kernels.threads import by_slabs

_COLUMNS = 1 << 14  # columns taken along z at a time: bounds the rows that OpenCV works on
# what OpenCV can compare, and exact stand-ins for what it cannot
_OPENCV = {"b1": "u1", "i1": "i2", "i4": "f8", "u4": "f8", "f2": "f4"} | {t: t for t in ("u1", "u2", "i2", "f4", "f8")}


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
    """By OpenCV, slice by slice and then along z; what it cannot compare exactly (64-bit integers) as balls are."""
    stand_in = _OPENCV.get(volume.dtype.str[1:])
    if stand_in is None:
        return _of_balls(volume, shape, border, greatest)
    work = volume.view(np.uint8) if volume.dtype == np.bool_ else volume.astype(stand_in, copy=False)
    if border in ("wrap", "constant"):
        around = _of_whole(padded(work, shape.shape, border), shape.shape, greatest)
        inner = tuple(slice(side // 2, around.shape[i] - side // 2) for i, side in enumerate(shape.shape))
        return np.ascontiguousarray(around[inner]).astype(volume.dtype)
    # a box or ball holds every sample that it would see mirrored or repeated at the edge
    return _of_whole(work, shape.shape, greatest).astype(volume.dtype, copy=False)


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

    # nearest: see `_of_boxes`; of the three it is the cheapest to make
    around = padded(volume, shape.shape, border if border in ("wrap", "constant") else "nearest")
    codes, restore = ordered(around)
    return restore(extreme_under_runs(codes, shape, greatest=greatest))
