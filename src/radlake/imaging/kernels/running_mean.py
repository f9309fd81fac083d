"""Mean over boxes of integers by running sums, exact: sums are integers, so nothing drifts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import Array
from radlake.imaging.kernels.compiled import compiled, copy, part
from radlake.imaging.kernels.threads import Limits, over_rows


def mean_of_boxes(padded: NDArray[np.int16], size: tuple[int, int, int], *, whole: bool, offset: float = 0.0) -> Array:
    """Mean of each box, in the unit of the input.

    Parameters
    ----------
    padded : (Z + kz - 1, Y + ky - 1, X + kx - 1) int16 array, C-contiguous
        With half a box more on every side.
    size : (kz, ky, kx)
        Odd sides of the box in samples, at most 65535: their sum must fit int32.
    whole : bool
        True: int16, the mean rounded to the nearest (odd counts have no ties). False: float32.
    offset : float
        Added to each mean before it is rounded to float32; not for whole numbers.

    Returns
    -------
    (Z, Y, X) array.

    References
    ----------
    McDonnell (1981), Box-filtering techniques, CGIP 17:65-70.

    Examples
    --------
    >>> mean_of_boxes(np.array([[[0, 3, 7, 7]]], np.int16), (1, 1, 3), whole=True).tolist()
    [[[3, 6]]]
    """
    sides = [side - k + 1 for side, k in zip(padded.shape, size, strict=True)]
    out = np.empty(sides, np.int16 if whole else np.float32)
    # a part starts with sums of the planes and rows about its first ones; planes are only added up
    least = size[0], 4 * size[1]
    over_rows(out.shape, lambda limits: _slide(padded, out, whole, offset, limits), least=least)
    return out


@part
def _add_spans(column: NDArray[np.int32], span: NDArray[np.int32], total: NDArray[np.int32], kx: int) -> None:
    """Sum of kx neighbours for every x, from spans of 1, 2, 4 ... samples as the bits of kx name them."""
    width = total.size
    copy(column, span)
    for x in range(width):
        total[x] = 0
    length, offset, bits = 1, 0, kx
    while True:
        if bits & 1:
            part = span[offset : offset + width]
            for x in range(width):
                total[x] += part[x]
            offset += length
        bits >>= 1
        if bits == 0:
            return
        n = column.size - 2 * length + 1
        here, there = span[:n], span[length : length + n]
        for x in range(n):
            here[x] += there[x]
        length *= 2


@compiled(
    "void(int16[:,:,::1], int16[:,:,::1], boolean, float64, UniTuple(int64, 4))",
    "void(int16[:,:,::1], float32[:,:,::1], boolean, float64, UniTuple(int64, 4))",
)
def _slide(padded: NDArray[np.int16], out: Array, whole: bool, offset: float, limits: Limits) -> None:
    """Add planes up along z, their rows along y, and spans of those along x by doubling: some rows of some planes."""
    depth, rows, width = out.shape
    kz, ky, kx = padded.shape[0] - depth + 1, padded.shape[1] - rows + 1, padded.shape[2] - width + 1
    share = 1.0 / (kz * ky * kx)
    start, stop, top, bottom = limits
    planes = np.zeros((bottom - top + ky - 1, padded.shape[2]), np.int32)  # sums of kz samples along z
    column = np.empty(padded.shape[2], np.int32)  # of kz x ky
    span, total = np.empty(padded.shape[2], np.int32), np.empty(width, np.int32)
    for z in range(start, start + kz - 1):
        for y in range(len(planes)):
            plane, new = planes[y], padded[z, top + y]
            for x in range(plane.size):
                plane[x] += new[x]
    for z in range(start, stop):
        column[:] = 0
        for y in range(len(planes)):
            plane, new = planes[y], padded[z + kz - 1, top + y]
            for x in range(plane.size):
                plane[x] += new[x]
                column[x] += plane[x]
            if y < ky - 1:
                continue
            _add_spans(column, span, total, kx)
            line = out[z, top + y - ky + 1]
            if whole:
                for x in range(width):
                    line[x] = np.int32(np.floor(total[x] * share + 0.5))
            else:
                for x in range(width):
                    line[x] = total[x] * share + offset
            plane, old = planes[y - ky + 1], padded[z, top + y - ky + 1]
            for x in range(plane.size):  # rows above the box are no longer needed: take plane z off them
                column[x] -= plane[x]
                plane[x] -= old[x]
        for y in range(bottom - top, len(planes)):
            plane, old = planes[y], padded[z, top + y]
            for x in range(plane.size):
                plane[x] -= old[x]
