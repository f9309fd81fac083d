"""Median of a small box by bisection on counts: how many samples are at most m decides which half holds the median."""

from __future__ import annotations

import numpy as np

from radlake.imaging.kernels.compiled import compiled
from radlake.imaging.kernels.ordered import Codes
from radlake.imaging.kernels.threads import Limits, over_rows

_WIDTH = 128  # columns at a time: their limits and counts stay in registers and the first-level cache


def median_by_bisection(padded: Codes, size: tuple[int, int, int]) -> Codes:
    """Median of each box, exact.

    Parameters
    ----------
    padded : (Z + kz - 1, Y + ky - 1, X + kx - 1) int16 or int32 array, C-contiguous
        With half a box more on every side.
    size : (kz, ky, kx)
        Odd sides of the box in samples, at most 32767 samples in all.

    Returns
    -------
    (Z, Y, X) array of the same dtype.

    Notes
    -----
    The number of passes is the logarithm of the range inside the boxes of a block, not of the dtype's range.

    Examples
    --------
    >>> median_by_bisection(np.array([[[1, 9, 2, 3, 3]]], np.int16), (1, 1, 3)).tolist()
    [[[2, 3, 3]]]
    """
    out = np.empty([side - k + 1 for side, k in zip(padded.shape, size, strict=True)], padded.dtype)
    over_rows(out.shape, lambda limits: _bisect(padded, out, limits))
    return out


@compiled(
    "void(int16[:,:,::1], int16[:,:,::1], UniTuple(int64, 4))",
    "void(int32[:,:,::1], int32[:,:,::1], UniTuple(int64, 4))",
)
def _bisect(padded: Codes, out: Codes, limits: Limits) -> None:
    """Narrow [low, high] of a block of columns until both ends meet everywhere, in some rows of some planes.

    In one function: calls to parts of it cost a third more.
    """
    depth, rows, width = out.shape
    kz, ky, kx = padded.shape[0] - depth + 1, padded.shape[1] - rows + 1, padded.shape[2] - width + 1
    half = kz * ky * kx // 2
    low, high = np.empty(_WIDTH, padded.dtype), np.empty(_WIDTH, padded.dtype)
    middle, count = np.empty(_WIDTH, padded.dtype), np.empty(_WIDTH, padded.dtype)
    for z in range(limits[0], limits[1]):
        for y in range(limits[2], limits[3]):
            for start in range(0, width, _WIDTH):
                n = min(_WIDTH, width - start)
                first = padded[z, y, start : start + n]
                for x in range(n):
                    low[x] = first[x]
                    high[x] = first[x]
                for i in range(kz):
                    for j in range(ky):
                        for k in range(start, start + kx):
                            a = padded[z + i, y + j, k : k + n]
                            for x in range(n):
                                low[x] = min(low[x], a[x])
                                high[x] = max(high[x], a[x])
                unsettled = True
                while unsettled:
                    for x in range(n):
                        # floor of the mean without overflow: Dietz, The Aggregate Magic Algorithms, "average"
                        middle[x] = (low[x] & high[x]) + ((low[x] ^ high[x]) >> 1)
                        count[x] = 0
                    for i in range(kz):
                        for j in range(ky):
                            line = padded[z + i, y + j, start : start + n + kx - 1]
                            k = 0
                            while k + 3 <= kx:  # three at a time: a third of the loads and stores of counts
                                a, b, c = line[k : k + n], line[k + 1 : k + 1 + n], line[k + 2 : k + 2 + n]
                                for x in range(n):
                                    m = middle[x]
                                    count[x] += (a[x] <= m) + (b[x] <= m) + (c[x] <= m)
                                k += 3
                            while k < kx:
                                a = line[k : k + n]
                                for x in range(n):
                                    count[x] += a[x] <= middle[x]
                                k += 1
                    differences = 0
                    for x in range(n):
                        enough = count[x] > half
                        above = min(middle[x] + 1, high[x])
                        low[x] = low[x] if enough else above
                        high[x] = middle[x] if enough else high[x]
                        differences |= low[x] ^ high[x]
                    unsettled = differences != 0
                target = out[z, y, start : start + n]
                for x in range(n):
                    target[x] = low[x]
