"""Median of 3 x 3 x 3 samples by a selection network on whole rows.

A network is a fixed list of compare-and-exchange steps. Each step runs over a row of columns at once, which the
compiler turns into SIMD minima and maxima. The nine samples of a column are sorted once for the three outputs that
share it. Networks are data, computed here; the kernel only follows them.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from radlake.imaging.kernels.compiled import compiled, copy
from radlake.imaging.kernels.ordered import Codes
from radlake.imaging.kernels.threads import Limits, over_rows

_WIDTH = 512  # columns at a time: 36 rows of them still fit the first-level cache
BOTH, LEAST, GREATEST = 0, 1, 2  # what a step keeps

Step = tuple[int, int]
Steps = NDArray[np.int64]  # (n, 3): place of the minimum, place of the maximum, what is kept


def median_27(padded: Codes) -> Codes:
    """Median of each 3 x 3 x 3 neighbourhood.

    Parameters
    ----------
    padded : (Z + 2, Y + 2, X + 2) int16 or int32 array, C-contiguous
        With one sample more on every side.

    Returns
    -------
    (Z, Y, X) array of the same dtype.

    References
    ----------
    Knuth (1998), The Art of Computer Programming 3, section 5.2.2, algorithm M (merge exchange), pruned to the steps
    that reach the median; Chaudhuri (1990), A note on efficient computation of the median filter, for shared columns.
    """
    z, y, x = (side - 2 for side in padded.shape)
    out = np.empty((z, y, x), padded.dtype)
    merge, middle = median_of_columns()
    over_rows(out.shape, lambda limits: _median_27(padded, out, sort_nine(), merge, middle, limits))
    return out


def merge_exchange(count: int) -> list[Step]:
    """Steps that sort any `count` values (Knuth's algorithm M).

    Examples
    --------
    >>> merge_exchange(3)
    [(0, 2), (0, 1), (1, 2)]
    """
    steps: list[Step] = []
    p = top = 1 << max(0, (count - 1).bit_length() - 1)
    while p > 0:
        q, r, d = top, 0, p
        while d > 0:
            steps += [(i, i + d) for i in range(count - d) if i & p == r]
            d, q, r = q - p, q >> 1, p
        p >>= 1
    return steps


@functools.cache
def sort_nine() -> Steps:
    """Steps that sort nine values: 25, the fewest there are (Floyd 1964)."""
    pairs = "03 17 25 48 07 24 38 56 02 13 45 78 14 36 57 01 24 35 68 23 45 67 12 34 56"
    return np.array([(int(pair[0]), int(pair[1]), BOTH) for pair in pairs.split()], np.int64)


@functools.cache
def median_of_columns() -> tuple[Steps, int]:
    """Steps that bring the median of three sorted columns to one place, and that place.

    Places 0 to 8 hold the least of the k-th values of the columns, 9 to 17 the middle ones, 18 to 26 the greatest, so
    all three lists are sorted too. Then the k-th of the least has at least 26 - 3k values above it, and so on: what
    has more than 13 above or below cannot be the median and is left out.
    """
    below = list(range(9)) + [2 * k + 1 for k in range(9)] + [3 * k + 2 for k in range(9)]
    above = [26 - 3 * k for k in range(9)] + [17 - 2 * k for k in range(9)] + [8 - k for k in range(9)]
    candidates = [place for place in range(27) if below[place] <= 13 and above[place] <= 13]
    middle = candidates[13 - sum(count > 13 for count in above)]
    return _pruned([(candidates[i], candidates[j]) for i, j in merge_exchange(len(candidates))], middle), middle


def _pruned(steps: list[Step], wanted: int) -> Steps:
    """The steps that matter for one place, each with what it must keep."""
    needed, kept = {wanted}, []
    for low, high in reversed(steps):
        if low in needed or high in needed:
            keep = BOTH if {low, high} <= needed else LEAST if low in needed else GREATEST
            kept.append((low, high, keep))
            needed |= {low, high}
    return np.array(kept[::-1], np.int64)


@compiled(
    "void(int16[:,:,::1], int16[:,:,::1], int64[:,::1], int64[:,::1], int64, UniTuple(int64, 4))",
    "void(int32[:,:,::1], int32[:,:,::1], int64[:,::1], int64[:,::1], int64, UniTuple(int64, 4))",
)
def _median_27(padded: Codes, out: Codes, sort: Steps, merge: Steps, middle: int, limits: Limits) -> None:
    """Follow the networks on blocks of columns, in some rows of some planes."""
    width = out.shape[2]
    columns = np.empty((9, _WIDTH + 2), padded.dtype)
    values = np.empty((27, _WIDTH), padded.dtype)
    for z in range(limits[0], limits[1]):
        for y in range(limits[2], limits[3]):
            for start in range(0, width, _WIDTH):
                n = min(_WIDTH, width - start)
                for k in range(9):
                    copy(padded[z + k // 3, y + k % 3, start : start + n + 2], columns[k])
                for s in range(len(sort)):
                    low, high = columns[sort[s, 0], : n + 2], columns[sort[s, 1], : n + 2]
                    for x in range(n + 2):
                        a, b = low[x], high[x]
                        low[x] = min(a, b)
                        high[x] = max(a, b)
                for k in range(9):  # the k-th values of three columns, in order
                    first, second, third = columns[k, :n], columns[k, 1 : n + 1], columns[k, 2 : n + 2]
                    low, mid, high = values[k, :n], values[9 + k, :n], values[18 + k, :n]
                    for x in range(n):
                        a, b, c = min(first[x], second[x]), max(first[x], second[x]), third[x]
                        high[x] = max(b, c)
                        b = min(b, c)
                        low[x] = min(a, b)
                        mid[x] = max(a, b)
                for s in range(len(merge)):
                    low, high = values[merge[s, 0], :n], values[merge[s, 1], :n]
                    if merge[s, 2] == BOTH:
                        for x in range(n):
                            a, b = low[x], high[x]
                            low[x] = min(a, b)
                            high[x] = max(a, b)
                    elif merge[s, 2] == LEAST:
                        for x in range(n):
                            low[x] = min(low[x], high[x])
                    else:
                        for x in range(n):
                            high[x] = max(low[x], high[x])
                copy(values[middle, :n], out[z, y, start : start + n])
