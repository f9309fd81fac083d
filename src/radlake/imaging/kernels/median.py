"""Which way to a median: OpenCV, selection network, bisection or histograms, by dtype and box. All are exact."""

from __future__ import annotations

import math

import numpy as np

from radlake.core.image import Array
from radlake.imaging.kernels.ordered import Codes, ordered
from radlake.imaging.kernels.padding import padded
from radlake.imaging.kernels.pointwise import pointwise
from radlake.imaging.kernels.threads import by_slabs

Size = tuple[int, int, int]

_BISECTED = 225  # samples of a box up to which bisection is faster than histograms: 5 x 5 x 5, 15 x 15
_DENSE = 1 << 24  # ranges up to which ranks are looked up instead of searched
_OPENCV_SIDES = {"u1": range(3, 256, 2), "u2": (3, 5), "i2": (3, 5), "f4": (3, 5)}


def median_of_boxes(array: Array, size: Size, border: str) -> Array:
    """Median of the box around each sample, in the dtype of the input.

    Parameters
    ----------
    array : (Z, Y, X) array without an empty axis
        Any real dtype. Boxes that hold a NaN get an arbitrary value.
    size : (kz, ky, kx)
        Odd sides of the box in samples.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        As in scipy.ndimage.

    Raises
    ------
    TypeError
        For dtypes without an order.

    Examples
    --------
    >>> median_of_boxes(np.array([[[1.5, 9, 2, 3]]]), (1, 1, 3), "nearest").tolist()
    [[[1.5, 2.0, 3.0, 3.0]]]
    """
    samples = math.prod(size)
    if array.dtype == np.bool_:
        return median_of_boxes(array.view(np.uint8), size, border).view(np.bool_)
    if size[0] == 1 and size[1] == size[2] and size[1] in _OPENCV_SIDES.get(array.dtype.str[1:], ()):
        return _by_opencv(array, size, border)
    codes, restore = ordered(padded(array, size, border))
    if samples == 1:
        return array.copy()
    if size == (3, 3, 3):
        from radlake.imaging.kernels.network import median_27

        return restore(median_27(codes))
    if samples <= _BISECTED:
        from radlake.imaging.kernels.bisection import median_by_bisection

        return restore(median_by_bisection(codes, size))
    return restore(_large(codes, size))


def _by_opencv(array: Array, size: Size, border: str) -> Array:
    """Plane by plane; OpenCV itself only knows the border "nearest"."""
    import cv2

    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    wide = native if border == "nearest" else padded(native, size, border)
    half = 0 if border == "nearest" else size[1] // 2
    out = np.empty(array.shape, array.dtype)
    rows, columns = (slice(half, half + side) for side in array.shape[1:])

    def planes(start: int, stop: int) -> None:
        for z in range(start, stop):
            blurred = cv2.medianBlur(np.ascontiguousarray(wide[z]), size[1])
            out[z] = blurred[rows, columns]

    by_slabs(planes, len(out))
    return out


def _large(codes: Codes, size: Size) -> Codes:
    """By histograms of ranks where these and the counts fit 16 bits; otherwise by bisection."""
    from radlake.imaging.kernels.histogram import MOST_SAMPLES, median_by_histogram

    samples = math.prod(size)
    values = _different(codes)
    if values.size <= 1 << 16 and samples <= MOST_SAMPLES:
        ranks = _places(codes, values)
        return pointwise(median_by_histogram(ranks, size, values.size), lambda part: values[part], values.dtype)
    from radlake.imaging.kernels.bisection import median_by_bisection

    return median_by_bisection(codes.astype(np.int32, copy=False), size)


def _different(codes: Codes) -> Codes:
    """The codes that occur, ascending."""
    low, span = int(codes.min()), int(codes.max()) - int(codes.min()) + 1
    if span > _DENSE:
        return np.unique(codes)
    present = np.zeros(span, np.bool_)
    present[_offsets(codes, low)] = True
    return (np.flatnonzero(present) + low).astype(codes.dtype)


def _places(codes: Codes, values: Codes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    """Place of each code among the values that occur."""
    low, span = int(values[0]), int(values[-1]) - int(values[0]) + 1
    if span > _DENSE:
        return pointwise(codes, lambda part: np.searchsorted(values, part), np.uint16)
    table = np.zeros(span, np.uint16)
    table[_offsets(values, low)] = np.arange(values.size)
    return pointwise(codes, lambda part: table[_offsets(part, low)], np.uint16)


def _offsets(codes: Codes, low: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint32]]:
    """Codes counted from the least one; the wrap of unsigned numbers makes that exact."""
    return codes.astype(np.uint32) - np.uint32(low & 0xFFFFFFFF)
