"""Median of a large box by sliding histograms of two levels: cost per sample hardly depends on the size of the box."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.imaging.kernels.compiled import compiled
from radlake.imaging.kernels.threads import Limits, over_rows

Ranks = NDArray[np.uint16]
MOST_SAMPLES = 65535  # of a box: counts are uint16
_WIDTH = 256  # columns at a time: bounds the histograms to 256 x values x 2 bytes


def median_by_histogram(padded: Ranks, size: tuple[int, int, int], values: int) -> Ranks:
    """Median of each box, exact.

    Parameters
    ----------
    padded : (Z + kz - 1, Y + ky - 1, X + kx - 1) uint16 array, C-contiguous
        Ranks below `values`, with half a box more on every side. The fewer values, the faster.
    size : (kz, ky, kx)
        Odd sides of the box in samples, at most `MOST_SAMPLES` in all.
    values : int
        Number of different ranks, 1 to 65536.

    Returns
    -------
    (Z, Y, X) uint16 array of ranks.

    References
    ----------
    Perreault & Hebert (2007), Median filtering in constant time, IEEE TIP 16:2389-2394: one histogram per column of
    the box, moved down by a sample, and coarse levels that say which fine levels are needed; here with z added.

    Examples
    --------
    >>> median_by_histogram(np.array([[[0, 3, 1, 2, 2]]], np.uint16), (1, 1, 3), 4).tolist()
    [[[1, 2, 2]]]
    """
    out = np.empty([side - k + 1 for side, k in zip(padded.shape, size, strict=True)], np.uint16)
    shift = max(1, (values - 1).bit_length() // 2)
    levels = ((values - 1) >> shift) + 1
    # the first rows of a part are counted anew, in each of its planes
    over_rows(out.shape, lambda limits: _slide(padded, out, shift, levels, limits), least=(1, 4 * size[1]))
    return out


@compiled("void(uint16[:,:,::1], uint16[:,:,::1], int64, int64, UniTuple(int64, 4))")
def _slide(padded: Ranks, out: Ranks, shift: int, levels: int, limits: Limits) -> None:
    """Columns of `levels` coarse and levels << shift fine counts; the box adds columns up as it slides along x.

    In one function: calls to parts of it cost half as much again.
    """
    depth, rows, width = out.shape
    kz, ky, kx = padded.shape[0] - depth + 1, padded.shape[1] - rows + 1, padded.shape[2] - width + 1
    half, fines = kz * ky * kx // 2, 1 << shift
    coarse = np.empty((_WIDTH + kx - 1, levels), np.uint16)
    fine = np.empty((_WIDTH + kx - 1, levels << shift), np.uint16)
    box, part = np.empty(levels, np.uint16), np.empty((levels, fines), np.uint16)
    right_at = np.empty(levels, np.int64)  # x for which a level's part holds
    for z in range(limits[0], limits[1]):
        for start in range(0, width, _WIDTH):
            n = min(_WIDTH, width - start)
            block = n + kx - 1
            for y in range(limits[2], limits[3]):
                if y == limits[2]:  # count the first rows
                    coarse[:] = 0
                    fine[:] = 0
                    for i in range(kz):
                        for j in range(ky):
                            line = padded[z + i, y + j, start : start + block]
                            for x in range(block):
                                coarse[x, line[x] >> shift] += 1
                                fine[x, line[x]] += 1
                else:  # kz rows enter, kz leave
                    for i in range(kz):
                        new = padded[z + i, y + ky - 1, start : start + block]
                        old = padded[z + i, y - 1, start : start + block]
                        for x in range(block):
                            if new[x] != old[x]:
                                coarse[x, new[x] >> shift] += 1
                                fine[x, new[x]] += 1
                                coarse[x, old[x] >> shift] -= 1
                                fine[x, old[x]] -= 1
                box[:] = 0
                for x in range(kx - 1):
                    for c in range(levels):
                        box[c] += coarse[x, c]
                right_at[:] = -kx
                for x in range(n):
                    entering = coarse[x + kx - 1]
                    if x > 0:
                        leaving = coarse[x - 1]
                        for c in range(levels):
                            box[c] += entering[c] - leaving[c]
                    else:
                        for c in range(levels):
                            box[c] += entering[c]
                    total, c = 0, 0
                    while total + box[c] <= half:
                        total += box[c]
                        c += 1
                    counts, first = part[c], c << shift
                    if x - right_at[c] >= kx:  # nothing in common with the box it was right for: add up anew
                        for k in range(fines):
                            counts[k] = 0
                        for column in range(x, x + kx):
                            if coarse[column, c] > 0:
                                more = fine[column, first : first + fines]
                                for k in range(fines):
                                    counts[k] += more[k]
                    else:
                        for column in range(right_at[c] + 1, x + 1):
                            if coarse[column + kx - 1, c] > 0:
                                more = fine[column + kx - 1, first : first + fines]
                                for k in range(fines):
                                    counts[k] += more[k]
                            if coarse[column - 1, c] > 0:
                                less = fine[column - 1, first : first + fines]
                                for k in range(fines):
                                    counts[k] -= less[k]
                    right_at[c] = x
                    k = 0
                    total += counts[0]
                    while total <= half:
                        k += 1
                        total += counts[k]
                    out[z, y, start + x] = first + k
