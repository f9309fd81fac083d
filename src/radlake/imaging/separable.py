"""Correlation with one kernel per axis, the common part of smoothing and of its derivatives: OpenCV, plane by plane."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from radlake.core.image import Array
from radlake.imaging.arguments import Border, known_border
from radlake.imaging.kernels.threads import Limits, by_slabs, over_rows
from radlake.imaging.rounding import to_dtype

_COLUMNS = 1 << 12  # columns filtered along z at a time, so that a block stays in the cache

# cv2.BORDER_REFLECT, _REPLICATE, _REFLECT_101 and _CONSTANT, which is not imported for their sake; no filter has wrap
OPENCV_BORDERS = {"reflect": 2, "nearest": 1, "mirror": 4, "constant": 0}


def correlate(array: Array, kernels: list[NDArray[np.float64]], border: Border, out_dtype: DTypeLike) -> Array:
    """An array correlated with one odd kernel per axis: slice by slice, then along z.

    Parameters
    ----------
    array : (z, y, x) or (y, x) array
        Any real dtype.
    kernels : one float array per axis
        One of a single sample along z is taken for 1.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        As in scipy.ndimage; "constant" is zero.
    out_dtype : dtype
        Integers are rounded to the nearest and clipped; computed in `working_dtype`.

    Raises
    ------
    TypeError
        For dtypes that are no real numbers.
    ValueError
        For an unknown border.

    Examples
    --------
    >>> correlate(np.array([[0, 0, 4, 0]]), [np.ones(1), np.array([0.25, 0.5, 0.25])], "reflect", np.int16).tolist()
    [[0, 1, 2, 1]]
    """
    import cv2

    mode = known_border(border)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"expected real numbers, got {array.dtype}")
    work = working_dtype(out_dtype)
    if array.size == 0:
        return array.astype(out_dtype)
    if mode not in OPENCV_BORDERS:
        return to_dtype(_periodic(array.astype(work), kernels), out_dtype)
    edge = OPENCV_BORDERS[mode]
    result = np.empty(array.shape, work)
    planes = array[None] if array.ndim == 2 else array
    targets = result[None] if array.ndim == 2 else result

    rows, reach = planes.shape[1], kernels[-2].size // 2

    def slices(limits: Limits) -> None:
        start, stop, top, bottom = limits
        first, last = max(top - reach, 0), min(bottom + reach, rows)  # with the rows that the kernel reaches
        for z in range(start, stop):
            part = planes[z, first:last].astype(work)
            smooth = cv2.sepFilter2D(part, -1, kernels[-1], kernels[-2], borderType=edge)
            targets[z, top:bottom] = smooth[top - first : bottom - first]

    over_rows(planes.shape, slices, least=(1, 4 * kernels[-2].size))
    if array.ndim == 3 and kernels[0].size > 1:
        columns, one = result.reshape(len(result), -1), np.ones(1)

        def blocks(start: int, stop: int) -> None:
            for block in range(start, stop):
                here = slice(block * _COLUMNS, (block + 1) * _COLUMNS)
                part = np.ascontiguousarray(columns[:, here])
                columns[:, here] = cv2.sepFilter2D(part, -1, one, kernels[0], borderType=edge)

        by_slabs(blocks, -(-columns.shape[1] // _COLUMNS))
    return to_dtype(result, out_dtype)


def working_dtype(out_dtype: DTypeLike) -> np.dtype[np.floating[Any]]:
    """What to compute in: float64 for itself and for integers, whose rounding needs the exact value, else float32.

    Examples
    --------
    >>> working_dtype(np.int16)
    dtype('float64')
    """
    dtype = np.dtype(out_dtype)
    return np.dtype(np.float64 if dtype.kind in "iu" or dtype == np.float64 else np.float32)


def _periodic(array: Array, kernels: list[NDArray[np.float64]]) -> Array:
    """The same with periodic borders."""
    from scipy import ndimage

    for axis, kernel in enumerate(kernels):
        if kernel.size > 1:
            array = ndimage.correlate1d(array, kernel, axis=axis, mode="wrap")
    return array
